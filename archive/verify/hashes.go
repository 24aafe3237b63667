package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/storage"
)

// hashes checks the hash of every object that has not been checked, each once.
func (r *run) hashes(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Workers)
	for _, band := range slices.Sorted(maps.Keys(r.refs)) {
		for _, id := range r.toHash(band) {
			r.expect(0, r.refs[band][id].isBytes)
		}
	}
	for _, band := range slices.Sorted(maps.Keys(r.refs)) {
		for _, id := range r.toHash(band) {
			sum := r.refs[band][id].sum
			g.Go(func() error { return r.hash(gctx, band, id, sum) })
		}
	}
	return g.Wait()
}

// toHash are the objects of a band whose hash is known and has not been compared.
func (r *run) toHash(band format.BandID) []objectID {
	return slices.DeleteFunc(r.sorted(band), func(id objectID) bool {
		w := r.refs[band][id]
		return id.kind == format.BlockObject && !r.o.Sample.Has(id.name(band)) || w.hashed || w.sum.IsZero() || r.o.Depth == Files && id.kind == format.BlockObject || r.isDamaged(id.name(band))
	})
}

func (r *run) hash(ctx context.Context, band format.BandID, id objectID, want format.Hash) error {
	name := id.name(band)
	sum := sha256.New()
	n, err := copyObject(ctx, r.archive.Storage(), name, sum)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		if repaired, failed := r.isRepaired(ctx, name, want); repaired || failed != nil {
			return failed
		}
		return r.object(areaOf(id), conditionOf(err), name, err)
	}
	r.count(func(res *Result, done *event.Totals) {
		res.Bytes += n
		done.ContentBytes += n
	})
	r.progress(name)
	if format.Hash(sum.Sum(nil)) != want {
		if repaired, err := r.isRepaired(ctx, name, want); repaired || err != nil {
			return err
		}
		return r.object(areaOf(id), alarm.Mismatch, name, &format.MismatchError{What: "object"})
	}
	return nil
}

func conditionOf(err error) alarm.Condition {
	switch {
	case storage.Is(err, storage.KindNotFound):
		return alarm.Missing
	case storage.Is(err, storage.KindDenied):
		return alarm.Denied
	}
	return alarm.IOError
}

const pieceBytes = 4 << 20

// copyObject writes all of an object to w, a piece at a time.
func copyObject(ctx context.Context, st storage.Storage, name string, w io.Writer) (written int64, err error) {
	for {
		piece, err := st.Read(ctx, name, written, pieceBytes)
		if err != nil || len(piece) == 0 {
			return written, err
		}
		n, err := w.Write(piece)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
}

// sums compares the .sha256 of a band with what refers to its objects, and takes from it the hashes that nothing else has: those of
// the tail, and of the head of a band that is not complete.
func (r *run) sums(ctx context.Context, band format.BandID) error {
	name := format.SumsName(band)
	if r.isDamaged(name) {
		return nil
	}
	err := r.eachSum(ctx, band, func(sum format.Sum) error { return r.sumLine(name, band, sum) })
	if err != nil || r.isDamaged(name) {
		return err
	}
	strays := r.moreBlocks(band)
	for _, id := range r.sorted(band) {
		w := r.refs[band][id]
		if strays && id.kind == format.BlockObject && w.sum.IsZero() {
			continue
		}
		if !w.summed {
			return r.object(alarm.Band, alarm.Corrupt, name, fmt.Errorf("it has no line for %s", id.name(band)))
		}
	}
	return nil
}

// moreBlocks reports whether a complete band has more blocks than it counts: others are of backups that met this one's there, and began
// bands of their own.
func (r *run) moreBlocks(band format.BandID) bool {
	left, complete := r.ownBlocks[band]
	for id := range r.refs[band] {
		if id.kind == format.BlockObject {
			left--
		}
	}
	return complete && left < 0
}

// eachSum reads the lines of a band's .sha256, up to what can't be read of it.
func (r *run) eachSum(ctx context.Context, band format.BandID, each func(format.Sum) error) error {
	for sum, err := range r.archive.Sums(ctx, band) {
		if err != nil {
			return r.found(ctx, err)
		}
		if err := each(sum); err != nil {
			return err
		}
	}
	return nil
}

// sumLine compares one line.
func (r *run) sumLine(sumsName string, band format.BandID, sum format.Sum) error {
	of, kind, number, err := r.parse(sum.Object)
	if err != nil || of != band {
		return nil
	}
	agrees := true
	r.update(band, objectID{kind, number}, func(w *want) {
		if w.sum.IsZero() {
			w.sum = sum.SHA256
		}
		w.summed, agrees = true, w.sum == sum.SHA256
	})
	if agrees {
		return nil
	}
	cause := fmt.Errorf("its line for %s has another hash than what refers to that", sum.Object)
	return r.object(alarm.Band, alarm.Mismatch, sumsName, cause)
}

// objectOf is err without the path that it was met at.
func objectOf(err error) error {
	var e *archive.Error
	if !errors.As(err, &e) || e.Object == "" {
		return nil
	}
	object := *e
	object.Path = format.Root
	return &object
}
