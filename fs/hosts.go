package fs

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"dura/archive/format"
)

const (
	headsAtOnce = 8  // heads read at a time
	sampleBands = 16 // how many of the latest bands tell whether there are several hosts
)

// hosts knows which host each band comes from, as far as somebody asked: it takes reading the head of each.
type hosts struct {
	head    func(context.Context, *slot) (format.Head, error)
	failed  func(error, subject)
	changed func()          // called when a listing of the root may have become another one
	mount   context.Context // ends with the mount

	mu       sync.Mutex
	of       map[format.BandID]string
	numbers  map[string]int
	names    []string // by number
	sampling bool
	sampled  format.BandID // the latest band at that time
}

// learn finds out where those of the bands come from of which that isn't known. What can't be read is left out.
func (h *hosts) learn(ctx context.Context, bands []*shownBand) {
	var g errgroup.Group
	g.SetLimit(headsAtOnce)
	for _, b := range bands {
		if _, known := h.host(b); known || b.slot == nil || ctx.Err() != nil {
			continue
		}
		g.Go(func() error {
			head, err := h.head(ctx, b.slot)
			if err != nil {
				h.failed(err, subject{band: b.state.ID})
				return nil
			}
			h.note(b.state.ID, head.Host)
			return nil
		})
	}
	_ = g.Wait()
}

func (h *hosts) note(id format.BandID, host string) {
	name := strings.ReplaceAll(host, "/", "_")
	if !format.ValidName(name) {
		name = "unknown"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of[id] = name
	if _, numbered := h.numbers[name]; !numbered {
		h.numbers[name] = len(h.names)
		h.names = append(h.names, name)
	}
}

func (h *hosts) host(b *shownBand) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	name, ok := h.of[b.state.ID]
	return name, ok
}

// several reports whether the bands are known to come from more than one host. It looks at the latest ones in the background,
// when there are new ones.
func (h *hosts) several(bands []*shownBand) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := map[string]bool{}
	for _, b := range bands {
		if name, ok := h.of[b.state.ID]; ok {
			known[name] = true
		}
	}
	if n := len(bands); n > 1 && !h.sampling && h.sampled != bands[n-1].state.ID && len(known) < 2 {
		h.sampling, h.sampled = true, bands[n-1].state.ID
		go h.sample(bands[max(0, n-sampleBands):])
	}
	return len(known) > 1
}

func (h *hosts) sample(bands []*shownBand) {
	h.learn(h.mount, bands)
	h.mu.Lock()
	h.sampling = false
	several := len(h.names) > 1
	h.mu.Unlock()
	if several {
		h.changed()
	}
}

// name is that of a host by its number.
func (h *hosts) name(number int) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if number >= len(h.names) {
		return "", false
	}
	return h.names[number], true
}

// numbersOf are the hosts of the bands, with their numbers.
func (h *hosts) numbersOf(bands []*shownBand) map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := map[string]int{}
	for _, b := range bands {
		if name, ok := h.of[b.state.ID]; ok {
			found[name] = h.numbers[name]
		}
	}
	return found
}

// hostsDir is by-host: a directory for each host.
type hostsDir struct{ fixedDir }

func (d hostsDir) hosts(ctx context.Context) (map[string]int, error) {
	if err := d.f.bands.refresh(ctx); err != nil {
		return nil, err
	}
	bands := d.f.bands.view().bands
	d.f.hosts.learn(ctx, bands)
	return d.f.hosts.numbersOf(bands), ctx.Err()
}

func (d hostsDir) lookup(ctx context.Context, name string) (child, error) {
	found, err := d.hosts(ctx)
	if err != nil {
		return child{}, err
	}
	number, ok := found[name]
	if !ok {
		return child{}, syscall.ENOENT
	}
	return d.f.madeDir(madeNode(hostClass, number), name), nil
}

func (d hostsDir) list(ctx context.Context, offset uint64) iter.Seq2[child, error] {
	return func(yield func(child, error) bool) {
		found, err := d.hosts(ctx)
		if err != nil {
			yield(child{}, err)
			return
		}
		byNumber := func(a, b string) int { return found[a] - found[b] }
		for _, name := range slices.SortedFunc(maps.Keys(found), byNumber) {
			c := d.f.madeDir(madeNode(hostClass, found[name]), name).at(firstOffset + uint64(found[name]))
			if c.offset > offset && !yield(c, nil) {
				return
			}
		}
	}
}

// hostDir has links to the bands of one host, and one to the latest of them.
type hostDir struct {
	fixedDir
	host string
}

func (d hostDir) parent() nodeID { return hostsID }

// bands are the complete bands of the host, by number.
func (d hostDir) bands(ctx context.Context) ([]*shownBand, error) {
	if err := d.f.bands.refresh(ctx); err != nil {
		return nil, err
	}
	all := d.f.bands.view().bands
	d.f.hosts.learn(ctx, all)
	var own []*shownBand
	for _, b := range all {
		if host, _ := d.f.hosts.host(b); host == d.host && b.slot != nil {
			own = append(own, b)
		}
	}
	return own, ctx.Err()
}

func latestOf(bands []*shownBand) *slot {
	if len(bands) == 0 {
		return nil
	}
	return slices.MaxFunc(bands, func(a, b *shownBand) int { return strings.Compare(string(a.state.ID), string(b.state.ID)) }).slot
}

func (d hostDir) lookup(ctx context.Context, name string) (child, error) {
	own, err := d.bands(ctx)
	if err != nil {
		return child{}, err
	}
	if latest := latestOf(own); name == latestName && latest != nil {
		return d.f.madeLink(latestClass, latestName, latest), nil
	}
	for _, b := range own {
		if b.name == name {
			return d.f.madeLink(memberClass, name, b.slot), nil
		}
	}
	return child{}, syscall.ENOENT
}

func (d hostDir) list(ctx context.Context, offset uint64) iter.Seq2[child, error] {
	return func(yield func(child, error) bool) {
		own, err := d.bands(ctx)
		if err != nil {
			yield(child{}, err)
			return
		}
		if latest := latestOf(own); latest != nil && offset < latestOffset {
			if !yield(d.f.madeLink(latestClass, latestName, latest).at(latestOffset), nil) {
				return
			}
		}
		for _, b := range own {
			c := d.f.madeLink(memberClass, b.name, b.slot).at(bandOffset + uint64(b.number))
			if c.offset > offset && !yield(c, nil) {
				return
			}
		}
	}
}
