package awkward_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"dura/integration/awkward"
	"dura/integration/treecmp"
)

// TestTree looks at one tree from several sides: it takes long to make.
func TestTree(t *testing.T) {
	o := awkward.Options{
		Seed:    7,
		Without: []awkward.Feature{awkward.LongPaths}, // which cp doesn't manage
		With:    []awkward.Feature{awkward.HugeSparse}, ManyEntries: 50,
		Readable: os.Geteuid() != 0,
	}
	dir, report := makeTree(t, o)
	t.Run("every feature is made or reported", func(t *testing.T) { checkReport(t, dir, report) })
	t.Run("it holds what the report says", func(t *testing.T) { checkPromises(t, dir, report) })
	t.Run("what cp copies compares equal", func(t *testing.T) {
		if got := compare(t, dir, copyTree(t, dir, "cp", "-a"), treecmp.Options{}); len(got) > 0 {
			t.Errorf("differs in %q", got)
		}
	})
	t.Run("the same seed makes the same tree", func(t *testing.T) {
		again, reportAgain := makeTree(t, o)
		if got := compare(t, dir, again, treecmp.Options{}); len(got) > 0 {
			t.Errorf("differs in %q", got)
		}
		if report.Entries != reportAgain.Entries || !maps.Equal(report.Made, reportAgain.Made) || len(report.Skipped) != len(reportAgain.Skipped) {
			t.Errorf("reports differ: %v, %v", report, reportAgain)
		}
	})
}

func TestPreallocatedIsMadeOnDemand(t *testing.T) {
	dir, report := makeTree(t, awkward.Options{Without: allBut(awkward.Preallocated), With: awkward.Features()})
	info, err := os.Stat(filepath.Join(dir, string(awkward.Preallocated), "all"))
	if len(report.Skipped) > 0 {
		t.Skip(report.Skipped)
	}
	if err != nil || info.Size() != 1<<20 || report.Made[awkward.Preallocated] != 2 {
		t.Errorf("%v, %v, %v", info, err, report.Made)
	}
}

func TestAnotherSeedMakesAnotherTree(t *testing.T) {
	o := awkward.Options{Seed: 1, Without: allBut(awkward.ManyEntries), ManyEntries: 50}
	a, _ := makeTree(t, o)
	o.Seed = 2
	b, _ := makeTree(t, o)
	if got := compare(t, a, b, treecmp.Options{}); len(got) < 50 {
		t.Errorf("differs in %q alone", got)
	}
}

func checkReport(t *testing.T, dir string, report awkward.Report) {
	reported := map[awkward.Feature]bool{}
	for _, s := range report.Skipped {
		reported[s.Feature] = true
		if s.Err == nil {
			t.Errorf("no reason: %v", s)
		}
	}
	for _, f := range report.Absent() {
		t.Logf("nothing made of %s", f)
		if !reported[f] && f != awkward.LongPaths && f != awkward.Preallocated {
			t.Errorf("%s is neither made nor reported", f)
		}
	}
	if made := census(t, dir).entries; made != report.Entries {
		t.Errorf("%d entries reported, %d are there", report.Entries, made)
	}
}

// checkPromises holds what the builder says it made against a look at the tree that knows nothing of the builder.
func checkPromises(t *testing.T, dir string, report awkward.Report) {
	c := census(t, dir)
	for bit := uint32(1); bit <= 0o4000 && os.Geteuid() == 0; bit <<= 1 {
		if !c.fileModes[bit] || !c.dirModes[bit] {
			t.Errorf("no file or no directory with just mode %04o", bit)
		}
	}
	if !c.fileModes[0o7777] || !c.dirModes[0o7777] {
		t.Error("no mode 7777")
	}
	for _, bits := range []uint32{unix.S_IFREG, unix.S_IFDIR, unix.S_IFLNK, unix.S_IFIFO, unix.S_IFSOCK, unix.S_IFCHR} {
		if c.types[bits] == 0 || bits != unix.S_IFDIR && c.linked[bits] < 3 {
			t.Errorf("type %#o: %d entries, %d of them with several names", bits, c.types[bits], c.linked[bits])
		}
	}
	for _, bits := range []uint32{unix.S_IFREG, unix.S_IFDIR, unix.S_IFLNK, unix.S_IFIFO} {
		if !c.before1970[bits] {
			t.Errorf("type %#o: none before 1970", bits)
		}
	}
	if c.nameBytes != 254 || c.longestName != 255 || c.longestTarget != 4095 || c.deepest < 200 || c.late < 4 {
		t.Errorf("%d different bytes in names, the longest of %d; targets up to %d; %d levels; %d times past 2262",
			c.nameBytes, c.longestName, c.longestTarget, c.deepest, c.late)
	}
	if report.Made[awkward.Owners] > 0 && os.Geteuid() == 0 && (!c.uids[4294967294] || !c.gids[4294967294]) {
		t.Error("nothing belongs to 4294967294")
	}
}

func TestPathsGoBeyondWhatTheKernelTakes(t *testing.T) {
	dir, report := makeTree(t, awkward.Options{Without: allBut(awkward.LongPaths)})
	at, names := climb(t, filepath.Join(dir, string(awkward.LongPaths)))
	defer at.Close()
	if report.Entries != 1+40+27 {
		t.Errorf("%d entries reported", report.Entries)
	}
	total := 0
	for _, name := range names {
		total += len(name) + 1
	}
	if total < 7900 {
		t.Errorf("the deepest path has %d bytes", total)
	}
	if data, err := at.ReadFile("file"); err != nil || string(data) != "depth 40\n" {
		t.Errorf("at the bottom: %q, %v", data, err)
	}
}

func TestWhatIsLeftOutIsNowhere(t *testing.T) {
	plain := []awkward.Feature{
		awkward.NameOdd, awkward.Modes, awkward.Owners, awkward.Times, awkward.Fifos, awkward.Sockets, awkward.Devices, awkward.HardLinks,
		awkward.Symlinks, awkward.XattrUser, awkward.XattrTrusted, awkward.XattrSecurity, awkward.ACLs, awkward.Capabilities,
		awkward.LongPaths, awkward.Sizes,
	}
	dir, report := makeTree(t, awkward.Options{Without: plain, ManyEntries: 50})
	c := census(t, dir)
	if c.types[unix.S_IFREG]+c.types[unix.S_IFDIR] != c.entries || c.entries < 1000 || len(c.linked) > 0 || c.xattrs > 0 {
		t.Errorf("there are types %v, %d entries, links %v, %d with xattrs", c.types, c.entries, c.linked, c.xattrs)
	}
	if len(c.uids) != 1 || len(c.fileModes) > 2 || len(c.dirModes) > 1 || len(c.before1970) > 0 || c.late > 0 {
		t.Errorf("there are uids %v, modes %v and %v", c.uids, c.fileModes, c.dirModes)
	}
	for _, f := range plain {
		if report.Made[f] > 0 {
			t.Errorf("%d made of %s", report.Made[f], f)
		}
	}
	empty, report := makeTree(t, awkward.Options{Without: awkward.Features()})
	if names, err := os.ReadDir(empty); err != nil || len(names) > 0 || report.Entries > 0 {
		t.Errorf("there are %v, %v", names, err)
	}
}

func TestMakeLeavesADirectoryInUseAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := awkward.Make(dir, awkward.Options{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("there are %v, %v", names, err)
	}
	if _, err := awkward.Make(filepath.Join(dir, "mine"), awkward.Options{}); err == nil {
		t.Error("a file was taken for a directory")
	}
}

func TestRemoveLeavesNothing(t *testing.T) {
	asNobody(t) // who can't pass directories of mode 0000
	dir := filepath.Join(t.TempDir(), "tree")
	if _, err := awkward.Make(dir, awkward.Options{ManyEntries: 50, Without: []awkward.Feature{awkward.Sizes}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := awkward.Remove(dir); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	}
}

func TestReadableTreeCanBeReadByItsOwner(t *testing.T) {
	if asNobody(t) {
		return
	}
	dir, _ := makeTree(t, awkward.Options{Readable: true, ManyEntries: 50, Without: []awkward.Feature{awkward.Sizes}})
	if got := compare(t, dir, dir, treecmp.Options{}); len(got) > 0 {
		t.Errorf("differs from itself in %q", got)
	}
	closed, _ := makeTree(t, awkward.Options{Without: allBut(awkward.Modes)})
	if got := compare(t, closed, closed, treecmp.Options{}); !slices.Contains(got, "unreadable modes/dirs/000-0000") {
		t.Errorf("without Readable: %q", got)
	}
}
