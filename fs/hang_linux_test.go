package fs_test

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dura/archive/alarm"
	"dura/archive/archivetest"
	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/bounded"
	"dura/archive/storage/storagetest"
	"dura/fs"
)

var (
	eio    = fmt.Sprintf("errno %d", int(syscall.EIO))
	estale = fmt.Sprintf("errno %d", int(syscall.ESTALE))
)

// blocksOf is an archive with a band of files, of which each MiB is a block of its own.
func blocksOf(t *testing.T, files map[format.Path][]byte) storage.Storage {
	t.Helper()
	st := archivetest.NewArchive(t)
	items := []archivetest.Item{archivetest.Dir(format.Root)}
	for _, name := range []format.Path{"f", "g"} {
		if content, ok := files[name]; ok {
			items = append(items, archivetest.File(name, content))
		}
	}
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), BlockFrames: 1, SpanBytes: 1 << 20}).Complete(items)
	return st
}

func TestAnObjectThatHangsCostsTheRangeConcernedAlone(t *testing.T) {
	const readers = 40 // more than there are fetches at a time
	content := noise(4 << 20)
	lost := format.BlockName(archivetest.BandID(0), 1)
	g := gate{lost, make(chan struct{})}
	faulty := storagetest.NewFaulty(blocksOf(t, map[format.Path][]byte{"f": content, "g": content}), g.plan)
	st := bounded.New(faulty, bounded.Options{Timeout: time.Second, MaxStuck: 8})
	m := mountStorage(t, st, fs.Options{Band: "latest", Timeout: 5 * time.Second})

	var hung sync.WaitGroup
	began := time.Now()
	for i := range readers {
		hung.Go(func() {
			at := 1<<20 + i*4096
			if got := m.client("read", m.path("f"), fmt.Sprint(at), fmt.Sprint(at+1), "1"); got != eio {
				t.Errorf("at %d there is %q, want an error", at, got)
			}
		})
	}
	for _, r := range [][2]int{{0, 1 << 20}, {2 << 20, 4 << 20}} {
		if got := m.client("read", m.path("f"), fmt.Sprint(r[0]), fmt.Sprint(r[1]), "65536"); got != string(content[r[0]:r[1]]) {
			t.Errorf("between %d and %d the file is not read as it was stored", r[0], r[1])
		}
	}
	if got := m.run("cat", m.path("g")); got != string(content) {
		t.Error("the other file is not read as it was stored")
	}
	hung.Wait()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	alarms := m.alarms.Raised()
	if len(alarms) != 1 || alarms[0].Area != alarm.Block || alarms[0].Condition != alarm.IOError || alarms[0].Filename != lost ||
		!strings.Contains(alarms[0].Message, `"f" of band `+string(archivetest.BandID(0))) || !strings.Contains(alarms[0].Message, "no answer in 1s") {
		t.Errorf("these alarms were raised: %v", alarms)
	}
	close(g.open)
	eventually(t, func() bool { return m.run("sh", "-c", "cat "+m.path("f")+" || true") == string(content) })
}

func TestStorageThatFailsForAWhileIsAskedAgain(t *testing.T) {
	content := noise(2 << 20)
	var mu sync.Mutex
	failures := map[string]int{}
	faulty := storagetest.NewFaulty(blocksOf(t, map[format.Path][]byte{"f": content}), func(op storagetest.Operation) error {
		mu.Lock()
		defer mu.Unlock()
		if failures[op.Name]++; failures[op.Name] <= 2 {
			return op.Error(storage.KindUnavailable)
		}
		return nil
	})
	m := mountStorage(t, bounded.New(faulty, bounded.Options{Backoff: time.Millisecond}), fs.Options{})
	if got := m.run("cat", m.path("latest/f")); got != string(content) {
		t.Error("the file is not read as it was stored")
	}
	if alarms := m.alarms.Raised(); len(alarms) > 0 {
		t.Errorf("these alarms were raised: %v", alarms)
	}
}

func TestStorageThatIsSlowIsWaitedFor(t *testing.T) {
	content := noise(1 << 20)
	slow := storagetest.NewDelayed(blocksOf(t, map[format.Path][]byte{"f": content}), storagetest.Delays{Latency: 100 * time.Millisecond})
	m := mountStorage(t, bounded.New(slow, bounded.Options{}), fs.Options{})
	if got := m.run("cat", m.path("latest/f")); got != string(content) {
		t.Error("the file is not read as it was stored")
	}
}

func TestAnObjectThatWasCutShortCostsWhatItLacksAlone(t *testing.T) {
	content := noise(3 << 20)
	st := archivetest.NewArchive(t)
	archivetest.NewBand(t, archivetest.Band{Storage: st, ID: archivetest.BandID(0), SpanBytes: 1 << 20}).
		Complete([]archivetest.Item{archivetest.Dir(format.Root), archivetest.File("f", content)})
	damaged := storagetest.NewDamaged(st)
	damaged.Truncate(format.BlockName(archivetest.BandID(0), 0), 5<<19) // in the third frame
	m := mountStorage(t, damaged, fs.Options{Band: "latest"})
	if got := m.client("read", m.path("f"), "0", fmt.Sprint(len(content)), "4096"); got != string(content[:2<<20])+eio {
		t.Errorf("the file gives %d bytes, and then %q", len(got)-len(eio), got[len(got)-len(eio):])
	}
	if alarms := m.alarms.Raised(); len(alarms) != 1 || alarms[0].Condition != alarm.Mismatch {
		t.Errorf("these alarms were raised: %v", alarms)
	}
}

// deleteBand does what a deletion and garbage collection behind it do; by halves, it stops before the collection.
func deleteBand(t *testing.T, st storage.Storage, id format.BandID, whole bool) {
	t.Helper()
	if err := st.Create(t.Context(), format.DeletedName(id)); err != nil {
		t.Fatal(err)
	}
	if !whole {
		return
	}
	for info, err := range st.List(t.Context(), format.BandsPrefix+string(id), storage.Deep) {
		if err == nil {
			err = st.Delete(t.Context(), info.Name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestABandThatIsDeletedMeanwhileSaysSo(t *testing.T) {
	id := archivetest.BandID(0)
	for name, c := range map[string]struct {
		o     fs.Options
		path  string
		whole bool
	}{
		"among others":            {fs.Options{Refresh: time.Millisecond}, string(id) + "/f", false},
		"among others, collected": {fs.Options{Refresh: time.Hour}, string(id) + "/f", true},
		"alone, collected":        {fs.Options{Band: "latest"}, "f", true},
	} {
		t.Run(name, func(t *testing.T) {
			st := blocksOf(t, map[format.Path][]byte{"f": noise(2 << 20), "g": noise(10)})
			m := mountStorage(t, st, c.o)
			dir := m.path(strings.TrimSuffix(c.path, "f"))                                                         // somebody is in it
			reader := exec.Command("sh", "-c", `cd "$1" && echo begun; read go; cat f 2>&1 >/dev/null`, "sh", dir) // not Dir: this process serves it, and stops while it forks
			in, out := startTalk(t, reader)
			m.run("ls", dir)
			deleteBand(t, st, id, c.whole)
			if c.whole {
				if got := m.client("read", m.path(c.path), "0", "4096", "4096"); got != estale {
					t.Errorf("it reads %.100q", got)
				}
			} else {
				eventually(t, func() bool { return !strings.Contains(m.client("list", m.dir), string(id)) })
			}
			fmt.Fprintln(in, "go")
			if got := out(); !strings.Contains(got, "Stale file handle") {
				t.Errorf("who is in it is told %q", got)
			}
			told := ""
			for _, a := range m.alarms.Raised() {
				told += a.String() + "\n"
			}
			if !strings.Contains(told, "band/missing: ") || !strings.Contains(told, "of band "+string(id)+": deleted") {
				t.Errorf("the alarms are\n%s", told)
			}
		})
	}
}
