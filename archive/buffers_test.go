package archive

import (
	"testing"

	"pgregory.net/rapid"
)

// Nobody gets what somebody else has, nor less than he asked for, and what is kept is bounded.
func TestBuffersAreGivenToOneAtATime(t *testing.T) {
	const maxBytes = 1 << 20
	rapid.Check(t, func(t *rapid.T) {
		b := buffers{maxBytes: maxBytes}
		var had [][]byte
		free := map[*byte]bool{} // what was put back and may be kept
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			if len(had) == 0 || rapid.Bool().Draw(t, "get") {
				bytes := rapid.IntRange(1, maxBytes/3).Draw(t, "bytes")
				buf := b.get(bytes)
				if len(buf) != 0 || cap(buf) < bytes || cap(buf) > bytes+bytes/bufferSlack+bufferStepBytes {
					t.Fatalf("for %d bytes there is room for %d, and %d are in it", bytes, cap(buf), len(buf))
				}
				first := &buf[:1][0]
				for _, other := range had {
					if &other[:1][0] == first {
						t.Fatal("two have the same")
					}
				}
				delete(free, first)
				had = append(had, buf)
				continue
			}
			i := rapid.IntRange(0, len(had)-1).Draw(t, "which")
			free[&had[i][:1][0]] = true
			b.put(had[i])
			had = append(had[:i], had[i+1:]...)
			var kept int64
			for _, buf := range b.free {
				if !free[&buf[:1][0]] {
					t.Fatal("what somebody has is kept")
				}
				kept += int64(cap(buf))
			}
			if kept != b.bytes || kept > maxBytes {
				t.Fatalf("%d bytes are kept, counted as %d", kept, b.bytes)
			}
		}
	})
}
