package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dura/archive/storage"
	"dura/archive/storage/file"
)

func TestSweepRemovesOldTemporaryFilesAlone(t *testing.T) {
	ctx := context.Background()
	s, directory := openNew(t)
	create(t, s, "bands/b.head", "x")
	create(t, s, "DURA-ARCHIVE", "x")
	now := time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)
	age := func(name string, d time.Duration) {
		t.Helper()
		path := filepath.Join(directory, name)
		write(t, path, "half")
		if err := os.Chtimes(path, now, now.Add(-d)); err != nil {
			t.Fatal(err)
		}
	}
	age(".tmp-old", 25*time.Hour)
	age(".tmp-older", 1000*time.Hour)
	age(".tmp-young", time.Second)
	age(".tmp-locked", time.Hour)
	age(".tmp-abandoned", time.Minute)
	locked, err := os.OpenFile(filepath.Join(directory, ".tmp-locked"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(locked.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	age("not-temporary", 1000*time.Hour)
	if got := listed(t, s); len(got) != 3 {
		t.Errorf("listed %q", got)
	}
	removed, err := s.Sweep(ctx, now)
	if err != nil || removed != 3 {
		t.Errorf("removed %d: %v", removed, err)
	}
	for _, name := range []string{".tmp-young", ".tmp-locked"} {
		if _, err := os.Stat(filepath.Join(directory, name)); err != nil {
			t.Error(err)
		}
	}
	locked.Close()
	if got := listed(t, s); len(got) != 3 {
		t.Errorf("listed %q", got)
	}
	removed, err = s.Sweep(ctx, now.Add(time.Minute))
	if err != nil || removed != 2 {
		t.Errorf("removed %d: %v", removed, err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Sweep(done, now); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// countdown is a context that is done after its error was asked for some times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestACreateThatIsCancelledMidwayLeavesNothing(t *testing.T) {
	s, directory := openNew(t)
	large := make([]byte, 20<<20)
	cancelled := 0
	for left := 0; ; left++ {
		err := s.Create(&countdown{context.Background(), left}, "folder/large", large)
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancelled++
		if n := temporaries(t, directory); n != 0 || len(listed(t, s)) != 0 {
			t.Fatalf("%d temporary files are left, and the objects %q", n, listed(t, s))
		}
	}
	if cancelled < 5 {
		t.Errorf("it looked at its context %d times", cancelled)
	}
}

// interrupted is a context that does something when its error is asked for the first time after so many.
type interrupted struct {
	countdown
	do func()
}

func (c *interrupted) Err() error {
	if c.countdown.Err() != nil && c.do != nil {
		c.do()
		c.do = nil
	}
	return nil
}

func TestACreateWhoseTemporaryFileIsSweptCanBeTriedAgain(t *testing.T) {
	s, directory := openNew(t)
	ctx := &interrupted{countdown{context.Background(), 3}, func() {
		removed, err := s.Sweep(context.Background(), time.Now().Add(48*time.Hour))
		if err != nil || removed != 1 {
			t.Errorf("swept %d: %v", removed, err)
		}
	}}
	large := make([]byte, 20<<20)
	wantKind(t, "create", s.Create(ctx, "folder/large", large), storage.KindUnavailable)
	if n := temporaries(t, directory); n != 0 || len(listed(t, s)) != 0 {
		t.Errorf("%d temporary files are left, and the objects %q", n, listed(t, s))
	}
	if err := s.Create(ctx, "folder/large", large); err != nil {
		t.Error(err)
	}
}

func TestAReadThatIsCancelledMidwayEnds(t *testing.T) {
	s, _ := openNew(t)
	create(t, s, "large", strings.Repeat("x", 20<<20))
	if _, err := s.Read(&countdown{context.Background(), 3}, "large", 0, 20<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestATemporaryNameThatIsTakenIsNotUsed(t *testing.T) {
	directory := t.TempDir()
	s, err := file.Open(directory, file.Options{Random: strings.NewReader("aaaaaaaaaaaaaaaaaaaaaaaabbbbbbbb")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	write(t, filepath.Join(directory, ".tmp-6161616161616161"), "someone else's")
	create(t, s, "a", "x")
	got, err := os.ReadFile(filepath.Join(directory, ".tmp-6161616161616161"))
	if err != nil || string(got) != "someone else's" {
		t.Errorf("it holds %q, %v", got, err)
	}
	wantKind(t, "without randomness", s.Create(context.Background(), "b"), storage.KindIO)
}

// zeros is no random source at all.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestTheSearchForATemporaryNameEnds(t *testing.T) {
	directory := t.TempDir()
	s, err := file.Open(directory, file.Options{Random: zeros{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	write(t, filepath.Join(directory, ".tmp-0000000000000000"), "")
	wantKind(t, "create", s.Create(context.Background(), "a"), storage.KindIO)
}
