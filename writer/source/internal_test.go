package source

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dura/archive/alarm"
	"dura/archive/format"
)

func FuzzDirentStaysWithinItsBuffer(f *testing.F) {
	record := func(inode uint64, typ uint8, name string) []byte {
		b := make([]byte, (int(direntName)+len(name)+8)&^7)
		binary.NativeEndian.PutUint64(b, inode)
		binary.NativeEndian.PutUint16(b[direntReclen:], uint16(len(b)))
		b[direntType] = typ
		copy(b[direntName:], name)
		return b
	}
	f.Add([]byte{})
	f.Add(append(record(1, unix.DT_DIR, "."), record(2, unix.DT_REG, "a name")...))
	f.Add(record(0, unix.DT_REG, "no inode"))
	f.Add(record(3, unix.DT_REG, "")[:direntName+1])
	f.Fuzz(func(t *testing.T, buf []byte) {
		for rest := buf; len(rest) > 0; {
			name, _, next := dirent(rest)
			if next == nil {
				return
			}
			if len(next) >= len(rest) || len(name) > len(rest)-len(next) {
				t.Fatalf("%d bytes became a name of %d and a rest of %d", len(rest), len(name), len(next))
			}
			rest = next
		}
	})
}

func FuzzParseExcludes(f *testing.F) {
	f.Add("*.o\n# c\n!/keep/**/x/\n{a,b}[a-z]\\ ", "keep/x/y.o", true)
	f.Add("!\n", "a", false)
	f.Add("[", "[", false)
	f.Fuzz(func(t *testing.T, text, path string, directory bool) {
		patterns, err := ParseExcludes(strings.NewReader(text))
		if err != nil || !format.ValidPath(path) || len(text) > 1000 {
			return
		}
		x, err := newExcluder(patterns)
		if err != nil {
			t.Fatalf("%q parses and can't be used: %v", patterns, err)
		}
		x.match(path, directory)
	})
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		seconds, nanos int64
		want           format.Time
	}{
		{0, 0, format.Time{}},
		{-1, 999_999_999, format.Time{Seconds: -1, Nanos: 999_999_999}},
		{1 << 40, 1, format.Time{Seconds: 1 << 40, Nanos: 1}}, // after 2262
		{math.MinInt64, 0, format.Time{Seconds: math.MinInt64}},
		{5, -1, format.Time{Seconds: 4, Nanos: 999_999_999}},
		{5, -1_000_000_000, format.Time{Seconds: 4}},
		{5, 2_500_000_000, format.Time{Seconds: 7, Nanos: 500_000_000}},
	} {
		if got := timeOf(c.seconds, c.nanos); got != c.want {
			t.Errorf("%d, %d: got %+v, want %+v", c.seconds, c.nanos, got, c.want)
		}
	}
}

func TestOwnersAreLookedUpOnceAndNotRememberedWithoutBound(t *testing.T) {
	lookups := 0
	o := newOwners(func(uid, gid uint32) (string, string) {
		lookups++
		if uid == 0 {
			return "", "wheel"
		}
		return "u" + strconv.Itoa(int(uid)), "g" + strconv.Itoa(int(gid))
	})
	for range 3 {
		if got := o.of(0, 0); got != (format.Owner{Group: "wheel"}) {
			t.Errorf("0: %+v", got)
		}
		if got := o.of(1, 2); got != (format.Owner{UID: 1, GID: 2, User: "u1", Group: "g2"}) {
			t.Errorf("1: %+v", got)
		}
	}
	if lookups != 2 {
		t.Errorf("%d lookups", lookups)
	}
	for uid := range uint32(3 * maxOwners) {
		o.of(uid, 7)
	}
	if len(o.known) > maxOwners {
		t.Errorf("%d are remembered", len(o.known))
	}
}

func TestConditions(t *testing.T) {
	for err, want := range map[error]alarm.Condition{
		unix.ENOENT: alarm.Missing, unix.ESTALE: alarm.Missing, fs.ErrClosed: alarm.IOError, unix.EIO: alarm.IOError,
		unix.EACCES: alarm.Denied, unix.EPERM: alarm.Denied, unix.ENOTDIR: alarm.Mismatch, unix.ELOOP: alarm.Mismatch,
		ErrChanged: alarm.Mismatch, unix.ENAMETOOLONG: alarm.Unsupported, unix.ENOTSUP: alarm.Unsupported,
		unix.EMFILE: alarm.IOError, errors.New("other"): alarm.IOError,
	} {
		if got := ConditionOf(fmt.Errorf("reading: %w", err)); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}

func TestTrailingBlanksOfPatterns(t *testing.T) {
	for line, want := range map[string]string{
		"a": "a", "a ": "a", "a \t\r": "a", `a\ `: `a\ `, `a\  `: `a\ `, `a\\ `: `a\\`, " a": " a", "  ": "", "": "", `\`: `\`,
	} {
		if got := trimBlanks(line); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

func TestAWalkEntersWhatMayBeADirectory(t *testing.T) {
	w := &walk{start: Behind("a/b/c")}
	for _, typ := range []uint8{unix.DT_UNKNOWN, unix.DT_DIR, unix.DT_REG, unix.DT_LNK} {
		mayEnter := typ == unix.DT_UNKNOWN || typ == unix.DT_DIR
		for path, want := range map[format.Path]bool{
			"0": false, "a": mayEnter, "b": mayEnter, "a/a": false, "a/b": mayEnter, "a/c": mayEnter, "a/b/b": mayEnter, "a/b/d": true,
		} {
			if got := w.wants(path, typ); got != want {
				t.Errorf("type %d, %q: %v", typ, path, got)
			}
		}
	}
}
