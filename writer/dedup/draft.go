package dedup

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
)

// draft is a segment to be written.
type draft struct {
	archive  archiveSum
	sequence uint64
	bands    []bandTable // in ascending order; their records are counted as it is written
	replaced []segmentID
	sources  []*source // with places of bands
}

// write writes a segment, whole or not at all, down to the disk, and opens it.
func (d *draft) write(dir string, random io.Reader) (*segment, error) {
	id, err := newID(random)
	if err != nil {
		return nil, err
	}
	file, err := newTemporary(dir, random)
	if err != nil {
		return nil, err
	}
	s := &segment{path: filepath.Join(dir, id.String()+segmentSuffix), file: file}
	if err = d.writeTo(file, id); err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = s.load(d.archive)
	}
	if err == nil {
		err = os.Rename(file.Name(), s.path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	} else {
		err = flushDirectory(dir)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (d *draft) writeTo(w io.Writer, id segmentID) error {
	out := bufio.NewWriterSize(w, writeBufferBytes)
	t := tables{bands: d.bands, replaced: d.replaced}
	pages := &pageWriter{w: out, first: func(high uint64) { t.directory = append(t.directory, high) }}
	err := merge(d.sources, func(r *record) error {
		d.bands[r.spot().band].records++
		return pages.add(r)
	})
	if err != nil {
		return err
	}
	if err := pages.flush(); err != nil {
		return err
	}
	raw := t.append(nil)
	if _, err := out.Write(raw); err != nil {
		return err
	}
	end := footer{
		archive: d.archive, id: id, sequence: d.sequence, records: pages.records,
		tableBytes: int64(len(raw)), tableSum: checksum(raw),
	}
	if _, err := out.Write(end.append(nil)); err != nil {
		return err
	}
	return out.Flush()
}
