package restore

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/storage"
)

func TestFailuresAreAlarmsOrEndTheRun(t *testing.T) {
	stored := func(kind storage.Kind) error {
		return &storage.Error{Op: storage.OpRead, Object: "o", Kind: kind, Err: unix.ENOSPC}
	}
	block := format.BlockName("2026-11-23-101500-4f2a9c", 1)
	for _, c := range []struct {
		err  error
		want string // alarm as AREA/CONDITION:FILENAME; empty: the run ends
	}{
		{unix.EIO, "restore/ioerror /dest/a/b"},
		{unix.EACCES, "restore/denied /dest/a/b"},
		{unix.EPERM, "restore/denied /dest/a/b"},
		{unix.EEXIST, "restore/exists /dest/a/b"},
		{unix.EISDIR, "restore/exists /dest/a/b"},
		{unix.ENOENT, "restore/missing /dest/a/b"},
		{unix.ENAMETOOLONG, "restore/unsupported /dest/a/b"},
		{unix.EFBIG, "restore/unsupported /dest/a/b"},
		{unix.EILSEQ, "restore/unsupported /dest/a/b"},
		{errors.New("strange"), "restore/ioerror /dest/a/b"},
		{unix.ENOSPC, ""}, {unix.EDQUOT, ""}, {unix.EROFS, ""}, {unix.EMFILE, ""}, {unix.ENFILE, ""}, {unix.ENOMEM, ""},
		{context.Canceled, ""}, {context.DeadlineExceeded, ""}, {&alarm.AbortError{}, ""},
		{&contentError{errMismatch}, "block/mismatch a/b"},
		{&contentError{&archive.Error{Kind: archive.KindCorrupt, Err: &format.CorruptError{What: "index"}}}, "band/corrupt a/b"},
		{&contentError{&archive.Error{Band: "b", Object: block, Path: "a/b", Kind: archive.KindCorrupt}}, "block/corrupt a/b"},
		{&contentError{&archive.Error{Band: "b", Object: "x", Path: "a/b", Kind: archive.KindMissing}}, "band/missing a/b"},
		// Whatever the storage suffers from is not the destination's.
		{&contentError{&archive.Error{Band: "b", Object: block, Kind: archive.KindIO, Err: stored(storage.KindIO)}}, "block/ioerror a/b"},
		{&contentError{stored(storage.KindDenied)}, "block/ioerror a/b"},
		{&contentError{context.Canceled}, ""},
	} {
		as := &alarms{}
		r := &run{o: Options{Alarms: as}, dest: "/dest"}
		err := r.failed("a/b", fmt.Errorf("write: %w", c.err))
		got := ""
		if len(as.Raised()) > 0 {
			got = as.Sorted()[0]
		}
		if got != c.want || (err == nil) != (c.want != "") || err != nil && !errors.Is(err, c.err) {
			t.Errorf("%v: alarm %q, error %v; want alarm %q", c.err, got, err, c.want)
		}
	}
}
