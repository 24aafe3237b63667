package restore

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dura/archive/archivetest"
	"dura/archive/format"
)

func linked(p, to string, links uint32) *format.Entry {
	return &format.Entry{Path: format.Path(p), LinkTo: format.Path(to), Links: links, Kind: format.File}
}

func TestGroupIsForgottenWithItsLastName(t *testing.T) {
	table := newLinkTable(10)
	first := linked("a", "", 3)
	if role := table.meet(first); role != leader {
		t.Fatal(role)
	}
	table.settle(first, fileID{1, 2}, true)
	for _, e := range []*format.Entry{linked("b", "a", 3), linked("c", "a", 3)} {
		if len(table.groups) != 1 {
			t.Errorf("%d groups ahead of %s", len(table.groups), e.Path)
		}
		if role := table.meet(e); role != follower {
			t.Fatal(role)
		}
		at, id, lead, err := table.await(t.Context(), e)
		if at != "a" || id != (fileID{1, 2}) || lead || err != nil {
			t.Error(at, id, lead, err)
		}
		table.seen(e)
	}
	if len(table.groups) != 0 || len(table.leaders) != 0 {
		t.Error(table.groups, table.leaders)
	}
}

func TestGroupThatGrowsIsKept(t *testing.T) {
	table := newLinkTable(10)
	first := linked("a", "", 2)
	table.meet(first)
	table.settle(first, fileID{1, 2}, true)
	for i, links := range []uint32{3, 4, 5, 5} {
		e := linked(strconv.Itoa(i), "a", links)
		if role := table.meet(e); role != follower {
			t.Errorf("name %d: %v", i, role)
		}
		table.seen(e)
	}
	if len(table.groups) != 0 {
		t.Error(table.groups)
	}
}

func TestFurtherNameLeadsWhereTheFirstFailedOrIsNotRestored(t *testing.T) {
	table := newLinkTable(10)
	first := linked("a", "", 4)
	table.meet(first)
	table.settle(first, fileID{}, false)
	second, third := linked("b", "a", 4), linked("c", "a", 4)
	table.meet(second)
	table.meet(third)
	if _, _, lead, _ := table.await(t.Context(), second); !lead {
		t.Error("the second name does not lead")
	}
	table.settle(second, fileID{3, 4}, true)
	if at, id, lead, _ := table.await(t.Context(), third); at != "b" || id != (fileID{3, 4}) || lead {
		t.Error(at, id, lead)
	}
	elsewhere := linked("x", "not asked for", 3)
	if role := table.meet(elsewhere); role != leader {
		t.Error(role)
	}
	table.settle(elsewhere, fileID{5, 6}, true)
	if at, _, _, _ := table.await(t.Context(), linked("y", "not asked for", 3)); at != "x" {
		t.Error(at)
	}
}

func TestLinksBeyondTheLimitBecomeFilesOfTheirOwn(t *testing.T) {
	var items []archivetest.Item
	for i := range 20 {
		p := format.Path("a" + strconv.Itoa(i))
		items = append(items, file(p, "x", links(2)), file("z"+p, "x", linkTo(p)))
	}
	b := open(t, tree(items...))
	dest := tempDir(t) + "/dest"
	restoreAll(t, b, dest, Options{MaxLinkGroups: 5})
	got, links := look(t, dest), 0
	for p, want := range expected(t, b) {
		if strings.Contains(got[p], " linked to") {
			links++
			compare(t, map[format.Path]string{p: got[p]}, map[format.Path]string{p: want})
		} else if got[p] == "" {
			t.Errorf("%s is missing", p)
		}
	}
	if links != 5 {
		t.Errorf("%d links, want 5", links)
	}
}

func TestPendingGivesWhatWasAddedInOrder(t *testing.T) {
	type one struct {
		ordinal int64
		made    bool
	}
	rapid.Check(t, func(t *rapid.T) {
		var p pending
		var want []one
		next := int64(0)
		for range rapid.IntRange(0, 50).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "add") {
				next += rapid.Int64Range(1, 3).Draw(t, "gap")
				o := one{next, rapid.Bool().Draw(t, "made")}
				p.add(o.ordinal, o.made)
				want = append(want, o)
				continue
			}
			ordinal, made, ok := p.first()
			if ok != (len(want) > 0) || ok && want[0] != (one{ordinal, made}) {
				t.Fatalf("got %d %v %v of %v", ordinal, made, ok, want)
			}
			if ok {
				p.drop()
				want = want[1:]
			}
		}
	})
}

func TestPendingOfAMillionDirectoriesIsSmall(t *testing.T) {
	var p pending
	for i := range int64(1_000_000) {
		p.add(i, true)
	}
	if len(p.runs) != 1 {
		t.Errorf("%d runs", len(p.runs))
	}
}

func TestSelectionNamesWhatIsInOneOfThePaths(t *testing.T) {
	path := rapid.Custom(func(t *rapid.T) format.Path {
		return format.Path(strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "a.b", "a b", "\x01"}), 0, 4).Draw(t, "components"), "/"))
	})
	rapid.Check(t, func(t *rapid.T) {
		named := rapid.SliceOfN(path, 0, 8).Draw(t, "paths")
		s := selection{asked: apart(named)}
		for _, p := range rapid.SliceOfN(path, 1, 20).Draw(t, "asked") {
			want := false
			for _, n := range named {
				want = want || p.Within(n)
			}
			if s.names(p) != want {
				t.Fatalf("%q in %q: got %v", p, named, !want)
			}
		}
		for i, a := range s.asked {
			for j, b := range s.asked {
				if i != j && b.Within(a) {
					t.Fatalf("%q is inside %q", b, a)
				}
			}
		}
	})
}

func TestSourcesAreFoundWhereTheWriterPutsThem(t *testing.T) {
	for source, want := range map[string]format.Path{
		"/home/me": "home/me", "/": "", ".": "", "": "", "./": "", "a/../b/": "b", "../../x": "x", "..": "", "/../x": "x", "//x//y/.": "x/y", "..x": "..x",
	} {
		if got := storedPath(source); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}
