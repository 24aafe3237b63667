package fs

import (
	"context"
	"sync"
	"syscall"
	"time"

	"dura/archive"
	"dura/archive/format"
)

// isSingle reports whether one band is shown alone.
func (f *FileSystem) isSingle() bool { return f.options.Band != "" }

func (f *FileSystem) showOne(ctx context.Context) error {
	state, err := f.archive.FindBand(ctx, f.options.Band)
	if err != nil {
		return err
	}
	s := f.bands.add(state)
	if !state.Complete {
		b, err := f.archive.OpenBand(ctx, state)
		if err != nil {
			return err
		}
		s.resident.Store(b)
	}
	top, err := bandTop{f, s}.entry(ctx)
	if err == nil && top.Kind != format.Directory {
		err = &archive.Error{Op: "mount", Band: s.id, Path: f.options.Subtree, Kind: archive.KindNotADirectory}
	}
	return err
}

// listBands lists the bands. Where there are none it looks whether there still is an archive: an empty directory in the place
// of one would have mirrors of it emptied.
func (f *FileSystem) listBands(ctx context.Context) ([]archive.BandState, error) {
	states, err := f.archive.Bands(ctx)
	if err == nil && len(states) == 0 {
		_, err = f.archive.Storage().Stat(ctx, format.ArchiveName)
	}
	return states, err
}

// open is the band of a slot. A complete band of which nothing is left is an error, not an empty directory: mirrors of it would be
// emptied.
func (f *FileSystem) open(ctx context.Context, s *slot) (*archive.Band, error) {
	if s.deleted.Load() {
		return nil, &archive.Error{Op: "open", Band: s.id, Kind: archive.KindDeleted}
	}
	if b, ok := f.opened.Get(s.number); ok {
		return b, nil
	}
	if !s.state.Complete {
		if b := s.resident.Load(); b != nil {
			return b, nil
		}
		return nil, syscall.ESTALE
	}
	opened, err := f.once(ctx, shownName(s.state), func(ctx context.Context) (any, error) {
		b, err := f.archive.OpenBand(ctx, s.state)
		if err == nil && b.Entries() == 0 {
			err = &archive.Error{Op: "open the band", Band: s.id, Object: format.TailName(s.id), Kind: archive.KindMissing}
		}
		if err == nil {
			f.opened.Add(s.number, b)
		}
		return b, err
	})
	if err != nil {
		return nil, err
	}
	return opened.(*archive.Band), nil
}

// once does something once for all who want it at the same time, whoever of them leaves.
func (f *FileSystem) once(ctx context.Context, key string, do func(context.Context) (any, error)) (any, error) {
	result := f.opening.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(f.ctx, f.options.Timeout)
		defer cancel()
		return do(ctx)
	})
	select {
	case r := <-result:
		return r.Val, r.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// warm begins to read what whoever comes first is most likely to want: what it takes to look into the latest band. The channel is closed
// when that band is open. What goes wrong there he will be told.
func (f *FileSystem) warm() <-chan struct{} {
	opened := make(chan struct{})
	go func() {
		once := sync.OnceFunc(func() { close(opened) })
		defer once()
		s := f.bands.newest()
		if s == nil {
			return
		}
		ctx, cancel := context.WithTimeout(f.ctx, f.options.Timeout)
		defer cancel()
		if b, err := f.open(ctx, s); err == nil {
			once()
			_, _ = b.At(ctx, 0)
		}
	}()
	return opened
}

// head is what a band says of where it comes from. The band is not kept open for that: it may be one of a thousand.
func (f *FileSystem) head(ctx context.Context, s *slot) (format.Head, error) {
	b, err := f.archive.OpenBand(ctx, s.state)
	if err != nil {
		return format.Head{}, err
	}
	return b.Head(ctx)
}

// An incomplete band grows. What is shown of it is what it had when somebody looked, and looked again no sooner than this.
const (
	snapshotAge  = 5 * time.Second
	maxSnapshots = 4 // of one band that are kept: somebody may still be in an older one
)

// snapshots are an incomplete band as it was at some times, the latest last.
type snapshots struct {
	mu    sync.Mutex
	slots []*slot
	at    time.Time // when the latest was found to be as it is
}

// current is the latest one, if it is new enough.
func (s *snapshots) current(now time.Time) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.slots) == 0 || now.Sub(s.at) >= snapshotAge {
		return nil
	}
	return s.slots[len(s.slots)-1]
}

// take makes b the latest, unless that is the same.
func (s *snapshots) take(b *archive.Band, now time.Time, add func() *slot) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = now
	if n := len(s.slots); n > 0 && s.slots[n-1].resident.Load().Entries() == b.Entries() {
		return s.slots[n-1]
	}
	latest := add()
	latest.resident.Store(b)
	s.slots = append(s.slots, latest)
	if len(s.slots) > maxSnapshots {
		s.slots[0].resident.Store(nil)
		s.slots = s.slots[1:]
	}
	return latest
}

// slotOf is what is to be seen of a band now.
func (f *FileSystem) slotOf(ctx context.Context, b *shownBand) (*slot, error) {
	if b.slot != nil {
		return b.slot, nil
	}
	if s := b.snapshots.current(f.options.Now()); s != nil {
		return s, nil
	}
	taken, err := f.once(ctx, b.name, func(ctx context.Context) (any, error) {
		band, err := f.archive.OpenBand(ctx, b.state)
		if err != nil {
			return nil, err
		}
		return b.snapshots.take(band, f.options.Now(), func() *slot { return f.bands.add(b.state) }), nil
	})
	if err != nil {
		return nil, err
	}
	return taken.(*slot), nil
}
