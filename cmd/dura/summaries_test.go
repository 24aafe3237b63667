package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage/memory"
	"dura/archive/summaries"
	"dura/cmd/dura/state"
	"dura/writer"
)

func TestBackupsThatEndAtOnceAreAllKept(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	st := memory.New()
	if err := archive.Create(t.Context(), st, archive.CreateOptions{ID: id, Now: time.Unix(0, 0)}); err != nil {
		t.Fatal(err)
	}
	ar, err := archive.Open(t.Context(), st, archive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ar.Close()
	a := &app{host: newMachine(t).host, quiet: true}
	if a.alarms, err = alarm.NewSet(alarm.Options{}); err != nil {
		t.Fatal(err)
	}
	const runs = 30
	var all sync.WaitGroup
	for i := range runs {
		all.Go(func() {
			band := format.NewBandID(a.host.now(), [3]byte{byte(i)})
			if err := a.keepSummary(ar, writer.Result{Band: band, TailSHA256: format.Hash{byte(i)}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	name := a.summariesName(id)
	l, err := readSummaries(name, id)
	if err != nil || len(l.Bands) != runs || !l.Since.Equal(a.host.now()) || a.alarms.Raised() != 0 {
		t.Errorf("%d of %d since %v, %d alarms: %v", len(l.Bands), runs, l.Since, a.alarms.Raised(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(name)); err != nil || len(left) != 2 { // and the lock
		t.Errorf("%v %v", left, err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestSummariesOfAnotherArchiveOrTooLongOnesAreDamaged(t *testing.T) {
	const id, other = "0123456789abcdef0123456789abcdef", "ffffffffffffffffffffffffffffffff"
	name := filepath.Join(t.TempDir(), "s")
	for what, content := range map[string][]byte{
		"another's": summaries.Encode(summaries.List{Archive: other, Since: time.Unix(0, 0)}), "empty": nil, "too long": bytes.Repeat([]byte("x\n"), summaries.MaxBytes),
	} {
		if err := state.Replace(name, content); err != nil {
			t.Fatal(err)
		}
		var corrupt *format.CorruptError
		if _, err := readSummaries(name, id); !errors.As(err, &corrupt) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
