package compare_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dura/archive/archivetest"
	"dura/archive/compare"
	"dura/archive/format"
)

// TestCountsAreThoseOfAModel compares random trees in hunks of random size with a walk over two maps.
func TestCountsAreThoseOfAModel(t *testing.T) {
	type file struct {
		content string
		seconds int64
	}
	rapid.Check(t, func(r *rapid.T) {
		var trees [2]map[format.Path]file
		for s := range trees {
			trees[s] = map[format.Path]file{}
			for range rapid.IntRange(0, 25).Draw(r, "files") {
				path := format.Path(fmt.Sprintf("f%02d", rapid.IntRange(0, 30).Draw(r, "name")))
				trees[s][path] = file{rapid.SampledFrom([]string{"", "a", "b", "long"}).Draw(r, "content"), rapid.Int64Range(1, 2).Draw(r, "seconds")}
			}
		}
		var want compare.Result
		var wrong []string
		want.Entries = 1 // the root
		for path, h := range trees[0] {
			o, both := trees[1][path]
			switch {
			case !both:
				want.EntriesOnlyHere++
				continue
			case h.content == o.content:
			case len(h.content) == len(o.content) && h.seconds == o.seconds:
				want.Differing++
				wrong = append(wrong, string(path))
			default:
				want.Changed++
			}
			want.Entries++
			want.Files++
		}
		want.EntriesOnlyThere = int64(len(trees[1])) - want.Files

		var stored [2]*archivetest.Band
		for s, tree := range trees {
			items := []archivetest.Item{archivetest.Dir("")}
			for _, path := range slices.SortedFunc(maps.Keys(tree), format.Compare) {
				it := archivetest.File(path, []byte(tree[path].content))
				it.MTime.Seconds = tree[path].seconds
				items = append(items, it)
			}
			stored[s] = archivetest.NewBand(t, archivetest.Band{
				Storage: archivetest.NewArchive(t), ID: archivetest.BandID(s), HunkEntries: rapid.IntRange(1, 9).Draw(r, "a hunk"), FenceHunks: rapid.IntRange(1, 4).Draw(r, "a fence"),
			})
			stored[s].Complete(items)
		}
		got, raised := mustRun(t, compare.Contents, stored[0].Storage, stored[1].Storage, compare.Options{})
		want.Bands, want.Pairs = 1, nil
		got.Pairs = nil
		if fmt.Sprint(got) != fmt.Sprint(want) {
			r.Fatalf("%+v, not %+v", got, want)
		}
		for _, path := range wrong {
			if len(raised.of(path)) != 1 {
				r.Fatalf("%s: %q", path, raised.texts())
			}
		}
	})
}
