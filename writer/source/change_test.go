package source_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dura/archive/alarm"
	"dura/archive/alarm/alarmtest"
	"dura/archive/format"
	"dura/writer/source"
)

// walkAnd walks ".", calls what is given for a path when the walk yields it, and returns the paths and the alarms.
func walkAnd(t *testing.T, o source.Options, at map[string]func()) (paths, raised []string) {
	t.Helper()
	src, alarms := local(t, o, ".")
	for n, err := range src.Walk(t.Context(), source.Start{}) {
		must(t, err)
		paths = append(paths, string(n.Entry.Path))
		if do := at[string(n.Entry.Path)]; do != nil {
			do()
		}
		must(t, n.Handle.Close())
	}
	return paths, alarms.take("")
}

func TestWhatChangesDuringTheWalk(t *testing.T) {
	replace := func(name string, with func(name string) error) func() {
		return func() {
			if err := errors.Join(os.RemoveAll(name), with(name)); err != nil {
				panic(err)
			}
		}
	}
	gone := func(string) error { return nil }
	for name, c := range map[string]struct {
		tree   string
		at     string
		do     func()
		paths  string // but for the root
		raised string
	}{
		"a file vanishes": {"a b c", "a", replace("b", gone), "a c", "source/missing b"},
		"a directory vanishes before it is listed": {
			"a b/x c", "a", replace("b", gone), "a c", "source/missing b",
		},
		"a directory vanishes after it was listed": {
			"a b/x c/y", "c", replace("b", gone), "a b c c/y", "source/missing b",
		},
		"a directory vanishes with the walk in it": {
			"a/b/x a/c/y a/d/z e/f", "a/b/x", replace("a", gone), "a e a/b a/c a/d a/b/x e/f", "source/missing a/c;source/missing a/d",
		},
		"a directory becomes a link": {
			"a b/x c", "b", replace("b", func(name string) error { return os.Symlink("c", name) }), "a b c", "source/mismatch b",
		},
		"a directory becomes a file": {
			"a b/x c", "b", replace("b", func(name string) error { return os.WriteFile(name, nil, 0o600) }), "a b c", "source/mismatch b",
		},
		"a directory becomes a fifo": {
			"a b/x c", "b", replace("b", func(name string) error { return unix.Mkfifo(name, 0o600) }), "a b c", "source/mismatch b",
		},
		"a directory becomes another one": {
			"a b/x c", "b", replace("b", func(name string) error { return os.MkdirAll(name+"/y", 0o700) }), "a b c b/y", "",
		},
		"a file becomes a directory": {
			"a b c", "a", replace("b", func(name string) error { return os.MkdirAll(name+"/y", 0o700) }), "a b c b/y", "",
		},
		"a file appears": {"a c", "a", replace("b", func(name string) error { return os.WriteFile(name, nil, 0o600) }), "a c", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(makeTree(t, strings.Fields(c.tree)...))
			paths, raised := walkAnd(t, source.Options{}, map[string]func(){c.at: c.do})
			equal(t, paths[1:], strings.Fields(c.paths))
			if got := strings.Join(raised, ";"); got != c.raised {
				t.Errorf("alarms: %q, want %q", got, c.raised)
			}
		})
	}
}

func TestMovedDirectoriesAreNotTakenForOthers(t *testing.T) {
	for maxOpen, want := range map[int][2]string{
		// Where all are open, the walk goes on in them.
		10: {",a,other,a/b,a/f,a/b/c,a/b/e,a/b/c/d,a/b/c/d/x,a/b/e/y,a/f/z", "source/missing other"},
		// Where none is but the current one, neither the way up nor the names lead to them.
		1: {",a,other,a/b,a/f,a/b/c,a/b/e,a/b/c/d,a/b/c/d/x", "source/mismatch a/b/e,source/mismatch a/f,source/missing other"},
	} {
		t.Chdir(makeTree(t, "a/b/c/d/x", "a/b/e/y", "a/f/z", "other/f/stranger"))
		paths, raised := walkAnd(t, source.Options{MaxOpenDirs: maxOpen}, map[string]func(){"a/b/c/d/x": func() {
			must(t, os.Rename("a/b/c", "moved"))
			must(t, os.Rename("a", "old"))
			must(t, os.Rename("other", "a"))
		}})
		if got := [2]string{strings.Join(paths, ","), strings.Join(raised, ",")}; got != want {
			t.Errorf("%d open:\ngot  %q\nwant %q", maxOpen, got, want)
		}
	}
}

func TestAnAlarmMayEndTheWalk(t *testing.T) {
	for name, o := range walkOptions {
		t.Chdir(makeTree(t, "a", "b", "c/d"))
		o.Alarms = &alarmtest.Alarms{Verdict: alarmtest.Aborting(func(one alarm.Alarm) bool { return one.Condition == alarm.Missing })}
		src, _ := local(t, o, "a", "b", "c")
		must(t, os.Remove("b"))
		var last error
		for n, err := range src.Walk(context.Background(), source.Start{}) {
			if last != nil {
				t.Errorf("%s: it goes on", name)
			}
			if last = err; err == nil {
				must(t, n.Handle.Close())
			}
		}
		var abort *alarm.AbortError
		if !errors.As(last, &abort) || abort.Alarm.Filename != "b" {
			t.Errorf("%s: it ends with %v", name, last)
		}
	}
}

func TestWithoutARaiserTheFirstAlarmEndsTheWalk(t *testing.T) {
	t.Chdir(makeTree(t, "a"))
	src, err := source.Local([]string{"a"}, source.Options{})
	must(t, err)
	must(t, os.Remove("a"))
	var last error
	for n, err := range src.Walk(t.Context(), source.Start{}) {
		if last = err; err == nil {
			must(t, n.Handle.Close())
		}
	}
	if !errors.Is(last, fs.ErrNotExist) {
		t.Errorf("it ends with %v", last)
	}
}

func TestOpenFindsOutWhatIsNoLongerThatFile(t *testing.T) {
	for name, c := range map[string]struct {
		replace func(name string) error
		want    error
	}{
		"fifo":      {func(name string) error { return unix.Mkfifo(name, 0o600) }, source.ErrChanged},
		"link":      {func(name string) error { return os.Symlink("other", name) }, source.ErrChanged},
		"directory": {func(name string) error { return os.Mkdir(name, 0o700) }, source.ErrChanged},
		"socket":    {makeSocket, source.ErrChanged},
		"file":      {func(name string) error { return os.Rename("other", name) }, source.ErrChanged},
		"nothing":   {func(string) error { return nil }, fs.ErrNotExist},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(makeTree(t, "a", "other"))
			src, alarms := local(t, source.Options{}, ".")
			n := find(t, src, "a")
			must(t, os.Rename("a", "keeps the inode"))
			must(t, c.replace("a"))
			if _, err := n.Handle.Open(); !errors.Is(err, c.want) {
				t.Errorf("open: %v, want %v", err, c.want)
			}
			equal(t, alarms.take(""), nil)
		})
	}
}

func makeSocket(name string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Bind(fd, &unix.SockaddrUnix{Name: name})
}

func TestHandlesAfterClose(t *testing.T) {
	t.Chdir(makeTree(t, "a/b"))
	src, _ := local(t, source.Options{}, ".")
	for n, err := range src.Walk(t.Context(), source.Start{}) {
		must(t, err)
		must(t, n.Handle.Close())
		if err := n.Handle.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("closed twice: %v", err)
		}
		if _, err := n.Handle.Open(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("opened when it is closed: %v", err)
		}
	}
}

func TestContentIsReadOnFromWhereItWasLeft(t *testing.T) {
	t.Chdir(makeTree(t))
	data := strings.Repeat("0123456789", 1000)
	must(t, os.WriteFile("a", []byte(data), 0o600))
	src, _ := local(t, source.Options{}, ".")
	n := find(t, src, "a")
	c, err := n.Handle.Open()
	must(t, err)
	defer c.Close()
	var first [13]byte
	if _, err := io.ReadFull(c, first[:]); err != nil || string(first[:]) != data[:13] {
		t.Errorf("read %q, %v", first, err)
	}
	if start, end, err := c.NextData(5000); start != 5000 || end != 10_000 || err != nil {
		t.Errorf("next data: %d, %d, %v", start, end, err)
	}
	rest, err := io.ReadAll(c)
	if string(rest) != data[5000:] || err != nil {
		t.Errorf("read %d bytes, %v", len(rest), err)
	}
	for _, offset := range []int64{10_000, 20_000} {
		if start, end, err := c.NextData(offset); start != 10_000 || end != 10_000 || err != nil {
			t.Errorf("next data at %d: %d, %d, %v", offset, start, end, err)
		}
	}
	must(t, os.WriteFile("a", []byte("other"), 0o600))
	opened, err := c.Stat()
	must(t, err)
	if opened.Size != 10_000 {
		t.Errorf("it was opened with %d bytes", opened.Size)
	}
	now, err := c.Stat()
	must(t, err)
	if now.Size != 5 || now.Path != "" || now.Inode != n.Entry.Inode || now.Kind != format.File {
		t.Errorf("it is now %+v", now)
	}
}
