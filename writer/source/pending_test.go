package source

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestPendingIsAStackOfQueuesWhateverItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pending{spill: spill{dir: "/tmp"}, limitBytes: rapid.SampledFrom([]int64{1, 50, 200, 1000, 1 << 20}).Draw(t, "limit")}
		defer p.spill.close()
		var model [][]string
		for n := range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch {
			case len(model) == 0 || rapid.IntRange(0, 2).Draw(t, "step") == 0:
				p.push()
				var names []string
				for i := range rapid.IntRange(0, 30).Draw(t, "names") {
					name := fmt.Sprintf("%d-%0*d", n, 1+i%7, i)
					names = append(names, name)
					if err := p.add([]byte(name)); err != nil {
						t.Fatal(err)
					}
				}
				if err := p.seal(); err != nil {
					t.Fatal(err)
				}
				model = append(model, names)
			default:
				for range rapid.IntRange(1, 10).Draw(t, "taken") {
					takeOne(t, &p, &model)
				}
			}
		}
		for len(model) > 0 {
			takeOne(t, &p, &model)
		}
	})
}

// takeOne takes a name, or ends the deepest level, and compares.
func takeOne(t *rapid.T, p *pending, model *[][]string) {
	if len(*model) == 0 {
		return
	}
	top := &(*model)[len(*model)-1]
	name, more, err := p.next()
	if err != nil {
		t.Fatal(err)
	}
	if more != (len(*top) > 0) || more && string(name) != (*top)[0] {
		t.Fatalf("got %q, %v; want %q", name, more, *top)
	}
	if more {
		*top = (*top)[1:]
		return
	}
	p.pop()
	*model = (*model)[:len(*model)-1]
}

func TestPendingNamesInMemoryAreBounded(t *testing.T) {
	p := pending{spill: spill{dir: t.TempDir()}, limitBytes: 10_000}
	defer p.spill.close()
	var most int64
	for range 50 {
		p.push()
		for i := range 1000 {
			must(t, p.add(fmt.Appendf(nil, "name %d", i)))
			most = max(most, p.list.sizeBytes())
		}
		must(t, p.seal())
	}
	for len(p.levels) > 0 {
		_, more, err := p.next()
		must(t, err)
		most = max(most, p.list.sizeBytes())
		if !more {
			p.pop()
		}
	}
	if most > 12_000 {
		t.Errorf("up to %d bytes were in memory", most)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestMergeOfManyRunsIsSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOf(rapid.StringMatching(`[a-c]{1,12}`)).Draw(t, "names")
		l := lister{spill: spill{dir: "/tmp"}, limitBytes: rapid.Int64Range(1, 500).Draw(t, "limit")}
		defer l.spill.close()
		for _, name := range all {
			if l.list.sizeBytes() >= l.limitBytes {
				if err := l.spillList(); err != nil {
					t.Fatal(err)
				}
			}
			l.list.add([]byte(name), 4)
		}
		if err := l.sorted(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			name, typ, more, err := l.next()
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			if typ != 4 {
				t.Fatalf("type %d", typ)
			}
			got = append(got, string(name))
		}
		slices.Sort(all)
		if want := slices.Compact(all); !slices.Equal(got, want) {
			t.Fatalf("got %q\nwant %q", got, want)
		}
	})
}
