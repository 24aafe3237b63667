package restore

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dura/archive/archivetest"
	"dura/archive/event"
	"dura/archive/format"
)

// ordinary is a tree that any user can restore exactly.
func ordinary() []archivetest.Item {
	big := strings.Repeat("0123456789abcdef", 300_000)
	return tree(
		directory("", mode(0o750), mtime(1_500_000_000, 1)),
		file("empty", "", mtime(0, 0)),
		file("small", "content", mode(0o640), mtime(1_234_567_890, 123_456_789)),
		file("unreadable", "secret", mode(0)),
		file("writable", "x", mode(0o666)),
		file("all", "x", mode(0o777)),
		file("setuid", "x", mode(0o4755)),
		file("big", big),
		file("before 1970", "x", mtime(-1_000_000_000, 999_999_999)),
		file("strange\n\xff name", "x"),
		file("with attributes, read-only", "x", mode(0o444), xattr("user.comment", "hello"), xattr("user.empty", "")),
		symlink("dangling", "no/such/\xffthing", mtime(5, 7)),
		symlink("outside", "/etc/passwd"),
		node("fifo", format.FIFO, mode(0o622)),
		node("socket", format.Socket, mode(0o711)),
		directory("a", mode(0o1777), mtime(3, 4)), directory("a/b", mode(0o555), xattr("user.on.directory", "1")), directory("a/b/c", mode(0)),
		directory("a/empty", mode(0o500), mtime(9, 9)), directory("a/b/c2", mode(0o700)),
		file("a/z", "deep", links(3)), file("a/b/file", "x"),
		file("a/b/c/deep", "deep", linkTo("a/z"), links(3)), file("a/b/c2/again", "deep", linkTo("a/z"), links(3)),
		sparse("sparse", []archivetest.Part{{HoleBytes: 1 << 20, Data: []byte(strings.Repeat("d", 8192))}, {HoleBytes: 1 << 20, Data: []byte("end")}}),
	)
}

func TestEveryKindComesBackExactly(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		for _, w := range ways {
			t.Run(fmt.Sprintf("%d workers, %s", workers, w), func(t *testing.T) {
				items := ordinary()
				if os.Geteuid() != 0 { // what is in there can't be looked at
					items = slicesWithout(slicesWithout(items, "a/b/c"), "unreadable")
				}
				b := testBand{Band: archivetest.Band{HunkEntries: 5, FrameBytes: 64 << 10}}.open(t, items)
				dest := tempDir(t) + "/new/dest"
				as := &alarms{}
				r, err := restoreIn(t.Context(), w, b, dest, Options{Workers: workers, Alarms: as})
				if err != nil {
					t.Fatal(err)
				}
				as.expect(t, dest)
				compare(t, look(t, dest), expected(t, b))
				if want := int64(len(items)); r.Totals.Entries != want {
					t.Errorf("%d entries, want %d", r.Totals.Entries, want)
				}
			})
		}
	}
}

// slicesWithout leaves out p and what is below it, and what links there.
func slicesWithout(items []archivetest.Item, p format.Path) (kept []archivetest.Item) {
	for _, it := range items {
		if !it.Path.Within(p) && !(it.LinkTo != "" && it.LinkTo.Within(p)) {
			kept = append(kept, it)
		}
	}
	return kept
}

func TestRootRestoresOwnersDevicesAndAttributesOfAllNamespaces(t *testing.T) {
	needRoot(t)
	acl := "\x02\x00\x00\x00\x01\x00\x06\x00\xff\xff\xff\xff\x02\x00\x04\x00\xe8\x03\x00\x00\x04\x00\x04\x00\xff\xff\xff\xff\x10\x00\x04\x00\xff\xff\xff\xff\x20\x00\x04\x00\xff\xff\xff\xff"
	capability := "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	b := open(t, tree(
		directory("", owner(7, 8)),
		file("file", "x", owner(1000, 1001), mode(0o6755)),
		file("other's secret", "x", owner(1000, 0), mode(0o600)),
		file("capable", "x", owner(5, 5), mode(0o755), xattr("security.capability", capability)),
		file("trusted", "x", xattr("trusted.overlay", "\x00\x01")),
		file("listed", "x", owner(5, 5), mode(0o644), xattr("system.posix_acl_access", acl)),
		file("many", "x", links(2)), file("more", "x", linkTo("many")),
		symlink("link", "file", owner(3, 4), mtime(1, 2), xattr("trusted.on.link", "1")),
		node("char", format.CharDevice, mode(0o620), owner(0, 5), device(5, 300), xattr("trusted.on.device", "1")),
		node("block", format.BlockDevice, device(259, 1<<18)),
		node("linked device", format.CharDevice, device(1, 3), links(2)), node("second name", format.CharDevice, device(1, 3), linkTo("linked device")),
		symlink("linked link", "x", links(2)), symlink("second name of the link", "x", linkTo("linked link")),
		directory("d", owner(1000, 1000), mode(0o3770), xattr("system.posix_acl_default", acl), xattr("trusted.on.directory", "1")),
		file("d/file", "x", owner(2, 2)), directory("d/dir"), file("d/dir/file", "x"), node("d/fifo", format.FIFO), directory("d/dir2", mode(0o2755)),
		symlink("d/link", "x"),
	))
	dest := t.TempDir() + "/dest"
	restoreAll(t, b, dest, Options{})
	compare(t, look(t, dest), expected(t, b))
}

func device(major, minor uint32) change {
	return func(it *archivetest.Item) { it.Rdev = format.DeviceNumber{Major: major, Minor: minor} }
}

func TestHolesComeBackAsHoles(t *testing.T) {
	data := []byte(strings.Repeat("d", 64<<10))
	b := testBand{edit: func(entries []format.Entry) {
		for i := range entries {
			if entries[i].Path == "huge" {
				entries[i].Size, entries[i].DataSHA, entries[i].SHA256 = 1<<40, format.SumBytes(data), format.Hash{}
			}
		}
	}}.open(t, tree(
		sparse("middle", []archivetest.Part{{Data: data}, {HoleBytes: 4 << 20, Data: data}}),
		sparse("front", []archivetest.Part{{HoleBytes: 4 << 20, Data: data}}),
		sparse("nothing else", []archivetest.Part{{HoleBytes: 4 << 20}}),
		sparse("behind", []archivetest.Part{{Data: data}, {HoleBytes: 4 << 20}}),
		sparse("huge", []archivetest.Part{{Data: data}}),
	))
	dest := t.TempDir() + "/dest"
	restoreAll(t, b, dest, Options{})
	compare(t, look(t, dest), expected(t, b))
	for name, dataBytes := range map[string]int64{
		"middle": 2 * 64 << 10, "front": 64 << 10, "nothing else": 0, "behind": 64 << 10, "huge": 64 << 10,
	} {
		var st unix.Stat_t
		if err := unix.Stat(dest+"/"+name, &st); err != nil {
			t.Fatal(err)
		}
		if st.Blocks*512 > dataBytes+64<<10 {
			t.Errorf("%s takes %d bytes, and has %d of data", name, st.Blocks*512, dataBytes)
		}
	}
}

func TestTimesTheFileSystemCannotHoldAreAlarms(t *testing.T) {
	far := map[format.Path]int64{"1800": -5_364_662_400, "2400": 13_569_465_600, "first": math.MinInt64, "last": math.MaxInt64}
	items := []archivetest.Item{}
	for p, seconds := range far {
		items = append(items, file(p, "x", mtime(seconds, 1)))
	}
	b := open(t, tree(items...))
	as := &alarms{}
	dest := t.TempDir() + "/dest"
	if _, err := Restore(t.Context(), b, dest, Options{Alarms: as}); err != nil {
		t.Fatal(err)
	}
	want := expected(t, b)
	var wantAlarms []string
	for p, got := range look(t, dest) {
		if got != want[p] {
			wantAlarms = append(wantAlarms, "restore/unsupported /"+string(p))
		}
	}
	as.expect(t, dest, wantAlarms...)
}

func TestOwnersAreMappedAsAsked(t *testing.T) {
	needRoot(t)
	b := open(t, tree(file("a", "x", owner(1, 2)), file("b", "x", owner(3, 4))))
	dest := t.TempDir() + "/dest"
	restoreAll(t, b, dest, Options{Owner: func(o format.Owner) (uid, gid uint32) { return o.UID + 100, o.GID + 200 }})
	found := look(t, dest)
	for p, want := range map[format.Path]string{"": "100:200", "a": "101:202", "b": "103:204"} {
		if !strings.Contains(found[p], "owner "+want+" ") {
			t.Errorf("%q: %s, want owner %s", p, found[p], want)
		}
	}
}

func TestEventsTellOfEveryEntry(t *testing.T) {
	b := open(t, ordinary())
	done := map[string]int{}
	var last event.Progress
	var lock = make(chan struct{}, 1)
	sink := func(e event.Event) {
		lock <- struct{}{}
		defer func() { <-lock }()
		switch e := e.(type) {
		case event.EntryDone:
			done[e.Path]++
		case event.Progress:
			if e.Done.Entries > last.Done.Entries {
				last = e
			}
		}
	}
	r := restoreAll(t, b, tempDir(t)+"/dest", Options{Events: sink})
	for p := range expected(t, b) {
		if done[string(p)] != 1 {
			t.Errorf("%q was told %d times", p, done[string(p)])
		}
	}
	if int64(len(done)) != r.Totals.Entries || last.Expected.Entries != r.Totals.Entries || last.Done.Entries == 0 {
		t.Errorf("%d entries told, %+v, progress %+v", len(done), r, last)
	}
}
