package fs_test

import (
	"fmt"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dura/archive/alarm"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/storagetest"
	"dura/fs"
)

func TestDamageCostsTheRangeConcernedAlone(t *testing.T) {
	content := noise(4 << 20)
	st := archivetest.NewArchive(t)
	b := archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), BlockFrames: 1, SpanBytes: 1 << 20})
	b.Complete([]archivetest.Item{archivetest.Dir(format.Root), archivetest.File("f", content), archivetest.File("g", content)})
	damaged := storagetest.NewDamaged(st)
	lost := format.BlockName(archivetest.BandID(0), 1)
	damaged.Lose(lost)
	m := mountStorage(t, damaged, fs.Options{Band: "latest"})

	bad := [2]int{1 << 20, 2 << 20}
	for _, r := range [][2]int{{0, bad[0]}, {bad[1], len(content)}} {
		if got := m.client("read", m.path("f"), fmt.Sprint(r[0]), fmt.Sprint(r[1]), "65536"); got != string(content[r[0]:r[1]]) {
			t.Errorf("between %d and %d the file is not read as it was stored", r[0], r[1])
		}
	}
	eio := fmt.Sprintf("errno %d", int(syscall.EIO))
	for _, at := range []int{bad[0], bad[0] + 4096, bad[1] - 4096, bad[1] - 1} {
		if got := m.client("read", m.path("f"), fmt.Sprint(at), fmt.Sprint(at+1), "1"); got != eio {
			t.Errorf("at %d there is %q, want an error", at, got)
		}
	}
	if got := m.client("read", m.path("f"), "0", fmt.Sprint(len(content)), "4096"); got != string(content[:bad[0]])+eio {
		t.Errorf("read from the start the file gives %d bytes", len(got))
	}
	if got := m.run("cat", m.path("g")); got != string(content) {
		t.Error("the other file is not read as it was stored")
	}

	alarms := m.alarms.Raised()
	if len(alarms) != 1 || alarms[0].Area != alarm.Block || alarms[0].Condition != alarm.Missing || alarms[0].Filename != lost ||
		!strings.Contains(alarms[0].Message, `"f"`) || !strings.Contains(alarms[0].Message, string(archivetest.BandID(0))) {
		t.Errorf("these alarms were raised: %v", alarms)
	}

	damaged.Heal(lost)
	if got := m.client("read", m.path("f"), "0", fmt.Sprint(len(content)), "4096"); got != string(content) {
		t.Error("what was mended is not read as it was stored")
	}
}

func TestDamagedIndexCostsItsNamesAlone(t *testing.T) {
	items := []archivetest.Item{archivetest.Dir(format.Root), archivetest.Dir("d")}
	for i := range 60 {
		items = append(items, archivetest.File(format.Path(fmt.Sprintf("d/%02d", i)), []byte("x")))
	}
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), HunkEntries: 10}).Complete(items)
	damaged := storagetest.NewDamaged(st)
	lost := format.HunkName(archivetest.BandID(0), 2) // d/18 to d/27
	damaged.Flip(lost, 1000)
	m := mountStorage(t, damaged, fs.Options{Band: "latest"})

	for range 2 { // what the kernel keeps must not hide the error
		listed := m.client("list", m.path("d"))
		for i := range 60 {
			want := i < 18 || i > 27
			if got := strings.Contains(listed, fmt.Sprintf("\"%02d\"", i)); got != want {
				t.Errorf("d/%02d is listed: %v", i, got)
			}
		}
		if !strings.HasSuffix(listed, "error input/output error\n") {
			t.Errorf("the listing ends in %q", listed[len(listed)-20:])
		}
	}
	if out, err := exec.Command("cat", m.path("d/18")).CombinedOutput(); err == nil || !strings.Contains(string(out), "Input/output error") {
		t.Errorf("a name of the damaged hunk: %v, %s", err, out)
	}
	if got := m.run("cat", m.path("d/17"), m.path("d/28")); got != "xx" {
		t.Errorf("its neighbours hold %q", got)
	}

	damaged.Heal(lost)
	if got := m.run("ls", m.path("d")); strings.Count(got, "\n") != 60 {
		t.Errorf("mended, the directory has\n%s", got)
	}
	if got := m.run("cat", m.path("d/18")); got != "x" {
		t.Errorf("mended, the file holds %q", got)
	}
}

// gate is a plan that makes operations on some objects wait.
type gate struct {
	prefix string
	open   chan struct{}
}

func (g gate) plan(op storagetest.Operation) error {
	if op.Op == storage.OpRead && strings.Contains(op.Name, g.prefix) {
		<-g.open
	}
	return nil
}

func TestStorageThatHangsFailsInTime(t *testing.T) {
	st := archivetest.NewArchive(t)
	newBand(t, st, 0).Complete(archivetest.Tree(map[string]string{"f": "content"}))
	g := gate{"/data/", make(chan struct{})}
	m := mountStorage(t, storagetest.NewFaulty(st, g.plan), fs.Options{Timeout: 100 * time.Millisecond})
	eio := fmt.Sprintf("errno %d", int(syscall.EIO))
	if got := m.client("read", m.path("latest/f"), "0", "7", "7"); got != eio {
		t.Errorf("it reads %q", got)
	}
	if got := m.run("ls", m.path("latest")+"/"); got != "f\n" {
		t.Errorf("meanwhile the directory has %q", got)
	}
	close(g.open)
	eventually(t, func() bool { return m.client("read", m.path("latest/f"), "0", "7", "7") == "content" })
}

func TestKilledReaderIsFreed(t *testing.T) {
	st := archivetest.NewArchive(t)
	newBand(t, st, 0).Complete(archivetest.Tree(map[string]string{"f": "content"}))
	waiting := make(chan struct{}, 1)
	g := gate{"/data/", make(chan struct{})}
	faulty := storagetest.NewFaulty(st, func(op storagetest.Operation) error {
		if strings.Contains(op.Name, g.prefix) {
			waiting <- struct{}{}
		}
		return g.plan(op)
	})
	m := mountStorage(t, faulty, fs.Options{})
	reader := m.clientCommand("read", m.path("latest/f"), "0", "7", "7")
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	<-waiting
	if err := reader.Process.Signal(syscall.SIGURG); err != nil { // which Go programs send themselves, and which is no reason to fail
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- reader.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("a signal that kills nobody ended the reader: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if err := reader.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the killed reader goes on waiting")
	}
	close(g.open)
	if got := m.run("cat", m.path("latest/f")); got != "content" {
		t.Errorf("later the file holds %q", got)
	}
}

func TestRootAnswersWhileStorageIsGone(t *testing.T) {
	st := archivetest.NewArchive(t)
	newBand(t, st, 0).Complete(archivetest.Tree(map[string]string{"f": "content"}))
	var gone atomic.Bool
	faulty := storagetest.NewFaulty(st, func(op storagetest.Operation) error {
		if gone.Load() {
			return op.Error(storage.KindIO)
		}
		return nil
	})
	m := mountStorage(t, faulty, fs.Options{Refresh: time.Millisecond})
	before := m.run("ls", "-A", m.dir)
	gone.Store(true)
	time.Sleep(10 * time.Millisecond) // for the list of bands to be old
	if got := m.run("ls", "-A", m.dir); got != before {
		t.Errorf("without storage the mount has %q", got)
	}
	if out, err := exec.Command("cat", m.path("latest/f")).CombinedOutput(); err == nil || !strings.Contains(string(out), "Input/output error") {
		t.Errorf("without storage a file: %v, %s", err, out)
	}
	if len(m.alarms.Raised()) == 0 {
		t.Error("no alarm was raised")
	}
	m.run("df", m.dir)
}

func TestArchiveThatVanishesIsNotAnEmptyOne(t *testing.T) {
	st := archivetest.NewArchive(t)
	newBand(t, st, 0).Complete(archivetest.Tree(map[string]string{"f": "content"}))
	m := mountStorage(t, st, fs.Options{Refresh: time.Millisecond})
	before := m.run("ls", "-A", m.dir)
	for info, err := range st.List(t.Context(), "", storage.Deep) {
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Delete(t.Context(), info.Name); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(10 * time.Millisecond)
	if got := m.run("ls", "-A", m.dir); got != before {
		t.Errorf("the mount of an archive that is gone has %q", got)
	}
}

// A directory whose entry is lost is there by what is below it.
func TestWhatIsBelowALostDirectoryIsThere(t *testing.T) {
	id := archivetest.BandID(0)
	files := map[string]string{"top": "t", "sub/deep/file": "d"}
	for i := range 300 {
		files[fmt.Sprintf("dir-%03d/file", i)] = fmt.Sprint(i)
	}
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: id, HunkEntries: 150}).Complete(archivetest.Tree(files))
	damaged := storagetest.NewDamaged(st)
	damaged.Lose(format.HunkName(id, 0)) // the root, and half of what is in it
	for _, o := range []fs.Options{{}, {Band: "latest"}} {
		m := mountStorage(t, damaged, o)
		top := ""
		if o.Band == "" {
			top = string(id) + "/"
		}
		for _, path := range []string{"dir-007/file", "dir-200/file", "sub/deep/file"} {
			if got := m.run("cat", m.path(top+path)); got != files[path] {
				t.Errorf("%s: %q", path, got)
			}
		}
		out, err := exec.Command("find", m.path(strings.TrimSuffix(top, "/")), "-name", "file").CombinedOutput()
		if n := strings.Count(string(out), "/file\n"); err == nil || n != 301 || !strings.Contains(string(out), "nput/output error") {
			t.Errorf("%v: %d files are found: %.300s", err, n, out)
		}
		told := false
		for _, a := range m.alarms.Raised() {
			told = told || a.Filename == format.HunkName(id, 0) && strings.Contains(a.Message, `"dir-007"`)
		}
		if !told {
			t.Error("no alarm tells of the directory")
		}
	}
}
