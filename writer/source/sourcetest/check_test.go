package sourcetest

import (
	"bytes"
	"slices"
	"testing"

	"dura/archive/format"
	"dura/writer/source"
)

func TestCheckFindsWhatIsWrongWithANode(t *testing.T) {
	node := Item{Entry: entry("a", format.File, 0o644)}.node()
	if found := problems(&node); found != nil {
		t.Fatalf("an ordinary node: %q", found)
	}
	for want, spoil := range map[string]func(n *source.Node){
		"the path is not valid":             func(n *source.Node) { n.Entry.Path = "../a" },
		"the kind is unknown":               func(n *source.Node) { n.Entry.Kind = 8 },
		"the mode has strange bits":         func(n *source.Node) { n.Entry.Mode = 0o100644 },
		"mtime has too many nanoseconds":    func(n *source.Node) { n.Entry.MTime.Nanos = 1e9 },
		"only a file has a size":            func(n *source.Node) { n.Entry.Kind, n.Entry.Size = format.FIFO, 1 },
		"a link has a target, others don't": func(n *source.Node) { n.Entry.Kind = format.Symlink },
		"one link is none":                  func(n *source.Node) { n.Entry.Links = 1 },
		"a directory counts no links":       func(n *source.Node) { n.Entry.Kind, n.Entry.Links = format.Directory, 2 },
		"the walk tells no xattrs":          func(n *source.Node) { n.Entry.XAttrs = []format.XAttr{} },
	} {
		spoiled := node
		spoil(&spoiled)
		if found := problems(&spoiled); !slices.Contains(found, want) {
			t.Errorf("found %q, not %q", found, want)
		}
	}
}

func TestCheckFindsDataThatIsNotInTheRuns(t *testing.T) {
	whole := bytes.Repeat([]byte("x"), 100)
	for name, runs := range map[string][]Run{
		"a run is missing": {{0, 50}},
		"too short":        {{0, 50}, {51, 100}},
	} {
		it := File("a", string(whole))
		it.Data = it.Data.Holes(runs...)
		if err := checkRuns(whole, &content{item: it}); err == nil {
			t.Errorf("%s: nothing was found", name)
		}
	}
	if err := checkRuns(whole, &content{item: File("a", string(whole))}); err != nil {
		t.Error(err)
	}
}

func TestCheckFindsXAttrsOutOfOrder(t *testing.T) {
	it := Dir("a")
	it.Entry.XAttrs = []format.XAttr{{Name: "user.b"}, {Name: "user.a"}}
	if err := checkHandle(it.node()); err == nil {
		t.Error("nothing was found")
	}
}
