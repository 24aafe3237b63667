package restore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"dura/archive/alarm"
	"dura/archive/alarm/alarmtest"
	"dura/archive/archivetest"
	"dura/archive/event"
	"dura/archive/format"
)

// many is a tree of files of all sizes in several directories.
func many() []archivetest.Item {
	items := []archivetest.Item{directory("")}
	for d := range 10 {
		at := format.Path("dir" + strconv.Itoa(d))
		items = append(items, directory(at, mode(0o555)))
		for f := range 30 {
			content := strings.Repeat(strconv.Itoa(f), 1+f*f*50)
			items = append(items, file(at.Join("file"+strconv.Itoa(f)), content, mode(0o444)))
		}
		items = append(items, file(at.Join("big"), strings.Repeat("big", 400_000)), symlink(at.Join("link"), "x"))
	}
	return tree(items...)
}

// whole fails the test unless each thing in found that isn't a directory is as the band has it, and nothing temporary is left.
func whole(t *testing.T, found, want map[format.Path]string) (files int) {
	t.Helper()
	for p, d := range found {
		if strings.HasPrefix(d, "kind 2") {
			continue
		}
		files++
		if d != want[p] {
			t.Errorf("%q: %s, want %s", p, d, want[p])
		}
	}
	if left := temporaries(found); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
	return files
}

func TestEndOfTheContextLeavesCompleteFiles(t *testing.T) {
	b := open(t, many())
	want := expected(t, b)
	for _, w := range ways {
		for _, after := range []int64{0, 1, 20, 100, 300} {
			ctx, cancel := context.WithCancelCause(t.Context())
			errEnough := errors.New("enough")
			var done atomic.Int64
			o := Options{Alarms: &alarms{}, Events: func(e event.Event) {
				if _, ok := e.(event.EntryDone); ok && done.Add(1) == after {
					cancel(errEnough)
				}
			}}
			if after == 0 {
				cancel(errEnough)
			}
			dest := tempDir(t) + "/dest"
			_, err := restoreIn(ctx, w, b, dest, o)
			if !errors.Is(err, errEnough) && !errors.Is(err, context.Canceled) {
				t.Errorf("after %d: %v", after, err)
			}
			if after == 0 {
				continue
			}
			found := look(t, dest)
			if files := whole(t, found, want); files >= 320 {
				t.Errorf("after %d: it went on to the end", after)
			}
			if as := o.Alarms.(*alarms); len(as.Raised()) > 0 {
				t.Error(as.Raised())
			}
		}
	}
}

func TestAlarmThatAbortsEndsTheRun(t *testing.T) {
	b := open(t, many())
	dest := tempDir(t) + "/dest"
	if err := os.MkdirAll(dest+"/dir0", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dest+"/dir0/file7", "old")
	as := &alarmtest.Alarms{Verdict: alarmtest.Aborting(func(a alarm.Alarm) bool { return strings.HasSuffix(a.Filename, "file7") })}
	_, err := Restore(t.Context(), b, dest, Options{Alarms: as})
	var abort *alarm.AbortError
	if !errors.As(err, &abort) || abort.Alarm.Condition != alarm.Exists {
		t.Fatal(err)
	}
	found := look(t, dest)
	want := expected(t, b)
	want["dir0/file7"] = found["dir0/file7"]
	whole(t, found, want)
}

func TestDestinationThatCannotBeIsAnError(t *testing.T) {
	b := open(t, tree(file("a", "x")))
	top := t.TempDir()
	write(t, top+"/file", "x")
	if err := os.Symlink("nowhere", top+"/dangling"); err != nil {
		t.Fatal(err)
	}
	for dest, cause := range map[string]error{
		"": nil, top + "/file": unix.ENOTDIR, top + "/file/below": unix.ENOTDIR, top + "/dangling": unix.ENOENT, "/dev/null": unix.ENOTDIR,
		top + "/" + strings.Repeat("n", 300): unix.ENAMETOOLONG,
	} {
		_, err := Restore(t.Context(), b, dest, Options{})
		var e *Error
		if !errors.As(err, &e) || cause != nil && !errors.Is(err, cause) || e.Path != dest {
			t.Errorf("%q: %v", dest, err)
		}
	}
	if entries, err := os.ReadDir(top); err != nil || len(entries) != 2 {
		t.Error(entries, err)
	}
}

func TestDryRunMakesNothing(t *testing.T) {
	b := open(t, ordinary())
	dest := tempDir(t) + "/new/dest"
	r := restoreAll(t, b, dest, Options{DryRun: true, Delete: true})
	if _, err := os.Lstat(filepath.Dir(dest)); !os.IsNotExist(err) {
		t.Error("something was made:", err)
	}
	again := restoreAll(t, b, dest, Options{})
	if r != again {
		t.Errorf("foretold %+v, and it was %+v", r, again)
	}
}
