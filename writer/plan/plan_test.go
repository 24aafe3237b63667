package plan

import (
	"testing"

	"pgregory.net/rapid"

	"dura/archive/format"
)

func TestDecide(t *testing.T) {
	const split = 100
	for _, c := range []struct {
		entry format.Entry
		want  Action
	}{
		{format.Entry{Kind: format.File}, Whole},
		{format.Entry{Kind: format.File, Size: 100}, Whole},
		{format.Entry{Kind: format.File, Size: 101}, Chunks},
		{format.Entry{Kind: format.File, Size: 101, LinkTo: "x"}, Link},
		{format.Entry{Kind: format.Directory}, Metadata},
		{format.Entry{Kind: format.Symlink}, Metadata},
		{format.Entry{Kind: format.FIFO, LinkTo: "x"}, Link},
		{format.Entry{Kind: format.CharDevice}, Metadata},
		{format.Entry{Kind: format.BlockDevice}, Metadata},
		{format.Entry{Kind: format.Socket}, IndexOnly},
		{format.Entry{Kind: format.Socket, LinkTo: "x"}, Link},
	} {
		if got := Decide(&c.entry, split); got != c.want {
			t.Errorf("%+v: %v, want %v", c.entry, got, c.want)
		}
	}
}

func TestLinksGroupByFileAndForgetWhatIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Links[int]
		counts := map[LinkKey]uint32{} // links of each file
		seen := map[LinkKey]uint32{}
		first := map[LinkKey]int{}
		for i := range rapid.IntRange(1, 200).Draw(t, "entries") {
			key := LinkKey{
				uint64(rapid.IntRange(0, 1).Draw(t, "device")), uint64(rapid.IntRange(0, 9).Draw(t, "inode")),
				rapid.SampledFrom([]format.Kind{format.File, format.Symlink}).Draw(t, "kind"), format.Time{Seconds: rapid.Int64Range(0, 1).Draw(t, "ctime")},
			}
			if counts[key] == 0 {
				counts[key] = rapid.Uint32Range(1, 5).Draw(t, "links")
			}
			if seen[key] == counts[key] {
				continue
			}
			e := format.Entry{Kind: key.Kind, Device: key.Device, Inode: key.Inode, CTime: key.CTime, Links: counts[key]}
			got, linked := l.First(&e, i)
			if want := counts[key] > 1 && seen[key] > 0; linked != want || linked && got != first[key] {
				t.Fatalf("entry %d of %+v: %d, %v", i, key, got, linked)
			}
			if seen[key] == 0 {
				first[key] = i
			}
			seen[key]++
		}
		open := 0
		for key, n := range seen {
			if counts[key] > 1 && n < counts[key] {
				open++
			}
		}
		if len(l.groups) != open {
			t.Fatalf("%d groups kept, %d not yet whole", len(l.groups), open)
		}
	})
}

func TestDirectoriesAreNeverLinks(t *testing.T) {
	var l Links[int]
	for i := range 3 {
		if _, linked := l.First(&format.Entry{Kind: format.Directory, Links: 3, Inode: 1}, i); linked {
			t.Fatal(i)
		}
	}
}
