package restore

import (
	"context"
	"crypto/sha256"

	"golang.org/x/sys/unix"

	"dura/archive"
	"dura/archive/format"
)

var errMismatch = &format.MismatchError{What: "content"}

// file restores a regular file.
func (w *worker) file(it *item) (id fileID, err error) {
	e := it.entry
	content := w.band.Archive().Content(e)
	// A small file is checked before anything is made of it.
	var data []byte
	small := isSmall(e)
	if small {
		if data, err = w.small(content, e); err != nil {
			return id, &contentError{err}
		}
	}
	t, err := w.create(it, w.startMode(it))
	if err != nil {
		return id, err
	}
	defer t.discard()
	written := int64(len(data))
	if small {
		err = callFailed("write", writeAll(t.fd, data, 0))
	} else {
		written, err = w.large(t.fd, content, e)
	}
	if err != nil {
		return id, err
	}
	if id, err = w.finishFile(it, t); err == nil {
		w.restored(e, written)
	}
	return id, err
}

// finishFile gives a file all that it is to have besides its content, its name last.
func (w *worker) finishFile(it *item, t *temp) (fileID, error) {
	s := subject{fd: t.fd, dir: it.dir.fd, name: t.name, path: it.entry.Path}
	if err := unix.Fstat(t.fd, &s.stat); err != nil {
		return fileID{}, callFailed("stat", err)
	}
	if it.dir.inherits {
		dropACLs(t.fd)
	}
	if err := w.dress(&s, it.entry); err != nil {
		return fileID{}, err
	}
	return idOf(&s.stat), t.publish()
}

// startMode is the mode a file is made with: nobody else's business before it has its owner, and such that this user may set
// its attributes.
func (w *worker) startMode(it *item) uint32 {
	e := it.entry
	uid, gid := w.owners.numbers(e.Owner)
	if len(e.XAttrs) > 0 || it.dir.inherits || w.self != [2]uint32{uid, gid} && !w.chownDenied.Load() {
		return 0o600
	}
	return e.Mode & 0o777
}

// isSmall reports whether all of a file is in one frame.
func isSmall(e *format.Entry) bool {
	if e.AsInParent || e.SHA256.IsZero() {
		return false // it has no hash of its own, or another
	}
	return e.Size == 0 || len(e.Spans) == 1 && e.Spans[0].HoleBytes == 0 && int64(e.Spans[0].Bytes) == e.Size
}

// small gets the content of a small file, and checks it.
func (w *worker) small(content *archive.Content, e *format.Entry) ([]byte, error) {
	var segment archive.Segment
	var err error
	if e.Size > 0 {
		segment, err = content.At(w.ctx, 0)
	}
	if err != nil {
		return nil, err
	}
	if int64(len(segment.Data)) != e.Size || sha256.Sum256(segment.Data) != e.SHA256 {
		return nil, errMismatch
	}
	return segment.Data, nil
}

// large writes the content of a file as it comes, checks it, and says how much it was.
func (w *worker) large(fd int, content *archive.Content, e *format.Entry) (written int64, err error) {
	sum := archive.NewContentSum(e)
	dataEnd := int64(0)
	for segment, err := range content.Segments(w.ctx) {
		if err == nil {
			err = sum.Add(w.ctx, &segment)
		}
		if err != nil {
			return written, &contentError{err}
		}
		if err := writeAll(fd, segment.Data, segment.Start); err != nil {
			return written, callFailed("write", err)
		}
		dataEnd = segment.End()
		written += int64(len(segment.Data))
		segment.Release()
	}
	if w.ctx.Err() != nil {
		return written, context.Cause(w.ctx) // it may have ended early
	}
	if err := sum.End(w.ctx); err != nil {
		return written, &contentError{err}
	}
	if dataEnd < e.Size {
		return written, callFailed("set size", unix.Ftruncate(fd, e.Size))
	}
	return written, nil
}
