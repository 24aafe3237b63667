package plan

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dura/archive/format"
)

// times are few, so that they are equal often.
func times() *rapid.Generator[format.Time] {
	return rapid.Custom(func(t *rapid.T) format.Time {
		return format.Time{Seconds: rapid.Int64Range(-2, 2).Draw(t, "seconds"), Nanos: uint32(rapid.IntRange(0, 1).Draw(t, "nanos"))}
	})
}

func trusts() *rapid.Generator[Trust] {
	return rapid.Custom(func(t *rapid.T) Trust {
		return Trust{
			Before: times().Draw(t, "before"), IgnoreCTime: rapid.Bool().Draw(t, "ignore ctime"), IgnoreInode: rapid.Bool().Draw(t, "ignore inode"),
			ReadAll: rapid.IntRange(0, 9).Draw(t, "read all") == 0,
		}
	})
}

// entries are alike so often that any two of them may differ in one field, or in none.
func entries() *rapid.Generator[format.Entry] {
	return rapid.Custom(func(t *rapid.T) format.Entry {
		rarely := func(name string) bool { return rapid.IntRange(0, 9).Draw(t, name) == 0 }
		bit := func(name string) uint32 { return uint32(rapid.IntRange(0, 9).Draw(t, name) / 9) }
		e := format.Entry{
			Path: "a", Mode: bit("mode"), Owner: format.Owner{UID: bit("uid"), User: []string{"", "u"}[bit("user")]}, MTime: times().Draw(t, "mtime"),
			CTime: times().Draw(t, "ctime"), Size: int64(bit("size")), Device: uint64(bit("device")), Inode: uint64(bit("inode")), Links: bit("links"),
			Unstable: rarely("unstable"), AsInParent: rarely("as in parent"),
		}
		e.Kind = rapid.SampledFrom([]format.Kind{format.File, format.File, format.File, format.Directory, format.Symlink, format.CharDevice}).Draw(t, "kind")
		if rarely("linked") {
			e.LinkTo = "A"
		}
		if e.Kind == format.File && !rarely("no hash") {
			e.SHA256 = format.Hash{1}
		}
		return e
	})
}

// pairs are an entry and what the parent has of it: mostly the same, but for a field or two.
func pairs(t *rapid.T) (now, old format.Entry) {
	now, old = entries().Draw(t, "now"), entries().Draw(t, "old")
	to, from := reflect.ValueOf(&old).Elem(), reflect.ValueOf(&now).Elem()
	for i := range to.NumField() {
		if rapid.IntRange(0, 7).Draw(t, to.Type().Field(i).Name) > 0 {
			to.Field(i).Set(from.Field(i))
		}
	}
	now.SHA256, now.DataSHA, now.Unstable, now.AsInParent = format.Hash{}, format.Hash{}, false, false // no walk tells of these
	return now, old
}

// proven is whether old's content is that of now, from scratch: with each condition for itself.
func proven(trust Trust, now, old *format.Entry) bool {
	isFile := now.Kind == format.File
	changed := []format.Time{now.CTime}
	if trust.IgnoreCTime {
		changed[0] = now.MTime
	}
	return !slices.Contains([]bool{
		!trust.ReadAll,
		!old.Unstable,
		now.Kind == old.Kind,
		now.Size == old.Size,
		now.MTime == old.MTime,
		trust.IgnoreCTime || now.CTime == old.CTime,
		trust.IgnoreInode || now.Device == old.Device,
		trust.IgnoreInode || now.Inode == old.Inode,
		changed[0].Std().Before(trust.Before.Std()),
		!isFile || old.Size == 0 || old.SHA256 != format.Hash{} || old.DataSHA != format.Hash{},
		!isFile || !old.AsInParent,
	}, false)
}

func TestContentIsTakenFromTheParentWhereTheTrustSaysSo(t *testing.T) {
	seen := map[Action]int{}
	for range 20 {
		rapid.Check(t, func(t *rapid.T) {
			now, old := pairs(t)
			trust := trusts().Draw(t, "trust")
			got := trust.Decide(&now, &old, 0)
			seen[got]++
			want := Decide(&now, 0)
			switch {
			case !proven(trust, &now, &old):
			case Recorded(&now, &old):
				want = Keep
			case now.Kind == format.File && now.LinkTo == "":
				want = Refer
			}
			if got != want {
				t.Fatalf("%v, want %v", got, want)
			}
		})
	}
	if min(seen[Keep], seen[Refer], seen[Chunks]) == 0 {
		t.Errorf("something is rare: %v", seen)
	}
}

// TestMoreTrustStoresNoMore holds for files that say they changed no later than their metadata did; with a date in the future a
// file is read again by the option that goes by it.
func TestMoreTrustStoresNoMore(t *testing.T) {
	takes := func(a Action) bool { return a == Keep || a == Refer }
	rapid.Check(t, func(t *rapid.T) {
		now, old := pairs(t)
		if earlier(now.CTime, now.MTime) {
			now.MTime = now.CTime
		}
		less := trusts().Draw(t, "trust")
		more := less
		more.IgnoreCTime = less.IgnoreCTime || rapid.Bool().Draw(t, "and no ctime")
		more.IgnoreInode = less.IgnoreInode || rapid.Bool().Draw(t, "and no inode")
		more.ReadAll = less.ReadAll && rapid.Bool().Draw(t, "still read all")
		if later := times().Draw(t, "later"); earlier(less.Before, later) {
			more.Before = later
		}
		if takes(less.Decide(&now, &old, 0)) && !takes(more.Decide(&now, &old, 0)) {
			t.Fatalf("%+v takes it from the parent, and %+v does not", less, more)
		}
		all := more
		all.ReadAll = true
		if got := all.Decide(&now, &old, 0); got != Decide(&now, 0) {
			t.Fatalf("%v, though all is to be read", got)
		}
	})
}

func TestOlderThanGoesByTheTimesOfFiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, trust := entries().Draw(t, "entry"), trusts().Draw(t, "trust")
		before := trust.Before.Std()
		want := e.Kind == format.File && e.MTime.Std().Before(before) && (trust.IgnoreCTime || e.CTime.Std().Before(before))
		if got := trust.OlderThan(&e); got != want {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// TestEveryFieldOfAnEntryIsRecordedOrIsNotOfAStat changes each field of an entry: what a walk tells of must make a difference, and
// what only reading tells must make none. A field that is new to entries belongs to one of them.
func TestEveryFieldOfAnEntryIsRecordedOrIsNotOfAStat(t *testing.T) {
	told := map[string]any{
		"Path": format.Path("b"), "Kind": format.Symlink, "Mode": uint32(1), "Owner": format.Owner{Group: "g"}, "MTime": format.Time{Nanos: 1},
		"CTime": format.Time{Seconds: 1}, "Size": int64(1), "Target": "t", "Device": uint64(1), "Inode": uint64(1), "Links": uint32(2), "LinkTo": format.Path("a"),
		"Rdev": format.DeviceNumber{Minor: 1}, "Unstable": true, "AsInParent": true,
	}
	read := map[string]any{
		"SHA256": format.Hash{1}, "DataSHA": format.Hash{1}, "Spans": []format.Span{{}}, "SpanLists": []format.SpanListRef{{}}, "XAttrs": []format.XAttr{{}},
	}
	for i := range reflect.TypeFor[format.Entry]().NumField() {
		name := reflect.TypeFor[format.Entry]().Field(i).Name
		value, isTold := told[name]
		if !isTold {
			value = read[name]
		}
		if value == nil {
			t.Errorf("is %s told by a stat?", name)
			continue
		}
		now, old := format.Entry{Path: "x", Kind: format.File}, format.Entry{Path: "x", Kind: format.File}
		if !Recorded(&now, &old) {
			t.Fatal("the same is not recorded")
		}
		reflect.ValueOf(&old).Elem().Field(i).Set(reflect.ValueOf(value))
		if Recorded(&now, &old) == isTold {
			t.Errorf("%s differs, and recorded is %v", name, isTold)
		}
	}
}
