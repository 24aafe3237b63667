package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"

	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/memory"
	"dura/writer/source/sourcetest"
)

// TestModelSource holds trees, fresh and changed, to what a source promises.
func TestModelSource(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	s := shape{entries: 25, fileBytes: 1500, bulkBytes: 20_000}
	tr := &tree{host: "host", root: "/tree"}
	tr.change(0, rng, func(e *edit) { e.populate(s) })
	for round := range 5 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			sourcetest.Check(t, &walker{tree: tr, pause: func(context.Context, format.Path) error { return nil }})
		})
		tr.change(int64(round)+1, rng, func(e *edit) {
			for range 10 {
				e.mutate(s)
			}
		})
	}
}

// TestEveryKindOfEntryAndChangeComesUp counts what many trees have in common.
func TestEveryKindOfEntryAndChangeComesUp(t *testing.T) {
	kinds := map[format.Kind]int{}
	var links, holes, huge, marked, chunked int
	for seed := range uint64(200) {
		tr := &tree{}
		rng := rand.New(rand.NewPCG(seed, 1))
		s := shape{entries: 25, fileBytes: 1500, bulkBytes: 20_000}
		tr.change(0, rng, func(e *edit) { e.populate(s) })
		for moment := range int64(20) {
			tr.change(moment+1, rng, func(e *edit) { e.mutate(s) })
		}
		for p, n := range tr.current.Load().nodes {
			if p != n.entry.Path || (n.content != nil) != (n.entry.Kind == format.File) {
				t.Fatalf("%q: %+v", p, n.entry)
			}
			kinds[n.entry.Kind]++
			count := func(c *int, is bool) {
				if is {
					*c++
				}
			}
			count(&links, n.entry.Links > 1)
			count(&marked, len(n.entry.XAttrs) > 0)
			if n.content != nil {
				count(&holes, n.content.tellsHoles())
				count(&huge, n.content.size > 1<<31)
				count(&chunked, n.content.size > 1000)
			}
		}
	}
	t.Log(kinds, links, holes, huge, marked, chunked)
	if len(kinds) != 7 || min(links, holes, huge, marked, chunked) < 20 {
		t.Error("something is rare")
	}
}

// TestStorageWithoutFaultsIsLikeMemory does the same at random to a place through its clients, and to a memory storage.
func TestStorageWithoutFaultsIsLikeMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := newWorld(3, Plant{})
		if err != nil {
			t.Fatal(err)
		}
		defer w.end(errOver)
		w.faults, w.quirks = faults{}, quirks{}
		w.place = newPlace(w.quirks)
		c := w.process("test", w.trees[0])
		w.act(func() { err = likeMemory(c, memory.New(), rand.New(rand.NewPCG(1, 1))) })
		w.play()
		if err = errors.Join(err, w.failure); err != nil {
			t.Error(err)
		}
	})
}

func likeMemory(c, m storage.Storage, rng *rand.Rand) error {
	ctx := context.Background()
	for step := range 2000 {
		name := fmt.Sprintf("%c/%c.%d", 'a'+rng.IntN(3), 'a'+rng.IntN(3), rng.IntN(9))
		var one, other any
		var err, otherErr error
		switch rng.IntN(4) {
		case 0:
			data := make([]byte, rng.IntN(50))
			err, otherErr = c.Create(ctx, name, data[:len(data)/2], data[len(data)/2:]), m.Create(ctx, name, data)
		case 1:
			var a, b []byte
			offset, n := int64(rng.IntN(60)), rng.IntN(60)
			a, err = c.Read(ctx, name, offset, n)
			b, otherErr = m.Read(ctx, name, offset, n)
			if !bytes.Equal(a, b) {
				return fmt.Errorf("step %d: %q, not %q", step, a, b)
			}
		case 2:
			one, err = c.Stat(ctx, name)
			other, otherErr = m.Stat(ctx, name)
		default:
			prefix, depth := name[:rng.IntN(len(name))], storage.Depth(rng.IntN(2))
			one, other = listed(c, prefix, depth), listed(m, prefix, depth)
		}
		if fmt.Sprint(one, err) != fmt.Sprint(other, otherErr) {
			return fmt.Errorf("step %d: %v, %v, and in memory %v, %v", step, one, err, other, otherErr)
		}
	}
	return nil
}

func listed(s storage.Storage, prefix string, depth storage.Depth) (list []string) {
	for info, err := range s.List(context.Background(), prefix, depth) {
		list = append(list, fmt.Sprint(info, err))
	}
	return list
}

// TestHistoriesLeaveNothingInMemory: that they leave no goroutine is what a bubble sees to.
func TestHistoriesLeaveNothingInMemory(t *testing.T) {
	held := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	run := func(from, to uint64) {
		for seed := from; seed < to; seed++ {
			if f := Play(t, seed, Plant{}, 60); f != nil {
				t.Fatal(f)
			}
		}
	}
	run(1, 20)
	before := held()
	run(20, 60)
	if after := held(); after-before > 4<<20 {
		t.Errorf("%d bytes before 40 histories, %d behind them", before, after)
	}
}

func TestTheVersionsOfATreeDuringATime(t *testing.T) {
	tr := &tree{}
	for moment := range int64(5) {
		tr.versions = append(tr.versions, version{moment * 10, &snapshot{}})
	}
	for _, c := range []struct {
		from, to int64
		want     []int
	}{{0, 0, []int{0}}, {5, 5, []int{0}}, {5, 10, []int{0, 1}}, {10, 10, []int{1}}, {12, 35, []int{1, 2, 3}}, {99, 100, []int{4}}} {
		var want []*snapshot
		for _, i := range c.want {
			want = append(want, tr.versions[i].snapshot)
		}
		if got := tr.during(c.from, c.to); !slices.Equal(got, want) {
			t.Errorf("from %d to %d: %d versions, want %v", c.from, c.to, len(got), c.want)
		}
	}
}
