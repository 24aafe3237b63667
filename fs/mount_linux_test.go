package fs_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/fs"
)

func TestMountShowsADirectoryForEachCompleteBand(t *testing.T) {
	st := archivetest.NewArchive(t)
	newBand(t, st, 0).Complete(archivetest.Tree(map[string]string{"a": "first"}))
	newBand(t, st, 1).Complete(archivetest.Tree(map[string]string{"a": "second"}))
	m := mountStorage(t, st, fs.Options{})

	first, second := string(archivetest.BandID(0)), string(archivetest.BandID(1))
	if got, want := m.run("ls", "-A", m.dir), first+"\n"+second+"\nlatest\n"; got != want {
		t.Errorf("the mount has\n%s, want\n%s", got, want)
	}
	if got := m.run("readlink", m.path("latest")); got != second+"\n" {
		t.Errorf("latest leads to %s", got)
	}
	at := archivetest.BandID(1).Time().Unix()
	want := fmt.Sprintf("mode 40555 nlink 1 uid %d gid %d size 0 blocks 0 rdev 0:0 mtime %d.000000000 ctime %d.000000000 target \"\"\n",
		mounter.UID, mounter.GID, at, at)
	if got := m.client("stat", m.path(second)); got != want {
		t.Errorf("the band's directory has\n%s, want\n%s", got, want)
	}
	for path, want := range map[string]string{first + "/a": "first", second + "/a": "second", "latest/a": "second"} {
		if got := m.run("cat", m.path(path)); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestIncompleteBandIsMarkedAndGrows(t *testing.T) {
	st := archivetest.NewArchive(t)
	newBand(t, st, 0).Complete(archivetest.Tree(map[string]string{"a": "first"}))
	items := archivetest.Tree(manyFiles(100))
	b := newBand(t, st, 1)
	entries, _, fences := b.Write(items[:50])
	clock := &clock{now: archivetest.Time}
	m := mountStorage(t, st, fs.Options{Refresh: time.Millisecond, Now: clock.time})
	name := string(archivetest.BandID(1)) + ".incomplete"
	if got, want := m.run("ls", "-A", m.dir), string(archivetest.BandID(0))+"\n"+name+"\nlatest\n"; got != want {
		t.Errorf("the mount has\n%s, want\n%s", got, want)
	}
	count := func() int { return strings.Count(m.run("find", m.path(name)), "\n") }
	if got := count(); got != len(entries) {
		t.Errorf("the incomplete band shows %d entries of %d", got, len(entries))
	}
	if got := m.run("getfattr", "--absolute-names", "--only-values", "-n", "user.dura.state", m.path(name)); got != "incomplete" {
		t.Errorf("its state is %q", got)
	}
	if got := m.run("readlink", m.path("latest")); got != string(archivetest.BandID(0))+"\n" {
		t.Errorf("latest leads to %s", got)
	}

	_, _, more := b.Write(items[50:])
	clock.add(time.Minute)
	eventually(t, func() bool { return count() == len(items) })

	b.Tail(append(fences, more...))
	clock.add(time.Minute)
	eventually(t, func() bool { return strings.Contains(m.client("list", m.dir), `"`+string(archivetest.BandID(1))+`"`) })
	if out, err := exec.Command("ls", m.path(name)).CombinedOutput(); err == nil {
		t.Errorf("what was the incomplete band is there: %s", out)
	}
}

func TestBandsAreShownByHost(t *testing.T) {
	st := archivetest.NewArchive(t)
	for n := range 3 {
		newBand(t, st, n).Complete(archivetest.Tree(map[string]string{"a": fmt.Sprint(n)}))
	}
	m := mountStorage(t, st, fs.Options{Refresh: time.Millisecond})
	if got := m.run("ls", m.path("by-host")); got != "host\n" {
		t.Errorf("the hosts are %q", got)
	}
	if got := m.run("cat", m.path("by-host/host", string(archivetest.BandID(1)), "a"), m.path("by-host/host/latest/a")); got != "12" {
		t.Errorf("the files of the host's bands are %q", got)
	}
	time.Sleep(20 * time.Millisecond) // for the hosts to be looked at
	if got := m.client("list", m.dir); strings.Contains(got, "by-host") {
		t.Errorf("with one host the mount has\n%s", got)
	}
	putEmptyBand(t, st, archivetest.BandID(3), "other")
	eventually(t, func() bool { return strings.Contains(m.client("list", m.dir), "by-host") })
	if got := m.run("ls", m.path("by-host")); got != "host\nother\n" {
		t.Errorf("the hosts are %q", got)
	}
}

// putEmptyBand stores a band without entries.
func putEmptyBand(t *testing.T, st storage.Storage, id format.BandID, host string) {
	t.Helper()
	head := format.EncodeHead(format.Head{Archive: archivetest.ArchiveID, Band: id, Started: id.Time(), Host: host})
	tail := format.EncodeTail(format.Tail{Band: id, Ended: id.Time(), HeadSHA256: format.SumBytes(head)})
	for name, text := range map[string][]byte{format.HeadName(id): head, format.TailName(id): tail} {
		if err := st.Create(t.Context(), name, text); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMountFollowsTheArchive(t *testing.T) {
	const refresh = 50 * time.Millisecond
	st := archivetest.NewArchive(t)
	newBand(t, st, 0).Complete(archivetest.Tree(map[string]string{"a": "first"}))
	m := mountStorage(t, st, fs.Options{Refresh: refresh})
	first, second := string(archivetest.BandID(0)), string(archivetest.BandID(1))
	names := func() string { return m.client("list", m.dir) }
	if got := names(); !strings.Contains(got, first) || strings.Contains(got, second) {
		t.Fatalf("the mount has\n%s", got)
	}
	if got := m.run("cat", m.path("latest/a")); got != "first" {
		t.Fatalf("latest/a is %q", got)
	}

	newBand(t, st, 1).Complete(archivetest.Tree(map[string]string{"a": "second"}))
	eventually(t, func() bool { return strings.Contains(names(), second) })
	eventually(t, func() bool { return m.run("cat", m.path("latest/a")) == "second" })
	if got := m.run("cat", m.path(first, "a")); got != "first" {
		t.Errorf("%s/a is %q", first, got)
	}

	if err := st.Create(t.Context(), format.DeletedName(archivetest.BandID(0))); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return !strings.Contains(names(), first) })
	eventually(t, func() bool { return exec.Command("ls", m.path(first)).Run() != nil })
}

// eventually waits for something that takes at most a few refreshes.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if holds() {
			return
		}
	}
	t.Fatal("it did not happen")
}

func TestMountShowsOneBandAlone(t *testing.T) {
	st := archivetest.NewArchive(t)
	top := item(format.Root, format.Directory, func(e *format.Entry) { e.Mode = 0o710 })
	for n := range 2 {
		newBand(t, st, n).Complete([]archivetest.Item{
			top, archivetest.Dir("home"), archivetest.Dir("home/me"), archivetest.File("home/me/a", []byte{byte('0' + n)}),
		})
	}
	m := mountStorage(t, st, fs.Options{Band: "latest~1"})
	if got := m.run("ls", "-A", m.dir); got != "home\n" {
		t.Errorf("the mount has %q", got)
	}
	at := archivetest.Time.Unix()
	want := fmt.Sprintf("mode 40710 nlink 1 uid 1000 gid 1000 size 0 blocks 0 rdev 0:0 mtime %d.000000000 ctime %d.000000000 target \"\"\n", at, at)
	if got := m.client("stat", m.dir); got != want {
		t.Errorf("the root is\n%s, want\n%s", got, want)
	}
	if got := m.run("cat", m.path("home/me/a")); got != "0" {
		t.Errorf("the file is %q", got)
	}

	m = mountStorage(t, st, fs.Options{Subtree: "home/me"})
	if got := m.run("cat", m.path("latest/a")); got != "1" {
		t.Errorf("the file of the subtree is %q", got)
	}
	m = mountStorage(t, st, fs.Options{Subtree: "home/me", Band: "latest"})
	if got := m.run("cat", m.path("a")); got != "1" {
		t.Errorf("the file of the subtree of one band is %q", got)
	}
}

func TestMountShowsEveryAttribute(t *testing.T) {
	times := func(e *format.Entry, m, c format.Time) { e.MTime, e.CTime = m, c }
	items := []archivetest.Item{
		archivetest.Dir(format.Root),
		item("block", format.BlockDevice, func(e *format.Entry) { e.Rdev = format.DeviceNumber{Major: 259, Minor: 70000} }),
		item("char", format.CharDevice, func(e *format.Entry) { e.Rdev = format.DeviceNumber{Major: 4095, Minor: 1<<20 - 1} }),
		item("dir", format.Directory, func(e *format.Entry) { e.Mode = 0o7777 }),
		item("fifo", format.FIFO, func(e *format.Entry) {
			e.Mode = 0
			times(e, format.Time{Seconds: -1, Nanos: 1}, format.Time{Seconds: -1 << 36, Nanos: 999_999_999})
		}),
		item("file", format.File, func(e *format.Entry) {
			e.Mode = 0o4751
			e.Owner = format.Owner{UID: 4294967294, GID: 70000}
			times(e, format.Time{Seconds: 1 << 40, Nanos: 123_456_789}, format.Time{Seconds: 9_300_000_000})
		}),
		item("link", format.Symlink, func(e *format.Entry) { e.Mode, e.Target = 0o777, "\xff somewhere\n" }),
		item("socket", format.Socket, nil),
	}
	items[5].Content = []archivetest.Part{{HoleBytes: 1 << 20, Data: make([]byte, 1000)}, {HoleBytes: 5, Data: make([]byte, 513)}}
	m := mountStorage(t, oneBand(t, items), fs.Options{Band: "latest"})
	at := fmt.Sprint(archivetest.Time.Unix(), ".000000000")
	for name, want := range map[string]string{
		"block":  "mode 60755 nlink 1 uid 1000 gid 1000 size 0 blocks 0 rdev 259:70000 mtime " + at + " ctime " + at + ` target ""`,
		"char":   "mode 20755 nlink 1 uid 1000 gid 1000 size 0 blocks 0 rdev 4095:1048575 mtime " + at + " ctime " + at + ` target ""`,
		"dir":    "mode 47777 nlink 1 uid 1000 gid 1000 size 0 blocks 0 rdev 0:0 mtime " + at + " ctime " + at + ` target ""`,
		"fifo":   `mode 10000 nlink 1 uid 1000 gid 1000 size 0 blocks 0 rdev 0:0 mtime -1.000000001 ctime -68719476736.999999999 target ""`,
		"file":   `mode 104751 nlink 1 uid 4294967294 gid 70000 size 1050094 blocks 3 rdev 0:0 mtime 1099511627776.123456789 ctime 9300000000.000000000 target ""`,
		"link":   "mode 120777 nlink 1 uid 1000 gid 1000 size 12 blocks 0 rdev 0:0 mtime " + at + " ctime " + at + ` target "\xff somewhere\n"`,
		"socket": "mode 140755 nlink 1 uid 1000 gid 1000 size 0 blocks 0 rdev 0:0 mtime " + at + " ctime " + at + ` target ""`,
	} {
		if got := m.client("stat", m.path(name)); got != want+"\n" {
			t.Errorf("%s has\n%s, want\n%s", name, got, want)
		}
	}
}

func TestMountGivesEverythingToWhomItIsTold(t *testing.T) {
	uid, gid := uint32(5), uint32(6)
	m := mountStorage(t, oneBand(t, archivetest.Tree(map[string]string{"d/f": "x"})), fs.Options{UID: &uid, GID: &gid})
	if got := m.run("find", m.path("latest")+"/", "-mindepth", "1", "-printf", "%U:%G %P\n"); got != "5:6 d\n5:6 d/f\n" {
		t.Errorf("it shows\n%s", got)
	}
}

func TestHardLinksAreOneFile(t *testing.T) {
	linked := func(p, to format.Path) archivetest.Item {
		it := archivetest.File(p, []byte("content"))
		it.Links, it.LinkTo, it.Device, it.Inode = 3, to, 1, 2
		return it
	}
	m := mountStorage(t, oneBand(t, []archivetest.Item{
		archivetest.Dir(format.Root), linked("a", ""), archivetest.Dir("d"), linked("z", "a"), linked("d/b", "a"),
	}), fs.Options{Band: "latest"})
	inodes := strings.Fields(m.run("stat", "-c", "%i:%h", m.path("a"), m.path("z"), m.path("d/b")))
	if slices.Sort(inodes); len(slices.Compact(inodes)) != 1 || !strings.HasSuffix(inodes[0], ":3") {
		t.Errorf("the links are %q", inodes)
	}
	var listed []string
	for _, dir := range []string{m.dir, m.path("d")} {
		for line := range strings.Lines(m.client("list", dir)) {
			if fields := strings.Fields(line); fields[1] == "8" {
				listed = append(listed, fields[2])
			}
		}
	}
	if len(listed) != 3 || listed[0] != listed[1] || listed[1] != listed[2] || !strings.HasPrefix(inodes[0], listed[0]+":") {
		t.Errorf("listings have the inodes %q, stat %q", listed, inodes)
	}
}

func TestExtendedAttributesAreThere(t *testing.T) {
	acl := []byte("\x02\x00\x00\x00\x01\x00\x06\x00\xff\xff\xff\xff\x02\x00\x04\x00\x05\x00\x00\x00" +
		"\x04\x00\x04\x00\xff\xff\xff\xff\x10\x00\x04\x00\xff\xff\xff\xff\x20\x00\x00\x00\xff\xff\xff\xff")
	capability := append([]byte{1, 0, 0, 2}, make([]byte, 16)...)
	file := archivetest.File("f", []byte("content"))
	file.XAttrs = []format.XAttr{
		{Name: "security.capability", Value: capability}, {Name: "system.posix_acl_access", Value: acl},
		{Name: "trusted.t", Value: []byte{0, 0xff}}, {Name: "user.empty"}, {Name: "user.large", Value: make([]byte, 60_000)},
	}
	m := mountStorage(t, oneBand(t, []archivetest.Item{archivetest.Dir(format.Root), file}), fs.Options{Band: "latest"})
	got := m.run("getfattr", "--absolute-names", "-h", "-d", "-m", "-", "-e", "hex", m.path("f"))
	want := "# file: " + m.path("f") + "\n"
	for _, x := range file.XAttrs {
		want += fmt.Sprintf("%s=0x%x\n", x.Name, x.Value)
	}
	if got != want+"\n" {
		t.Errorf("getfattr prints\n%.500s, want\n%.500s", got, want)
	}
	if got := m.run("getfacl", "-c", "--absolute-names", "-n", m.path("f")); !strings.Contains(got, "user:5:r--\n") {
		t.Errorf("getfacl prints\n%s", got)
	}
	for name, want := range map[string]string{
		"user.dura.band": string(archivetest.BandID(0)), "user.dura.state": "complete",
		"user.dura.sha256": format.SumBytes([]byte("content")).String(),
	} {
		if got := m.run("getfattr", "--absolute-names", "--only-values", "-n", name, m.path("f")); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestAddedAttributesAreListedForWhoAsks(t *testing.T) {
	file := archivetest.File("f", []byte("content"))
	file.XAttrs = []format.XAttr{{Name: "user.own"}}
	m := mountStorage(t, oneBand(t, []archivetest.Item{archivetest.Dir(format.Root), archivetest.Dir("d"), file}), fs.Options{ListAdded: true})
	names := func(path string) string {
		return m.run("getfattr", "--absolute-names", "-h", "-m", "-", path)
	}
	if got := names(m.path("latest/f")); !strings.HasSuffix(got, "\nuser.dura.band\nuser.dura.sha256\nuser.dura.state\nuser.own\n\n") {
		t.Errorf("a file has\n%s", got)
	}
	if got := names(m.path("latest/d")); !strings.HasSuffix(got, "\nuser.dura.band\nuser.dura.state\n\n") {
		t.Errorf("a directory has\n%s", got)
	}
}

func TestContentIsReadInAnyWay(t *testing.T) {
	large := noise(9<<20 + 123)
	sparse := archivetest.File("sparse", nil)
	data := [][2]int64{{1 << 20, 2 << 20}, {5 << 20, 5<<20 + 1}, {5<<20 + 70_000, 6 << 20}}
	var at int64
	whole := make([]byte, 7<<20)
	for _, run := range data {
		sparse.Content = append(sparse.Content, archivetest.Part{HoleBytes: run[0] - at, Data: large[run[0]:run[1]]})
		copy(whole[run[0]:], large[run[0]:run[1]])
		at = run[1]
	}
	sparse.Content = append(sparse.Content, archivetest.Part{HoleBytes: int64(len(whole)) - at})
	items := []archivetest.Item{
		archivetest.Dir(format.Root), archivetest.File("empty", nil), archivetest.File("large", large), sparse,
	}
	for _, b := range []archivetest.Band{{}, {SpansInline: 3}, {SpansInline: 3, BareLists: true}} { // with span lists, too
		st := archivetest.NewArchive(t)
		b.Storage, b.ID, b.SpanBytes = st, archivetest.BandID(0), 700_001
		archivetest.NewBand(t, b).Complete(items)
		m := mountStorage(t, st, fs.Options{Band: "latest"})
		for name, want := range map[string][]byte{"empty": {}, "large": large, "sparse": whole} {
			checkContent(t, m, m.path(name), want)
		}
		var runs string
		for _, run := range data {
			runs += fmt.Sprintf("%d-%d\n", run[0], run[1])
		}
		if got := m.client("seek", m.path("sparse")); got != runs {
			t.Errorf("the sparse file has data at\n%s, want\n%s", got, runs)
		}
		blocks := m.run("stat", "-c", "%b", m.path("sparse"))
		if want := fmt.Sprintln((1<<20 + 1 + 1<<20 - 70_000 + 511) / 512); blocks != want {
			t.Errorf("the sparse file has %s blocks, want %s", blocks, want)
		}
	}
}

func checkContent(t *testing.T, m *mount, path string, want []byte) {
	t.Helper()
	if got := m.client("read", path, "0", fmt.Sprint(len(want)), "1000003"); got != string(want) {
		t.Errorf("%s is not read as it was stored", path)
	}
	if len(want) == 0 {
		return
	}
	if got := m.client("map", path); got != string(want) {
		t.Errorf("%s is not mapped as it was stored", path)
	}
	r := rand.New(rand.NewPCG(1, 2))
	ranges := []string{path}
	var all []byte
	for range 20 {
		from := r.IntN(len(want))
		to := min(len(want), from+r.IntN(100_000))
		ranges = append(ranges, fmt.Sprint(from), fmt.Sprint(to), "4096")
		all = append(all, want[from:to]...)
	}
	if got := m.client("ranges", ranges...); got != string(all) {
		t.Errorf("%s is wrong somewhere in %q", path, ranges)
	}
	tail := m.client("read", path, fmt.Sprint(len(want)-1), fmt.Sprint(len(want)+5000), "9000")
	if tail != string(want[len(want)-1:]) {
		t.Errorf("behind the end of %s there are %d bytes", path, len(tail)-1)
	}
}

func TestLargeDirectoryIsListedWhole(t *testing.T) {
	const entries = 20_000
	items := []archivetest.Item{archivetest.Dir(format.Root), archivetest.Dir("d")}
	for i := range entries {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("d/%06d", i)), nil))
	}
	m := mountStorage(t, oneBand(t, items), fs.Options{Band: "latest"})
	var names []string
	for line := range strings.Lines(m.client("list", m.path("d"))) {
		names = append(names, strings.Fields(line)[0])
	}
	want := []string{`"."`, `".."`}
	for i := range entries {
		want = append(want, fmt.Sprintf(`"%06d"`, i))
	}
	if !slices.Equal(names, want) {
		t.Errorf("the directory lists %d names, the last one %s", len(names), names[len(names)-1])
	}
	if got := m.client("seekdir", m.path("d")); got != fmt.Sprintln(entries+2) {
		t.Errorf("by seekdir there are %s names", got)
	}
}

func TestNothingCanBeChanged(t *testing.T) {
	m := mountStorage(t, oneBand(t, archivetest.Tree(map[string]string{"d/f": "x"})), fs.Options{})
	for _, dir := range []string{m.path("latest") + "/", m.path("latest/d")} {
		if got := m.client("mutate", dir, m.path("latest/d/f")); got != "" {
			t.Errorf("in %s these calls did not fail with EROFS:\n%s", dir, got)
		}
	}
}

func TestUnmountSparesWhoUsesIt(t *testing.T) {
	m := mountStorage(t, oneBand(t, archivetest.Tree(map[string]string{"f": "content"})), fs.Options{})
	holder := m.clientCommand("hold", m.path("latest/f"))
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	ready := make(chan struct{})
	holder.Stdout = &firstWrite{&out, ready}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	<-ready
	if err := m.server.Unmount(t.Context()); !errors.Is(err, fs.ErrBusy) {
		t.Errorf("unmounting what is in use: %v", err)
	}
	if err := m.server.Detach(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.run("ls", "-A", m.dir); got != "" {
		t.Errorf("what was detached shows %q", got)
	}
	select {
	case <-m.server.Done():
		t.Error("the server ended while its file was open")
	default:
	}
	in.Close()
	if err := holder.Wait(); err != nil {
		t.Error(err)
	}
	if got := out.String(); got != "open\ncontent" {
		t.Errorf("the holder read %q", got)
	}
	m.server.Wait()
}

// firstWrite closes a channel at the first write.
type firstWrite struct {
	w     *bytes.Buffer
	first chan struct{}
}

func (f *firstWrite) Write(p []byte) (int, error) {
	if f.w.Len() == 0 {
		defer close(f.first)
	}
	return f.w.Write(p)
}

func TestTreeEqualsWhatWasStored(t *testing.T) {
	content := map[string]string{}
	for i := range 500 {
		content[fmt.Sprintf("d%d/e%d/f%d", i%7, i%11, i)] = strings.Repeat(fmt.Sprint(i, " "), i*i%5000)
	}
	source := t.TempDir()
	writeTree(t, source, content)
	m := mountStorage(t, oneBand(t, archivetest.Tree(content)), fs.Options{})
	m.client("testfs", m.path("latest/d3/e3"), "f3", "f80")
	if out, err := exec.Command("diff", "-r", "--no-dereference", source, m.path("latest")+"/").CombinedOutput(); err != nil {
		t.Errorf("diff: %v\n%.1000s", err, out)
	}
}
