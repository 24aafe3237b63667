package sourcetest

import (
	"reflect"
	"slices"
	"testing"

	"dura/archive/format"
	"dura/writer/source"
)

// checkStarts walks from some dozens of places in and between entries, which are all of src.
func checkStarts(t *testing.T, src source.Source, entries []format.Entry) {
	every := max(1, len(entries)/16)
	for i := 0; i < len(entries); i += every {
		checkStart(t, src, entries, entries[i].Path)
	}
	for _, e := range []format.Entry{entries[0], entries[len(entries)/2], entries[len(entries)-1]} {
		for _, p := range []format.Path{e.Path, e.Path.Join("\x01"), e.Path.Join("m/n"), e.Path.Join("\xff"), e.Path + "\x01"} {
			checkStart(t, src, entries, p)
		}
	}
}

func checkStart(t *testing.T, src source.Source, entries []format.Entry, p format.Path) {
	t.Helper()
	want := entries[len(entries):]
	if i := slices.IndexFunc(entries, func(e format.Entry) bool { return format.Compare(e.Path, p) > 0 }); i >= 0 {
		want = entries[i:]
	}
	var got []format.Entry
	for n, err := range src.Walk(t.Context(), source.Behind(p)) {
		if err != nil {
			t.Fatal(err)
		}
		n.Handle.Close()
		got = append(got, n.Entry)
	}
	if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("behind %q: got %d entries, or others than the last %d of the walk", p, len(got), len(want))
	}
}
