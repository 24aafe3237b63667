package sim

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"dura/archive/storage"
	"dura/writer/source"
)

// through is a storage with what one may have besides.
type through struct{ storage.Storage }

// Settle implements storage.Settler.
func (s through) Settle(ctx context.Context, prefix string) error {
	return s.Storage.(storage.Settler).Settle(ctx, prefix)
}

// holding stores some objects only behind others, and says at once that it has: a writer that gets their order wrong.
type holding struct {
	through
	what, until string // ends of names
	mu          sync.Mutex
	held        map[string][]byte
}

func hold(what, until string) func(storage.Storage) storage.Storage {
	return func(inner storage.Storage) storage.Storage {
		return &holding{through: through{inner}, what: what, until: until, held: map[string][]byte{}}
	}
}

func (h *holding) Create(ctx context.Context, name string, parts ...[]byte) error {
	if strings.HasSuffix(name, h.what) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.held[name] = bytes.Join(parts, nil)
		return nil
	}
	err := h.Storage.Create(ctx, name, parts...)
	if err != nil || !strings.HasSuffix(name, h.until) {
		return err
	}
	h.mu.Lock()
	held := h.held
	h.held = map[string][]byte{}
	h.mu.Unlock()
	for _, late := range slices.Sorted(maps.Keys(held)) {
		if err := h.Storage.Create(ctx, late, held[late]); err != nil {
			return err
		}
	}
	return nil
}

// deaf takes every create for done.
type deaf struct{ through }

func (d deaf) Create(ctx context.Context, name string, parts ...[]byte) error {
	err := d.Storage.Create(ctx, name, parts...)
	if storage.Is(err, storage.KindUnavailable) || storage.Is(err, storage.KindIO) {
		return nil
	}
	return err
}

// skipping walks past one entry.
type skipping struct{ source.Source }

func (s skipping) Walk(ctx context.Context, start source.Start) iter.Seq2[source.Node, error] {
	return func(yield func(source.Node, error) bool) {
		i := 0
		for n, err := range s.Source.Walk(ctx, start) {
			if i++; i == 7 && err == nil {
				n.Handle.Close()
				continue
			}
			if !yield(n, err) {
				return
			}
		}
	}
}

// misreading changes a byte of what is read.
type misreading struct{ source.Source }

func (m misreading) Walk(ctx context.Context, start source.Start) iter.Seq2[source.Node, error] {
	return func(yield func(source.Node, error) bool) {
		for n, err := range m.Source.Walk(ctx, start) {
			if err == nil {
				n.Handle = misreadHandle{n.Handle}
			}
			if !yield(n, err) {
				return
			}
		}
	}
}

type misreadHandle struct{ source.Handle }

func (h misreadHandle) Open() (source.Content, error) {
	c, err := h.Handle.Open()
	return misreadContent{c}, err
}

type misreadContent struct{ source.Content }

func (c misreadContent) Read(p []byte) (int, error) {
	n, err := c.Content.Read(p)
	if n > 200 {
		p[200] ^= 1
	}
	return n, err
}

// remembering lists what it has seen, whether it is still there or not.
type remembering struct {
	through
	seen *sync.Map // names to storage.Info
}

func (r remembering) List(ctx context.Context, prefix string, depth storage.Depth) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		for info, err := range r.Storage.List(ctx, "", storage.Deep) {
			if err != nil {
				yield(info, err)
				return
			}
			r.seen.Store(info.Name, info)
		}
		var all []storage.Info
		r.seen.Range(func(_, info any) bool {
			all = append(all, info.(storage.Info))
			return true
		})
		slices.SortFunc(all, func(a, b storage.Info) int { return strings.Compare(a.Name, b.Name) })
		for _, info := range all {
			rest, ok := strings.CutPrefix(info.Name, prefix)
			if ok && (depth == storage.Deep || !strings.Contains(rest, "/")) && !yield(info, nil) {
				return
			}
		}
	}
}

func remember() Plant {
	seen := &sync.Map{}
	return Plant{Storage: func(inner storage.Storage) storage.Storage { return remembering{through{inner}, seen} }}
}

func around(wrap func(storage.Storage) storage.Storage) func() Plant {
	return func() Plant { return Plant{Storage: wrap} }
}

func reading(wrap func(source.Source) source.Source) func() Plant {
	return func() Plant { return Plant{Source: wrap} }
}

// TestPlantedBugsAreFound plants bugs, each so that its cause can be seen and again so that only its outcome can.
func TestPlantedBugsAreFound(t *testing.T) {
	for _, planted := range []struct {
		name  string
		plant func() Plant
		seeds [2]uint64 // within which it is found, watched and unwatched
	}{
		{"the tail comes ahead of a fence", around(hold(".fence.zst", ".tail")), [2]uint64{20, 300}},
		{"a fence comes ahead of a hunk", around(hold("000000.hunk.zst", ".fence.zst")), [2]uint64{20, 300}},
		{"a hunk comes ahead of a block", around(hold(".tar.zst", ".hunk.zst")), [2]uint64{20, 300}},
		{"what failed is taken for done", around(func(s storage.Storage) storage.Storage { return deaf{through{s}} }), [2]uint64{20, 100}},
		{"the fsync is forgotten", func() Plant { return Plant{Forgetful: true} }, [2]uint64{20, 300}},
		{"a create overwrites", func() Plant { return Plant{Overwrites: true} }, [2]uint64{300, 600}},
		{"what there was is taken for what there is", remember, [2]uint64{300, 600}},
		{"an entry is left out", reading(func(s source.Source) source.Source { return skipping{s} }), [2]uint64{20, 20}},
		{"a byte is misread", reading(func(s source.Source) source.Source { return misreading{s} }), [2]uint64{20, 20}},
	} {
		for i, watched := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, watched %v", planted.name, watched), func(t *testing.T) {
				t.Parallel()
				for seed := uint64(1); seed <= planted.seeds[i]; seed++ {
					plant := planted.plant()
					plant.Unwatched = !watched
					if f := Play(t, seed, plant, 1); f != nil {
						t.Logf("seed %d: %.200s", seed, f.Err)
						return
					}
				}
				t.Errorf("%d histories do not show it", planted.seeds[i])
			})
		}
	}
}

// TestAFailingSeedReplays plays a history that fails again: it is the same to the last event.
func TestAFailingSeedReplays(t *testing.T) {
	plant := Plant{Storage: hold(".fence.zst", ".tail"), Unwatched: true}
	var first *Failure
	for seed := uint64(1); first == nil; seed++ {
		first = Play(t, seed, plant, 0)
	}
	if !strings.Contains(first.Error(), fmt.Sprintf("-sim.seed=%d", first.Seed)) || !strings.Contains(first.Events, ".tail") {
		t.Errorf("it does not say how to play it again, or what happened: %.2000s", first.Error())
	}
	for range 5 {
		if again := Play(t, first.Seed, plant, 0); again == nil || again.Error() != first.Error() {
			t.Fatalf("%s", firstDifference(first.Error(), fmt.Sprint(again)))
		}
	}
}

func TestAHistoryIsAFunctionOfItsSeed(t *testing.T) {
	for seed := uint64(1); seed <= 40; seed++ {
		one, err := play(t, seed, Plant{})
		if err != nil {
			t.Fatal(seed, err)
		}
		two, err := play(t, seed, Plant{})
		if err != nil {
			t.Fatal(seed, err)
		}
		if a, b := one.traced(0), two.traced(0); a != b {
			t.Fatalf("seed %d:\n%s", seed, firstDifference(a, b))
		}
	}
}

// firstDifference is where two texts part, with some of what comes before.
func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	at := 0
	for at < min(len(as), len(bs)) && as[at] == bs[at] {
		at++
	}
	from := max(0, at-10)
	return strings.Join(as[from:min(at+3, len(as))], "\n") + "\n\nand again:\n" + strings.Join(bs[from:min(at+3, len(bs))], "\n")
}
