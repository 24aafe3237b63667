package restore

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dura/archive"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/memory"
)

// tree makes items in path order, the root among them.
func tree(items ...archivetest.Item) []archivetest.Item {
	if !slices.ContainsFunc(items, func(it archivetest.Item) bool { return it.Path == format.Root }) {
		items = append(items, directory(format.Root))
	}
	slices.SortStableFunc(items, func(a, b archivetest.Item) int { return format.Compare(a.Path, b.Path) })
	return items
}

type change func(*archivetest.Item)

func mode(m uint32) change { return func(it *archivetest.Item) { it.Mode = m } }
func owner(uid, gid uint32) change {
	return func(it *archivetest.Item) { it.Owner = format.Owner{UID: uid, GID: gid} }
}
func mtime(seconds int64, nanos uint32) change {
	return func(it *archivetest.Item) { it.MTime = format.Time{Seconds: seconds, Nanos: nanos} }
}
func xattr(name, value string) change {
	return func(it *archivetest.Item) {
		it.XAttrs = append(it.XAttrs, format.XAttr{Name: name, Value: []byte(value)})
	}
}
func links(n uint32) change { return func(it *archivetest.Item) { it.Links = n } }
func linkTo(p format.Path) change {
	return func(it *archivetest.Item) { it.LinkTo, it.Links = p, max(it.Links, 2) }
}

func changed(it archivetest.Item, changes []change) archivetest.Item {
	it.Owner = format.Owner{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	for _, c := range changes {
		c(&it)
	}
	return it
}

func directory(p format.Path, changes ...change) archivetest.Item {
	return changed(archivetest.Dir(p), changes)
}

func file(p format.Path, content string, changes ...change) archivetest.Item {
	return changed(archivetest.File(p, []byte(content)), changes)
}

func node(p format.Path, k format.Kind, changes ...change) archivetest.Item {
	it := archivetest.File(p, nil)
	it.Kind = k
	return changed(it, changes)
}

func symlink(p format.Path, target string, changes ...change) archivetest.Item {
	it := node(p, format.Symlink, changes...)
	it.Target, it.Mode = target, 0o777
	return it
}

// sparse is a file of parts and, behind them, a hole.
func sparse(p format.Path, parts []archivetest.Part, changes ...change) archivetest.Item {
	it := file(p, "", changes...)
	it.Content = parts
	return it
}

// testBand is a band in memory.
type testBand struct {
	archivetest.Band // sizes; the rest is set by open
	sources          []string
	incomplete       bool
	wrap             func(storage.Storage) storage.Storage
	edit             func([]format.Entry) // once their content is stored
}

func open(t testing.TB, items []archivetest.Item) *archive.Band { return testBand{}.open(t, items) }

func (tb testBand) open(t testing.TB, items []archivetest.Item) *archive.Band {
	t.Helper()
	st := archivetest.NewArchive(t)
	tb.store(t, st, items)
	return tb.reopen(t, st)
}

func (tb testBand) reopen(t testing.TB, st storage.Storage) *archive.Band {
	t.Helper()
	if tb.wrap != nil {
		st = tb.wrap(st)
	}
	a, err := archive.Open(t.Context(), st, archive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	state, err := a.FindBand(t.Context(), string(archivetest.BandID(0)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.OpenBand(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (tb testBand) store(t testing.TB, st *memory.Storage, items []archivetest.Item) {
	t.Helper()
	band := tb.Band
	band.Storage, band.ID = st, archivetest.BandID(0)
	b := archivetest.NewBand(t, band)
	entries, hunks, fences := b.Write(items)
	if tb.edit != nil {
		tb.edit(entries)
		hunks, fences = nil, nil
		for run := range slices.Chunk(entries, b.HunkEntries) {
			hunks = append(hunks, b.Hunk(run))
		}
		fences = append(fences, b.Fence(hunks))
	}
	sources := tb.sources
	if sources == nil {
		sources = []string{"."}
	}
	head := format.EncodeHead(format.Head{Archive: archivetest.ArchiveID, Band: b.ID, Started: archivetest.Time, Sources: sources})
	ctx := context.Background()
	if err := st.Delete(ctx, format.HeadName(b.ID)); err != nil {
		t.Fatal(err)
	}
	b.Put(format.HeadName(b.ID), head)
	if tb.incomplete {
		return
	}
	tail := format.Tail{Band: b.ID, Ended: archivetest.Time, HeadSHA256: format.SumBytes(head), Fences: fences}
	tail.Totals.Entries = int64(len(entries))
	b.Put(format.TailName(b.ID), format.EncodeTail(tail))
}

// alarms keeps what is raised.
type alarms struct{ alarmtest.Alarms }

// expect wants these alarms in any order, with the destination taken off their names.
func (as *alarms) expect(t testing.TB, dest string, want ...string) {
	t.Helper()
	got := alarmtest.Lines(as.Raised(), dest)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("alarms:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		for _, a := range as.Raised() {
			t.Log(a)
		}
	}
}

// restoreAll restores without an alarm.
func restoreAll(t testing.TB, b *archive.Band, dest string, o Options) Result {
	t.Helper()
	as := &alarms{}
	o.Alarms = as
	r, err := Restore(t.Context(), b, dest, o)
	if err != nil {
		t.Fatal(err)
	}
	as.expect(t, dest)
	return r
}

// look describes everything below dest, itself included.
func look(t testing.TB, dest string) map[format.Path]string {
	t.Helper()
	fd, err := unix.Open(dest, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := looker{t: t, seen: map[fileID]format.Path{}, found: map[format.Path]string{}}
	l.entry(fd, ".", format.Root)
	l.dir(fd, format.Root)
	unix.Close(fd)
	return l.found
}

type looker struct {
	t     testing.TB
	seen  map[fileID]format.Path
	found map[format.Path]string
}

// dir looks at a directory as path order has it.
func (l *looker) dir(fd int, p format.Path) {
	var names, dirs []string
	if err := readNames(fd, func(name string) error { names = append(names, name); return nil }); err != nil {
		l.t.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		if l.entry(fd, name, p.Join(name)) {
			dirs = append(dirs, name)
		}
	}
	for _, name := range dirs {
		below, err := unix.Openat(fd, name, openDirFlags, 0)
		if err != nil {
			l.t.Fatal(p.Join(name), err)
		}
		l.dir(below, p.Join(name))
		unix.Close(below)
	}
}

func (l *looker) entry(fd int, name string, p format.Path) (isDirectory bool) {
	var st unix.Stat_t
	if err := lstat(fd, name, &st); err != nil {
		l.t.Fatal(p, err)
	}
	e := format.Entry{Path: p, Mode: permOf(&st), Owner: format.Owner{UID: st.Uid, GID: st.Gid}}
	e.MTime = format.Time{Seconds: int64(st.Mtim.Sec), Nanos: uint32(st.Mtim.Nsec)}
	e.Rdev = format.DeviceNumber{Major: unix.Major(uint64(st.Rdev)), Minor: unix.Minor(uint64(st.Rdev))}
	e.Size = st.Size
	switch uint32(st.Mode) & unix.S_IFMT {
	case unix.S_IFDIR:
		e.Kind = format.Directory
	case unix.S_IFREG:
		e.Kind, e.SHA256 = format.File, l.sum(fd, name, st.Size)
	case unix.S_IFLNK:
		e.Kind = format.Symlink
		buf := make([]byte, 8192)
		n, _ := unix.Readlinkat(fd, name, buf)
		e.Target = string(buf[:n])
	case unix.S_IFIFO:
		e.Kind = format.FIFO
	case unix.S_IFSOCK:
		e.Kind = format.Socket
	case unix.S_IFCHR:
		e.Kind = format.CharDevice
	case unix.S_IFBLK:
		e.Kind = format.BlockDevice
	}
	if e.Kind != format.Directory && st.Nlink > 1 {
		if first, known := l.seen[idOf(&st)]; known {
			e.LinkTo = first
		} else {
			l.seen[idOf(&st)] = p
		}
	}
	e.XAttrs = l.xattrs(fd, name)
	l.found[p] = describe(&e)
	return e.Kind == format.Directory
}

func (l *looker) sum(fd int, name string, size int64) format.Hash {
	if size > 1<<30 {
		return format.Hash{} // sparse
	}
	at, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return format.Hash{1} // this user can't
	}
	f := os.NewFile(uintptr(at), name)
	defer f.Close()
	content := make([]byte, size)
	if _, err := f.ReadAt(content, 0); err != nil && size > 0 {
		l.t.Fatal(err)
	}
	return sha256.Sum256(content)
}

func (l *looker) xattrs(fd int, name string) []format.XAttr {
	path := fmt.Sprintf("/proc/self/fd/%d/%s", fd, name)
	buf := make([]byte, 64<<10)
	n, err := unix.Llistxattr(path, buf)
	if err != nil || n == 0 {
		return nil
	}
	var xattrs []format.XAttr
	for _, attr := range strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00") {
		value := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(path, attr, value)
		if err != nil {
			l.t.Fatal(err)
		}
		xattrs = append(xattrs, format.XAttr{Name: attr, Value: value[:n]})
	}
	slices.SortFunc(xattrs, func(a, b format.XAttr) int { return strings.Compare(a.Name, b.Name) })
	return xattrs
}

// describe gives all that a restored entry must have.
func describe(e *format.Entry) string {
	s := fmt.Sprintf("kind %d mode %04o owner %d:%d mtime %d.%09d", e.Kind, e.Mode, e.Owner.UID, e.Owner.GID, e.MTime.Seconds, e.MTime.Nanos)
	switch e.Kind {
	case format.File:
		s += fmt.Sprintf(" size %d", e.Size)
		if e.Size <= 1<<30 {
			s += " content " + e.SHA256.String()[:16]
		}
	case format.Symlink:
		s += fmt.Sprintf(" target %q", e.Target)
	case format.CharDevice, format.BlockDevice:
		s += fmt.Sprintf(" device %d:%d", e.Rdev.Major, e.Rdev.Minor)
	}
	if e.LinkTo != format.Root {
		s += fmt.Sprintf(" linked to %q", e.LinkTo)
	}
	for _, x := range e.XAttrs {
		s += fmt.Sprintf(" %s=%q", x.Name, x.Value)
	}
	return s
}

// expected describes what b has, in p alone.
func expected(t testing.TB, b *archive.Band, subtrees ...format.Path) map[format.Path]string {
	t.Helper()
	want := map[format.Path]string{}
	for e, err := range b.Subtree(context.Background(), format.Root) {
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range subtrees {
			if e.Path.Within(p) || p.Within(e.Path) {
				want[e.Path] = describe(e.Entry)
			}
		}
		if len(subtrees) == 0 {
			want[e.Path] = describe(e.Entry)
		}
	}
	return want
}

func compare(t testing.TB, got, want map[format.Path]string) {
	t.Helper()
	paths := maps.Clone(got)
	maps.Copy(paths, want)
	for _, p := range slices.SortedFunc(maps.Keys(paths), format.Compare) {
		if got[p] != want[p] {
			t.Errorf("%.80q: got %s\nwant %s", p, got[p], want[p])
		}
	}
}

// write makes a file in the destination, as somebody else did before, with another content.
func write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	past := time.Unix(1_000_000_000, 0)
	if err := os.Chtimes(name, past, past); err != nil {
		t.Fatal(err)
	}
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// temporaries lists what is left of unfinished files.
func temporaries(found map[format.Path]string) (left []format.Path) {
	for p := range found {
		if _, name := p.Split(); strings.HasPrefix(name, TempPrefix) {
			left = append(left, p)
		}
	}
	return left
}

// way is how a file gets from nowhere to its name.
type way string

const (
	unnamed  way = "unnamed files"
	overProc way = "unnamed files, named over proc"
	named    way = "named temporaries"
)

var ways = [...]way{unnamed, overProc, named}

// restoreIn restores in one way, whatever this system would take.
func restoreIn(ctx context.Context, w way, b *archive.Band, dest string, o Options) (Result, error) {
	r, err := newRun(ctx, b, dest, o.withDefaults())
	if err != nil {
		return Result{}, err
	}
	r.unnamed = r.unnamed && w != named
	r.noDirect.Store(w == overProc)
	err = r.restore(ctx)
	return r.result(), err
}
