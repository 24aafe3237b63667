package writer_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/writer/source/sourcetest"
)

// TestAFileThatChangesBetweenRunsIsNeverMixed overwrites parts of a large file in place while a backup of it is cut off again and again: chunks of several
// of its versions begin at the same places, and what is stored is one version.
func TestAFileThatChangesBetweenRunsIsNeverMixed(t *testing.T) {
	const chunkBytes, chunks = 1 << 10, 120
	settings := format.Settings{
		Compression: format.NoCompression, BlockBytes: 200 << 10, FrameBytes: 1 << 10, SplitBytes: 4 << 10,
		ChunkMinBytes: chunkBytes, ChunkMeanBytes: chunkBytes, ChunkMaxBytes: chunkBytes,
	}
	cutOff, wentOn := 0, 0
	for seed := range uint64(fewer(40, 10)) {
		random := rand.New(rand.NewPCG(seed, 0))
		content := make([]byte, chunkBytes*chunks)
		for i := range content {
			content[i] = byte(random.Uint32())
		}
		p := newPlace(t, settings)
		version, versions := int64(0), map[int64][]byte{} // by time
		item := func() sourcetest.Item {
			it := sized("large", sourcetest.Bytes(bytes.Clone(content)))
			it.Entry.MTime.Seconds += version
			it.Entry.CTime.Seconds += version
			versions[it.Entry.MTime.Seconds] = bytes.Clone(content)
			return it
		}
		for run := 0; ; run++ {
			p.now = later(1 + run/5)
			p.wrap = nil
			if run < 8 {
				after := 8 + random.IntN(10) + 4*run
				p.wrap = func(st storage.Storage) storage.Storage { return storagetest.NewCrashing(st, after, storagetest.Done) }
			}
			result, err := p.tryBackup(context.Background(), sourcetest.New(item()), 1)
			if err == nil {
				if result.Continued {
					wentOn++
				}
				break
			}
			cutOff++
			if random.IntN(3) == 0 {
				for range 1 + random.IntN(3) {
					content[random.IntN(len(content))]++
				}
				version++
			}
		}
		if got := p.read()["large"]; !bytes.Equal(got.content, versions[got.MTime.Seconds]) {
			t.Errorf("seed %d: it has other content than it had at its time", seed)
		}
	}
	if cutOff < 40 || wentOn < 5 {
		t.Errorf("%d runs were cut off, and %d backups ended by going on", cutOff, wentOn)
	}
}
