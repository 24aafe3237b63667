package integration

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/format"
	"dura/writer/source/sourcetest"
)

// goldenBefore are the golden items, so many further files that they fill several hunks, and a large one.
func goldenBefore() []sourcetest.Item {
	items := append(goldenItems(), sourcetest.Dir("many"), sourcetest.Dir("old"), sourcetest.Dir("new"))
	for i := range 3500 {
		items = append(items, sourcetest.File(format.Path(fmt.Sprintf("many/%04d", i)), fmt.Sprint(i%10)))
	}
	large := sourcetest.File("old/large", "")
	large.Data = sourcetest.Random(5, 30_000)
	moves := sourcetest.File("old/moves", "This file moves.")
	goes := sourcetest.File("old/goes", "This file goes.")
	return append(items, large, moves, goes)
}

// goldenAfter are those a few hours later: some files have changed, moved, gone or come.
func goldenAfter() []sourcetest.Item {
	now := format.TimeOf(time.Date(2026, 11, 23, 20, 0, 0, 5, time.UTC))
	var items []sourcetest.Item
	for _, item := range goldenBefore() {
		e := &item.Entry
		switch e.Path {
		case "old/goes":
			continue
		case "old/moves":
			e.Path, e.CTime = "new/moved", now
		case "old", "new":
			e.MTime, e.CTime = now, now
		case "old/large":
			inserted := append([]byte("A line at its start.\n"), goldenContent(item.Data)...)
			item.Data, e.MTime, e.CTime = sourcetest.Bytes(inserted), now, now
		case "noise":
			e.Mode, e.CTime = 0o400, now
		case "text":
			item.Data, e.MTime, e.CTime = sourcetest.Bytes([]byte("Not all those who wander are lost.\n")), now, now
		}
		items = append(items, item)
	}
	return append(items, sourcetest.File("new/comes", "This file comes."))
}

// goldenContent is all of a file without holes.
func goldenContent(d *sourcetest.Data) []byte {
	content := make([]byte, d.Size)
	d.Fill(content, 0)
	return content
}

// TestTheGoldenSecondBandHasWhatChanged: it refers to the first one for hunks, and for content that it has already.
func TestTheGoldenSecondBandHasWhatChanged(t *testing.T) {
	ctx := context.Background()
	a, err := archive.Open(ctx, loadGolden(t, "v1-incremental"), archive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	bands, err := a.Bands(ctx)
	if err != nil || len(bands) != 2 {
		t.Fatal(bands, err)
	}
	first, second := bands[0].ID, bands[1].ID
	b, err := a.OpenBand(ctx, bands[1])
	if err != nil {
		t.Fatal(err)
	}
	if head, err := b.Head(ctx); err != nil || head.Parent != first {
		t.Errorf("its parent is %s, %v", head.Parent, err)
	}
	if own, others := goldenHunks(t, second); own == 0 || others == 0 {
		t.Errorf("it has %d hunks of its own, and %d of the first band", own, others)
	}
	for path, want := range map[format.Path][]format.BandID{
		"many/1700": {first}, "noise": {first}, "new/moved": {first}, "text": {second}, "new/comes": {second}, "old/large": {first, second},
	} {
		e, err := b.Lookup(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		var has []format.BandID
		for _, s := range e.Spans {
			if id := s.Frame.Block.Band; !slices.Contains(has, id) {
				has = append(has, id)
			}
		}
		if slices.Sort(has); !slices.Equal(has, want) {
			t.Errorf("the content of %q is in %s, not in %s", path, has, want)
		}
	}
}

// goldenHunks counts the hunks of a band's first fence: its own, and those of others.
func goldenHunks(t *testing.T, id format.BandID) (own, others int) {
	t.Helper()
	data := stored(t, loadGolden(t, "v1-incremental"))[format.FenceName(id, 0)]
	d, err := format.NewDecoder(1)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := d.Decode("fence", data, format.MaxIndexBytes)
	if err != nil {
		t.Fatal(err)
	}
	hunks, err := format.DecodeFence(raw)
	if err != nil {
		t.Fatal(err)
	}
	for i := range hunks {
		if hunks[i].Band == id {
			own++
		} else {
			others++
		}
	}
	return own, others
}
