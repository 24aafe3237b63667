package fs_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage/storagetest"
	"dura/fs"
)

// status reads the mount's status file.
func (m *mount) status() (s fs.Status) {
	m.t.Helper()
	if err := json.Unmarshal([]byte(m.run("cat", m.path(".dura/status.json"))), &s); err != nil {
		m.t.Fatal(err)
	}
	return s
}

func TestStatusIsThereForWhoAsks(t *testing.T) {
	m := mountStorage(t, oneBand(t, archivetest.Tree(map[string]string{"a": "x"})), fs.Options{
		Refresh: time.Millisecond, Storage: func() any { return map[string]int{"reads": 7} },
	})
	if got := m.run("ls", "-A", m.dir); strings.Contains(got, ".dura") {
		t.Errorf("the mount lists %q", got)
	}
	m.run("cat", m.path("latest/a"))
	status := m.status()
	want := fs.BandStatus{ID: archivetest.BandID(0), State: "complete", Open: true}
	if len(status.Bands) != 1 || status.Bands[0] != want || status.Requests.Read == 0 || status.Frames.Values != 1 {
		t.Errorf("the status is %+v", status)
	}
	if got := fmt.Sprint(status.Storage); got != "map[reads:7]" {
		t.Errorf("of the storage it says %s", got)
	}
	for range 20 { // it changes while it is read again and again
		m.status()
	}
}

func TestStatusIsThereBesideABandThatIsShownAlone(t *testing.T) {
	m := mountStorage(t, oneBand(t, archivetest.Tree(map[string]string{"a": "x"})), fs.Options{Band: "latest"})
	if got := m.run("ls", "-A", m.dir); got != "a\n" {
		t.Errorf("the mount lists %q", got)
	}
	m.run("ls", "-la", m.path(".dura"))
	if s := m.status(); len(s.Bands) != 1 || s.Bands[0] != (fs.BandStatus{ID: archivetest.BandID(0), State: "complete", Open: true}) {
		t.Errorf("the status is %+v", s)
	}
	own := mountStorage(t, oneBand(t, archivetest.Tree(map[string]string{".dura/status.json": "own"})), fs.Options{Band: "latest"})
	if got := own.run("cat", own.path(".dura/status.json")); got != "own" {
		t.Errorf("the band's own file is %q", got)
	}
}

// A band whose tail can't be read shows what it has, and says what it is.
func TestDamagedBandIsShownAsSuch(t *testing.T) {
	id := archivetest.BandID(0)
	damaged := storagetest.NewDamaged(oneBand(t, archivetest.Tree(map[string]string{"d/a": "x"})))
	damaged.Truncate(format.TailName(id), 40)
	relay := &lateRaiser{}
	m := mountOpened(t, openArchive(t, damaged, relay), fs.Options{Refresh: time.Millisecond})
	relay.set(m.fs)
	if got := m.run("cat", m.path("latest/d/a")); got != "x" {
		t.Errorf("the file holds %q", got)
	}
	for _, path := range []string{string(id), "latest/d/a"} {
		if got := m.run("getfattr", "--absolute-names", "--only-values", "-n", "user.dura.state", m.path(path)); got != "damaged" {
			t.Errorf("the state of %s is %q", path, got)
		}
	}
	time.Sleep(2 * time.Millisecond) // for the status to be another one
	s := m.status()
	if len(s.Bands) != 1 || s.Bands[0].State != "damaged" || s.Alarms != 1 || len(s.LastAlarms) != 1 {
		t.Fatalf("the status is %+v", s)
	}
	if a := s.LastAlarms[0]; a.Filename != format.TailName(id) || a.At.IsZero() || !strings.Contains(a.Message, "corrupt") {
		t.Errorf("the alarm is %+v", a)
	}
}
