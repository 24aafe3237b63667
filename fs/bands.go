package fs

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dura/archive"
	"dura/archive/format"
)

// patience is how long a request waits for a new list of bands before it makes do with the old one.
const patience = time.Second

var (
	errTooManyBands = errors.New("more bands than one mount can number")
	errAllGone      = errors.New("none of the bands that were there is listed any more, deleted ones neither")
)

// slot is a band that the mount has numbered: a complete one, or an incomplete one as it was at some time. A number is never used
// again, so what the kernel knows of it stays true.
type slot struct {
	number int
	id     format.BandID
	state  archive.BandState

	resident atomic.Pointer[archive.Band] // of an incomplete band; nil once it is given up
	deleted  atomic.Bool                  // the band is given up
}

// shownBand is a name in the list of bands.
type shownBand struct {
	name   string
	number int // its place in the listing, never another name's
	state  archive.BandState
	slot   *slot // of a complete band

	snapshots snapshots // of an incomplete one
}

// incompleteSuffix marks the names of bands without a tail.
const incompleteSuffix = ".incomplete"

func shownName(state archive.BandState) string {
	if state.Complete {
		return string(state.ID)
	}
	return string(state.ID) + incompleteSuffix
}

// bandList is the bands that are shown. It is listed anew when it is asked for and old; while the storage does not answer,
// the old list stands.
type bandList struct {
	list    func(context.Context) ([]archive.BandState, error)
	mount   context.Context // ends with the mount
	options Options
	changed func()      // called behind every change but the first listing's
	failed  func(error) // called when a listing failed and the old one stands

	mu         sync.Mutex
	slots      []*slot               // by number
	shown      map[string]*shownBand // by name
	numbers    int                   // of names, used so far
	latest     *slot                 // nil if there is none
	listedAt   time.Time             // zero before the first listing
	changedAt  time.Time
	refreshing *refreshing // nil unless a listing is under way
}

type refreshing struct {
	begun time.Time
	done  chan struct{}
	err   error
}

// slot finds a band by its number; nil if there is none.
func (l *bandList) slot(number int) *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number >= len(l.slots) {
		return nil
	}
	return l.slots[number]
}

// giveUp notes that a band was deleted.
func (l *bandList) giveUp(id format.BandID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.giveUpLocked(id)
}

func (l *bandList) giveUpLocked(id format.BandID) {
	for _, s := range l.slots {
		if s.id == id {
			s.deleted.Store(true)
		}
	}
}

// add numbers one band.
func (l *bandList) add(state archive.BandState) *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addLocked(state)
}

func (l *bandList) addLocked(state archive.BandState) *slot {
	s := &slot{number: len(l.slots), id: state.ID, state: state}
	l.slots = append(l.slots, s)
	return s
}

// start begins to list the bands if the list is older than it may be. It returns nil if it is not, and otherwise the listing,
// and whether there is a list at all until then.
func (l *bandList) start() (r *refreshing, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.options.Now()
	known = !l.listedAt.IsZero()
	if known && now.Sub(l.listedAt) < l.options.Refresh {
		return nil, true
	}
	if l.refreshing == nil {
		l.refreshing = &refreshing{begun: time.Now(), done: make(chan struct{})}
		go l.relist(l.refreshing)
	}
	return l.refreshing, known
}

// refresh makes sure that the list is not older than it may be. It fails only where there is no list at all.
func (l *bandList) refresh(ctx context.Context) error {
	r, known := l.start()
	if r == nil {
		return nil
	}
	var enough <-chan time.Time
	if known {
		timer := time.NewTimer(patience - time.Since(r.begun))
		defer timer.Stop()
		enough = timer.C
	}
	select {
	case <-r.done:
		if known {
			return nil
		}
		return r.err
	case <-enough:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *bandList) relist(r *refreshing) {
	ctx, cancel := context.WithTimeout(l.mount, l.options.Timeout)
	defer cancel()
	states, err := l.list(ctx)
	l.mu.Lock()
	first := l.listedAt.IsZero()
	hasChanged := false
	if err == nil {
		hasChanged, err = l.apply(states)
	}
	if err == nil || !first {
		l.listedAt = l.options.Now() // a listing that failed is not tried again at once either
	}
	l.refreshing = nil
	l.mu.Unlock()
	r.err = err
	close(r.done)
	switch {
	case first:
	case err != nil:
		l.failed(err)
	case hasChanged:
		l.changed()
	}
}

// apply takes in a listing and reports whether anything is different. A listing without anything that was there is refused: an
// archive whose disk is missing must not look empty.
func (l *bandList) apply(states []archive.BandState) (changed bool, err error) {
	if len(l.shown) > 0 && !slices.ContainsFunc(states, l.isKnown) {
		return false, &archive.Error{Op: "list bands", Object: format.BandsPrefix, Kind: archive.KindMissing, Err: errAllGone}
	}
	shown := make(map[string]*shownBand, len(states))
	var latest *slot
	for _, state := range states {
		name := shownName(state)
		b := l.shown[name]
		if state.Deleted && b != nil {
			l.giveUpLocked(state.ID)
		}
		if state.Deleted || !state.Complete && !state.HasHead {
			continue
		}
		if b == nil {
			if len(l.slots) >= maxSlots {
				return changed, errTooManyBands
			}
			b = &shownBand{name: name, number: l.numbers, state: state}
			l.numbers++
			if state.Complete {
				b.slot = l.addLocked(state)
			}
			changed = true
		}
		shown[name] = b
		if b.slot != nil {
			latest = b.slot // states come by id, and so by time
		}
	}
	changed = changed || len(shown) != len(l.shown)
	if changed || l.changedAt.IsZero() {
		l.changedAt = l.changeTime(latest)
	}
	l.shown, l.latest = shown, latest
	return changed, nil
}

// isKnown reports whether a band is shown, or was a moment ago.
func (l *bandList) isKnown(state archive.BandState) bool {
	id := string(state.ID)
	return l.shown[id] != nil || l.shown[id+incompleteSuffix] != nil
}

// changeTime is the modification time of the directory of bands: that of the latest band at first, and later when the mount
// saw a change, but never the same twice.
func (l *bandList) changeTime(latest *slot) time.Time {
	switch now := l.options.Now(); {
	case l.listedAt.IsZero() && latest != nil:
		return latest.id.Time()
	case now.After(l.changedAt):
		return now
	default:
		return l.changedAt.Add(1)
	}
}

// view is the list at one moment.
type view struct {
	bands     []*shownBand // by number
	latest    *slot
	changedAt time.Time
}

func (l *bandList) view() view {
	l.mu.Lock()
	defer l.mu.Unlock()
	bands := slices.SortedFunc(maps.Values(l.shown), func(a, b *shownBand) int { return cmp.Compare(a.number, b.number) })
	return view{bands: bands, latest: l.latest, changedAt: l.changedAt}
}

// find is the band shown under name; nil if there is none.
func (l *bandList) find(name string) *shownBand {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shown[name]
}

// newest is the latest complete band, nil if there is none.
func (l *bandList) newest() *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latest
}

// age is when the bands were listed last.
func (l *bandList) age() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.listedAt
}
