package disk_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"dura/cache/disk"
)

var start = time.Unix(1_700_000_000, 0)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// troubles are what a cache tells of.
type troubles struct {
	mu  sync.Mutex
	all []error
}

func (t *troubles) add(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, err)
}

func (t *troubles) taken() []error {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.all
	t.all = nil
	return all
}

// open opens a cache, and has the test fail if it tells of any trouble unless told where.
func open(t testing.TB, dir string, o disk.Options) *disk.Cache {
	t.Helper()
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 30
	}
	if o.FreeBytes == 0 {
		o.FreeBytes = 1
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Trouble == nil {
		o.Trouble = func(err error) { t.Errorf("there is trouble: %v", err) }
	}
	c, err := disk.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// data is piece i.
func data(i, size int) (sum, piece []byte) {
	piece = make([]byte, size)
	random := rand.NewChaCha8([32]byte{byte(i), byte(i >> 8), byte(i >> 16)})
	random.Read(piece)
	h := sha256.Sum256(piece)
	return h[:16+i%17], piece
}

func has(t testing.TB, c *disk.Cache, i, size int) bool {
	t.Helper()
	sum, want := data(i, size)
	got := make([]byte, size)
	ok := c.Get(sum, got)
	if ok && !bytes.Equal(got, want) {
		t.Errorf("piece %d is another", i)
	}
	return ok
}

func put(c *disk.Cache, i, size int) { c.Put(data(i, size)) }

// files are all pieces in the directory.
func files(t testing.TB, dir string) (names []string, bytes int64) {
	t.Helper()
	names, err := filepath.Glob(dir + "/[0-9a-f][0-9a-f]/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if info, err := os.Lstat(name); err == nil {
			bytes += (info.Size() + 4095) / 4096 * 4096
		}
	}
	return names, bytes
}

func TestPiecesSurviveARestart(t *testing.T) {
	dir := t.TempDir() + "/a/b"
	c := open(t, dir, disk.Options{})
	for i := range 100 {
		if has(t, c, i, i) {
			t.Error("there is", i)
		}
		put(c, i, i)
	}
	c.Close()
	c.Close()
	c = open(t, dir, disk.Options{})
	for i := range 100 {
		if !has(t, c, i, i) {
			t.Error("there is no", i)
		}
	}
	if s := c.Stats(); s.Hits != 100 || s.Misses != 0 {
		t.Errorf("%+v", s)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Error(info.Mode(), err)
	}
}

// Each file is changed in a way of its own: none gives wrong data, each is told of once, and gone then.
func TestWhatIsNotAsItWasIsFound(t *testing.T) {
	const size = 100
	changes := map[string]func(name string) error{
		"a bit":     func(name string) error { return change(name, func(b []byte) []byte { b[50] ^= 4; return b }) },
		"cut":       func(name string) error { return os.Truncate(name, size-1) },
		"emptied":   func(name string) error { return os.Truncate(name, 0) },
		"longer":    func(name string) error { return os.Truncate(name, size+1) },
		"zeros":     func(name string) error { return change(name, func(b []byte) []byte { return make([]byte, size) }) },
		"directory": func(name string) error { return errors.Join(os.Remove(name), os.Mkdir(name, 0o700)) },
	}
	for what, do := range changes {
		t.Run(what, func(t *testing.T) {
			dir, told := t.TempDir(), &troubles{}
			c := open(t, dir, disk.Options{Trouble: told.add})
			put(c, 1, size)
			c.Close()
			c = open(t, dir, disk.Options{Trouble: told.add})
			names, _ := files(t, dir)
			if err := do(names[0]); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if has(t, c, 1, size) {
					t.Error("it is there")
				}
			}
			var e *disk.Error
			if all := told.taken(); len(all) != 1 || !errors.As(all[0], &e) || !errors.Is(e, disk.ErrCorrupt) || e.File != names[0] {
				t.Errorf("%v", all)
			}
			put(c, 1, size)
			c.Close()
			if c := open(t, dir, disk.Options{}); !has(t, c, 1, size) {
				t.Error("it does not come back")
			}
		})
	}
}

func change(name string, by func([]byte) []byte) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, by(b), 0o600)
}

// A link in the place of a piece is not followed, and what it leads to is left alone.
func TestLinksAreNotFollowed(t *testing.T) {
	dir, told := t.TempDir(), &troubles{}
	c := open(t, dir, disk.Options{Trouble: told.add})
	put(c, 1, 100)
	c.Close()
	names, _ := files(t, dir)
	elsewhere := t.TempDir() + "/f"
	if err := errors.Join(os.Rename(names[0], elsewhere), os.Symlink(elsewhere, names[0])); err != nil {
		t.Fatal(err)
	}
	c = open(t, dir, disk.Options{Trouble: told.add})
	for range 2 {
		if has(t, c, 1, 100) {
			t.Error("it is followed")
		}
	}
	if all := told.taken(); len(all) != 1 {
		t.Errorf("%d are told: %v", len(all), all)
	}
	put(c, 1, 100)
	c.Close()
	if c := open(t, dir, disk.Options{}); !has(t, c, 1, 100) {
		t.Error("it does not come back")
	}
	if info, err := os.Lstat(elsewhere); err != nil || info.Size() != 100 {
		t.Error(info, err)
	}
}

func TestTheBoundIsKeptAndTheOldestGo(t *testing.T) {
	const size, most = 4096, 100
	dir, clock := t.TempDir(), &clock{at: start}
	o := disk.Options{MaxBytes: most * size, Now: clock.now}
	for round := range 50 { // each opens it anew, puts ten pieces, and uses the first ones of all
		c := open(t, dir, o)
		for i := range 10 {
			put(c, round*10+i, size)
		}
		c.Close()
		names, bytes := files(t, dir)
		if bytes > most*size {
			t.Fatalf("round %d: %d bytes in %d files", round, bytes, len(names))
		}
		for _, name := range names { // the clock of the file system is not the test's
			if info, err := os.Stat(name); err == nil && info.ModTime().After(clock.now()) {
				if err := os.Chtimes(name, clock.now(), clock.now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		clock.add(time.Hour)
		c = open(t, dir, o)
		for i := range 10 {
			if !has(t, c, i, size) {
				t.Errorf("round %d: %d is gone", round, i)
			}
			if !has(t, c, round*10+i, size) {
				t.Errorf("round %d: the newest, %d, is gone", round, round*10+i)
			}
		}
		c.Close()
	}
	if names, _ := files(t, dir); len(names) < most*8/10 {
		t.Errorf("only %d files are kept", len(names))
	}
}

func TestWhatIsForeignStays(t *testing.T) {
	dir := t.TempDir()
	foreign := []string{"a", "00/a", "zz/0123456789abcdef0123456789abcd", "dura-cache-old"}
	for _, name := range foreign {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, make([]byte, 1<<20), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "dura-cache"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "dura-cache-old"), old, old); err != nil {
		t.Fatal(err)
	}
	c := open(t, dir, disk.Options{MaxBytes: 100 << 10})
	for i := range 100 {
		put(c, i, 4096)
	}
	c.Close()
	for _, name := range foreign[:3] {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() != 1<<20 {
			t.Error(name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, foreign[3])); !errors.Is(err, fs.ErrNotExist) {
		t.Error("what somebody left to the side is still there")
	}
	names, _ := files(t, dir)
	if n := len(names) - 1; n < 20 || n > 25 {
		t.Errorf("%d pieces are kept", n)
	}
}

func TestADirectoryIsShared(t *testing.T) {
	const caches, pieces, size, maxBytes = 4, 200, 3000, 300 << 10
	dir := t.TempDir()
	var wg sync.WaitGroup
	var all []*disk.Cache
	for n := range uint64(caches) {
		c := open(t, dir, disk.Options{MaxBytes: maxBytes})
		all = append(all, c)
		wg.Go(func() {
			random := rand.New(rand.NewPCG(n, 0))
			for range 1000 {
				i := random.IntN(pieces)
				if !has(t, c, i, size) {
					put(c, i, size)
				}
			}
		})
	}
	wg.Wait()
	var sum disk.Stats
	for _, c := range all {
		c.Close()
		s := c.Stats()
		sum.Hits, sum.Corrupt, sum.Written = sum.Hits+s.Hits, sum.Corrupt+s.Corrupt, sum.Written+s.Written
	}
	if sum.Hits == 0 || sum.Corrupt > 0 || sum.Written < maxBytes/4096 {
		t.Errorf("%+v", sum)
	}
	if names, bytes := files(t, dir); bytes > maxBytes || bytes < maxBytes/2 {
		t.Errorf("%d bytes in %d files", bytes, len(names))
	}
	if left, err := filepath.Glob(dir + "/dura-cache-*"); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

func TestADirectoryThatCanNotBeWrittenIsRead(t *testing.T) {
	dir, told := t.TempDir(), &troubles{}
	c := open(t, dir, disk.Options{})
	put(c, 1, 100)
	c.Close()
	ledger := dir + "/dura-cache"
	if err := errors.Join(os.Remove(ledger), os.Mkdir(ledger, 0o700)); err != nil {
		t.Fatal(err)
	}
	c = open(t, dir, disk.Options{Trouble: told.add})
	put(c, 2, 100)
	if !has(t, c, 1, 100) || has(t, c, 2, 100) {
		t.Error("it does not give what it has")
	}
	c.Close()
	var e *disk.Error
	if all := told.taken(); len(all) != 1 || !errors.As(all[0], &e) || e.File != ledger {
		t.Error(all)
	}
	if s := c.Stats(); s.Skipped != 1 {
		t.Errorf("%+v", s)
	}
}

func TestNoDirectoryIsAnError(t *testing.T) {
	name := t.TempDir() + "/f"
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var e *disk.Error
	if _, err := disk.Open(name, disk.Options{MaxBytes: 1, Now: time.Now}); !errors.As(err, &e) || e.File != name {
		t.Error(err)
	}
}

// A directory that is gone costs what it had, and is told of once.
func TestADirectoryThatGoesAwayIsNoError(t *testing.T) {
	dir, told := t.TempDir()+"/gone", &troubles{}
	c := open(t, dir, disk.Options{Trouble: told.add})
	put(c, 1, 100)
	for !has(t, c, 1, 100) {
		time.Sleep(time.Millisecond)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if has(t, c, i, 100) {
			t.Error("there is", i)
		}
		put(c, i, 100)
	}
	c.Close()
	if all := told.taken(); len(all) != 1 || !errors.Is(all[0], fs.ErrNotExist) {
		t.Error(all)
	}
}

// What does not keep up with what is put there loses some, and does not hold up anybody.
func TestManyPutsAtOnceAreBounded(t *testing.T) {
	c := open(t, t.TempDir(), disk.Options{})
	for i := range 2000 {
		put(c, i, 64<<10)
	}
	c.Close()
	if s := c.Stats(); s.Written+s.Skipped != 2000 || s.Written == 0 {
		t.Errorf("%+v", s)
	}
}
