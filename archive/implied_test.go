package archive_test

import (
	"fmt"
	"slices"
	"testing"

	"dura/archive"
	"dura/archive/archivetest"
	"dura/archive/format"
)

func TestImpliedFindsDirectoriesByWhatIsBelow(t *testing.T) {
	files := map[string]string{"a/x": "", "a-b/c/d/e": "", "b": "", "b\xff/y": "", "c/": ""}
	for i := range 50 {
		files[fmt.Sprintf("m/%02d/f", i)] = ""
	}
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 3}).Complete(archivetest.Tree(files))
	for _, lost := range []string{"", format.HunkName(archivetest.BandID(0), 0), format.HunkName(archivetest.BandID(0), 1)} {
		if lost != "" {
			if err := st.Delete(t.Context(), lost); err != nil {
				t.Fatal(err)
			}
		}
		b := openBand(t, st, 0, archive.Options{})
		if got := slices.Collect(b.Implied(t.Context(), format.Root, "")); !slices.Equal(got, []string{"a", "a-b", "b\xff", "m"}) {
			t.Errorf("%s: %q", lost, got)
		}
		if got := slices.Collect(b.Implied(t.Context(), "m", "20")); len(got) != 29 || got[0] != "21" {
			t.Errorf("%s: %q", lost, got)
		}
		if !b.IsImplied(t.Context(), "a-b/c") || b.IsImplied(t.Context(), "b") || b.IsImplied(t.Context(), "c") || b.IsImplied(t.Context(), "a-b/c/d/e") {
			t.Errorf("%s: what is implied is not what stands above something", lost)
		}
	}
}
