package restore

import (
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/format"
)

// guarded restores a band below a directory that holds something precious, and fails the test if anything beside the
// destination has changed.
func guarded(t *testing.T, b *archive.Band, o Options, prepare func(dest, precious string)) (found map[format.Path]string, r Result, as *alarms) {
	t.Helper()
	outside := tempDir(t)
	dest, precious := outside+"/dest", outside+"/precious"
	if err := os.Mkdir(precious, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, precious+"/file", "precious")
	if prepare != nil {
		prepare(dest, precious)
	}
	before := look(t, precious)
	var told alarmtest.Alarms
	o.Alarms = &told
	r, err := Restore(t.Context(), b, dest, o)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, look(t, precious), before)
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 2 {
		t.Errorf("beside the destination: %v, %v", entries, err)
	}
	found = look(t, dest)
	if left := temporaries(found); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
	return found, r, below(told.Raised(), dest)
}

// below are alarms with the destination taken off their names.
func below(raised []alarm.Alarm, dest string) *alarms {
	as := &alarms{}
	for _, one := range raised {
		one.Filename = strings.TrimPrefix(one.Filename, dest)
		_ = as.Raise(one) // it never fails
	}
	return as
}

func TestPathsThroughSymbolicLinksOfTheBandAreRefused(t *testing.T) {
	b := open(t, tree(
		symlink("a", "../precious"), file("a/file", "hostile"), directory("a/dir"), symlink("a/dir/x", "y"), file("a/new", "hostile"),
		symlink("b", ".."), directory("b/precious"), file("b/precious/file", "hostile"), file("c", "x"), file("c/below a file", "x"),
		symlink("up", "../precious/file"), file("linked", "x", linkTo("up")), file("linked through", "x", linkTo("a/file")), node("d", format.FIFO), file("d/x", "x"),
	))
	found, r, as := guarded(t, b, Options{Overwrite: true, Delete: true}, nil)
	as.expect(t, "", "band/corrupt a", "band/corrupt b", "band/corrupt c", "band/corrupt d")
	if r.Passed != 8 {
		t.Errorf("%+v", r)
	}
	want := expected(t, b)
	for _, p := range []format.Path{"a", "b", "c", "up"} {
		if found[p] != want[p] {
			t.Errorf("%q: %s, want %s", p, found[p], want[p])
		}
	}
	for _, p := range []format.Path{"linked", "linked through"} {
		if !strings.Contains(found[p], "kind 1") || strings.Contains(found[p], "linked to") {
			t.Errorf("%q: %s", p, found[p])
		}
	}
}

func TestSymbolicLinksThatAreThereAreNotFollowed(t *testing.T) {
	b := open(t, tree(
		directory("a"), file("a/file", "hostile"), directory("b"), directory("b/sub"), file("b/sub/file", "hostile"), file("c", "hostile"), file("d", "hostile", links(2)),
		file("e", "hostile", linkTo("d")),
	))
	prepare := func(dest, precious string) {
		for _, err := range []error{
			os.MkdirAll(dest+"/b", 0o755), os.Symlink(precious, dest+"/a"), os.Symlink(precious, dest+"/b/sub"), os.Symlink(precious+"/file", dest+"/c"),
			os.Symlink(precious+"/file", dest+"/d"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, o := range []Options{{}, {Overwrite: true}, {Delete: true}, {Overwrite: true, Delete: true}} {
		found, _, _ := guarded(t, b, o, prepare)
		if o.Overwrite {
			compare(t, found, expected(t, b))
		} else if strings.Contains(found["e"], "linked to") {
			t.Error("linked to what somebody else has put there")
		}
	}
}

func TestDestinationMayBeReachedThroughSymbolicLinks(t *testing.T) {
	outside := tempDir(t)
	if err := errors.Join(os.Mkdir(outside+"/real", 0o755), os.Symlink("real", outside+"/link")); err != nil {
		t.Fatal(err)
	}
	b := open(t, tree(file("a", "x")))
	restoreAll(t, b, outside+"/link/new", Options{})
	compare(t, look(t, outside+"/real/new"), expected(t, b))
	restoreAll(t, b, outside+"/link", Options{Paths: []format.Path{"a"}})
	compare(t, map[format.Path]string{"a": look(t, outside+"/real")["a"]}, map[format.Path]string{"a": expected(t, b)["a"]})
}

func TestLinksToWhatIsNoFileOfTheBandBecomeFilesOfTheirOwn(t *testing.T) {
	b := open(t, tree(
		file("to nothing", "1", linkTo("no such path")), directory("dir"), file("to a directory", "2", linkTo("dir")), file("to itself", "3", linkTo("to itself")),
		file("later", "4", linkTo("z")), file("z", "4", links(2)), node("fifo", format.FIFO, links(2)), file("to another kind", "5", linkTo("fifo")),
		file("to the root", "6", links(2)),
	))
	found, r, as := guarded(t, b, Options{}, nil)
	as.expect(t, "")
	want := expected(t, b)
	for p := range want {
		if i := strings.Index(want[p], " linked to"); i > 0 {
			want[p] = want[p][:i]
		}
	}
	want["z"] += ` linked to "later"`
	compare(t, found, want)
	if r.Totals.Entries != int64(len(want)) {
		t.Errorf("%+v", r)
	}
}

func TestFileThatIsNotWhatItsEntrySaysIsAbsent(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 10_000)
	b := testBand{Band: archivetest.Band{SpanBytes: 50_000}, edit: func(entries []format.Entry) {
		for i := range entries {
			e := &entries[i]
			switch e.Path {
			case "hash", "big hash", "empty's hash":
				e.SHA256[0]++
			case "longer", "big longer":
				e.Size++
			case "data hash":
				e.DataSHA, e.SHA256 = e.SHA256, format.Hash{}
				e.DataSHA[31]++
			case "no hash", "big no hash":
				e.SHA256 = format.Hash{}
			case "in parent":
				e.AsInParent = true
			case "spans of another":
				e.Spans[0].Offset -= 512
			case "8 EiB":
				e.Size = math.MaxInt64
			case "8 EiB behind":
				e.Size, e.Spans[0].HoleBytes = math.MaxInt64, math.MaxInt64-int64(e.Spans[0].Bytes)
			case "8 EiB, data hash":
				e.Size, e.DataSHA, e.SHA256 = math.MaxInt64, e.SHA256, format.Hash{}
				e.DataSHA[0]++
			}
		}
	}}.open(t, tree(
		file("hash", "x"), file("big hash", big), file("empty's hash", ""), file("longer", "x"), file("big longer", big), file("data hash", "x"), file("no hash", "x"),
		file("big no hash", big), file("in parent", "x"), file("spans of another", strings.Repeat("x", 600)), file("8 EiB", "x"), file("8 EiB behind", "x"),
		file("8 EiB, data hash", "x"), file("good", big), file("link", "x", linkTo("hash")),
	))
	found, r, as := guarded(t, b, Options{}, nil)
	as.expect(t, "", "block/mismatch hash", "block/mismatch big hash", "block/mismatch empty's hash", "block/mismatch longer", "block/mismatch big longer",
		"block/mismatch data hash", "block/missing no hash", "block/missing big no hash", "block/missing in parent", "block/mismatch spans of another",
		"band/corrupt 8 EiB", "band/corrupt 8 EiB behind", "block/mismatch 8 EiB, data hash")
	want := expected(t, b)
	if len(found) != 3 || found["good"] != want["good"] || found["link"] == "" || r.Totals.Entries != 3 {
		t.Errorf("%v, %+v", found, r)
	}
}

func TestRootThatIsNoDirectoryIsRefused(t *testing.T) {
	b := open(t, tree(symlink("", "/etc"), file("a", "x")))
	found, _, as := guarded(t, b, Options{}, nil)
	as.expect(t, "", "band/corrupt ")
	if len(found) != 2 || found["a"] == "" {
		t.Error(found)
	}
}

func TestNamesTheFileSystemCannotHoldAreAlarms(t *testing.T) {
	long := strings.Repeat("n", 300)
	b := open(t, tree(
		file(format.Path(long), "x"), directory(format.Path("d"+long)), file(format.Path("d"+long+"/x"), "x"), symlink(format.Path("s"+long), "x"),
		symlink("s", strings.Repeat("t", 5000)), node(format.Path("f"+long), format.FIFO), file("linked", "x", links(2)), file(format.Path("z"+long), "x", linkTo("linked")),
		symlink("to nowhere", ""), file("good", "x"),
	))
	found, r, as := guarded(t, b, Options{}, nil)
	as.expect(t, "", "restore/unsupported /"+long, "restore/unsupported /d"+long, "restore/unsupported /s"+long, "restore/unsupported /s",
		"restore/unsupported /f"+long, "restore/unsupported /z"+long, "restore/missing /to nowhere")
	if len(found) != 3 || r.Passed != 1 {
		t.Errorf("%v, %+v", found, r)
	}
}

func TestExtendedAttributesThatCannotBeAreAlarms(t *testing.T) {
	b := open(t, tree(
		file("no namespace", "x", xattr("comment", "1")), file("no name", "x", xattr("user.", "1")), file("long", "x", xattr("user."+strings.Repeat("n", 300), "1")),
		file("huge", "x", xattr("user.x", strings.Repeat("v", 100_000))), file("NUL", "x", xattr("user.a\x00b", "1")), file("empty", "x", xattr("", "1")),
	))
	found, r, as := guarded(t, b, Options{}, nil)
	as.expect(t, "", "restore/unsupported /no namespace", "restore/unsupported /no name", "restore/unsupported /long", "restore/unsupported /huge",
		"restore/unsupported /NUL", "restore/unsupported /empty")
	if len(found) != 7 || r.Totals.Entries != 7 {
		t.Errorf("%v, %+v", found, r)
	}
}

// deep is a path of so many levels.
func deep(levels int) format.Path {
	return format.Path(strings.TrimSuffix(strings.Repeat("d/", levels), "/"))
}

func TestDeepTreesTakeFewOpenDirectories(t *testing.T) {
	const levels = 1000
	items := []archivetest.Item{directory("")}
	for i := 1; i <= levels; i++ {
		items = append(items, directory(deep(i), mtime(int64(i), 5)))
		if i%7 == 0 {
			items = append(items, file(deep(i)+"/file", "x", mtime(int64(i), 6)), directory(deep(i)+"/z", mtime(int64(i), 7)))
		}
	}
	b := testBand{Band: archivetest.Band{HunkEntries: 100}}.open(t, tree(items...))
	dest := tempDir(t) + "/dest"
	restoreAll(t, b, dest, Options{MaxOpenDirs: 4})
	compare(t, look(t, dest), expected(t, b))
	// Again, over what is there, and less of it.
	small := open(t, tree(file("d", "x")))
	restoreAll(t, small, dest, Options{Overwrite: true, Delete: true})
	compare(t, look(t, dest), expected(t, small))
}

func TestEntryWithoutItsDirectoriesIsRestoredInDirectoriesMadeForIt(t *testing.T) {
	levels := 10_000
	if testing.Short() {
		levels = 1000
	}
	lost := deep(levels)
	b := open(t, tree(file(lost, "lost"), file("good", "x"), symlink("z", "x"), file("z/x/y", "x")))
	as := &alarms{}
	dest := tempDir(t) + "/dest"
	r, err := Restore(t.Context(), b, dest, Options{Alarms: as})
	if err != nil || len(as.Raised()) != levels-1+1 || r.Passed != 1 || r.Totals.Entries != 4 {
		t.Fatalf("%v, %d alarms, %+v", err, len(as.Raised()), r)
	}
	top, err := unix.Open(dest, openDirFlags, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(top)
	fd, err := openDown(top, string(deep(levels-1)))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := lstat(fd, "d", &st); err != nil || st.Size != 4 {
		t.Error(st, err)
	}
}

func TestOneDirectoryOfManyDirectoriesKeepsFewOpen(t *testing.T) {
	items := []archivetest.Item{directory("")}
	for i := range 3000 {
		name := format.Path("d" + strings.Repeat("x", i%50) + string(rune('a'+i%26)) + strconv.Itoa(i))
		items = append(items, directory(name, mtime(int64(i), 0), mode(0o500)))
		if i%3 == 0 {
			items = append(items, file(name+"/f", "x"))
		}
	}
	b := testBand{Band: archivetest.Band{HunkEntries: 100}}.open(t, tree(items...))
	dest := tempDir(t) + "/dest"
	restoreAll(t, b, dest, Options{})
	compare(t, look(t, dest), expected(t, b))
}
