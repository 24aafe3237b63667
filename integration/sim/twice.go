package sim

import (
	"context"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/storage"
)

// storedTwice is how many bytes of content a band's blocks hold that another block of it has for the same place of the same path.
func storedTwice(ctx context.Context, a *archive.Archive, id format.BandID) (bytes int64, err error) {
	type place struct {
		path  format.Path
		start int64
		sum   format.Hash
	}
	seen := map[place]bool{}
	for info, err := range a.Storage().List(ctx, format.BandsPrefix+string(id)+"/data/", storage.Deep) {
		if err != nil {
			return 0, err
		}
		_, _, number, err := format.ParseObjectName(info.Name)
		if err != nil {
			return 0, err
		}
		footer, err := a.Footer(ctx, &format.Block{Band: id, Number: number, StoredBytes: info.SizeBytes})
		if err != nil {
			return 0, err
		}
		for _, m := range footer.Members {
			at := place{m.Path, m.Start, m.SHA256}
			if m.Bytes > 0 && seen[at] {
				bytes += int64(m.Bytes)
			}
			seen[at] = true
		}
	}
	return bytes, nil
}
