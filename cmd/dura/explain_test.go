package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/restore"
	"dura/archive/storage"
	"dura/writer/source"
)

func TestErrorsAreExplained(t *testing.T) {
	denied := alarm.Alarm{Area: alarm.Source, Condition: alarm.Denied, Filename: "/x", Err: syscall.EACCES}
	stored := func(op string, kind storage.Kind, cause error) error {
		return &storage.Error{Op: op, Object: "bands/b.head", Kind: kind, Err: cause}
	}
	for _, c := range []struct {
		err            error
		kind, sentence string
	}{
		{context.Canceled, "interrupted", "interrupted"},
		{fmt.Errorf("while walking: %w", errInterrupted), "interrupted", "interrupted"},
		{&alarm.AbortError{Alarm: denied}, "aborted",
			"stopped by an alarm: source/denied: /x: permission denied; to go on in spite of it, add --alarm source/denied=continue"},
		{stored(storage.OpCreate, storage.KindFull, syscall.ENOSPC), "full",
			"no space is left for /a/bands/b.head (no space left on device); free some and run this again: what was complete before is as it was"},
		{stored(storage.OpCreate, storage.KindReadOnly, syscall.EROFS), "read_only",
			"/a/bands/b.head can't be written: that file system is read-only; mount it for writing"},
		{stored(storage.OpCreate, storage.KindDenied, syscall.EACCES), "denied",
			"/a/bands/b.head: permission denied; run this as a user who may write there"},
		{stored(storage.OpRead, storage.KindDenied, syscall.EACCES), "denied",
			"/a/bands/b.head: permission denied; run this as a user who may read there"},
		{stored(storage.OpRead, storage.KindIO, syscall.EIO), "io",
			`/a/bands/b.head: input/output error; check the disk or the connection, then "dura verify /a --blocks"`},
		{stored(storage.OpCreate, storage.KindExists, nil), "exists",
			"/a/bands/b.head exists already, though only this run would make it; is another backup writing to this archive? Run this again"},
		{stored(storage.OpRead, storage.KindNotFound, nil), "damaged",
			`/a/bands/b.head is missing from the archive; "dura verify /a" shows all that is`},
		{&archive.Error{Op: "read", Object: "bands/b.head", Kind: archive.KindMissing}, "damaged",
			`/a/bands/b.head is missing from the archive; "dura verify /a" shows all that is`},
		{&archive.Error{Op: "read", Object: "bands/b.tail", Kind: archive.KindCorrupt, Err: &format.CorruptError{What: "tail", Reason: "no end"}},
			"damaged", `/a/bands/b.tail is damaged: no end; "dura verify /a" shows all that is, and another band may hold the same`},
		{&archive.Error{Op: "open", Band: "b", Kind: archive.KindTooNew, Err: &format.UnsupportedError{What: "band", Version: 7}}, "too_new",
			"band b was made by a newer Dura (this band is of format 7; this version of Dura knows format 1); use a newer version of dura for it"},
		{&archive.Error{Op: "read", Kind: archive.KindNotADirectory, Path: "x/y"}, "not_a_directory", "x/y is not a directory"},
		{&archive.Error{Op: "read", Kind: archive.KindDenied, Err: stored(storage.OpRead, storage.KindDenied, syscall.EACCES)}, "denied",
			"/a/bands/b.head: permission denied; run this as a user who may read there"},
		{&source.RootError{Root: "/x", Err: syscall.ENOENT}, "source_missing",
			"there is no /x, which was to be backed up; check the path, or leave it out"},
		{&source.RootError{Root: "/x", Err: syscall.EIO}, "source", "/x can't be backed up: input/output error"},
		{&restore.Error{Op: "restore", Path: "/out/f", Err: syscall.ENOSPC}, "dest_full",
			"/out/f can't be restored: no space left on device; free some space there and run this again, with --overwrite"},
		{&restore.Error{Op: "open", Path: "/out", Err: syscall.EACCES}, "dest_denied",
			"/out can't be restored to: permission denied; name another place, or run this as a user who may write there"},
		{&outputError{syscall.ENOSPC}, "output", "standard output takes no more: no space left on device"},
		{&fs.PathError{Op: "open", Path: "/etc/x\n", Err: syscall.EMFILE}, "failed", `open /etc/x\n failed: too many open files`},
		{errors.New("odd\x1b"), "failed", `odd\x1b`},
	} {
		a := &app{place: "/a"}
		kind, sentence := a.explain(c.err)
		if !strings.Contains(helpJSON, kind+",") && !strings.Contains(helpJSON, kind+".") {
			t.Errorf("help doesn't know the kind %s", kind)
		}
		if kind != c.kind || sentence != c.sentence {
			t.Errorf("%v\n got %s: %s\nwant %s: %s", c.err, kind, sentence, c.kind, c.sentence)
		}
	}
}

func TestEveryStorageKindHasASentence(t *testing.T) {
	for kind := storage.KindIO; !strings.HasPrefix(kind.String(), "Kind("); kind++ {
		a := &app{place: "/a"}
		word, sentence := a.explain(&storage.Error{Op: storage.OpRead, Object: "x", Kind: kind})
		if word == "failed" || !strings.Contains(sentence, "/a/x") {
			t.Errorf("%v: %s: %s", kind, word, sentence)
		}
	}
}

func TestEveryArchiveKindHasASentence(t *testing.T) {
	for kind := archive.KindIO; !strings.HasPrefix(kind.String(), "Kind("); kind++ {
		a := &app{place: "/a"}
		if _, sentence := a.explain(&archive.Error{Op: "read", Band: "b", Path: "p", Kind: kind}); sentence == "" || strings.Contains(sentence, "%!") {
			t.Errorf("%v: %q", kind, sentence)
		}
	}
}

func TestAFailedRunSaysWhatItLeavesBehind(t *testing.T) {
	a := &app{place: "/a", kept: "b"}
	if _, got := a.explain(context.Canceled); got != "interrupted; what was stored stays in band b, which is incomplete" {
		t.Errorf("got %q", got)
	}
	a = &app{place: "/a", restoredTo: "out"}
	if _, got := a.explain(context.Canceled); got != "interrupted; what was restored until then is in out, and each file there is whole" {
		t.Errorf("got %q", got)
	}
}

func TestAlarmsAreOneLineEach(t *testing.T) {
	var out bytes.Buffer
	a := &app{host: host{}, console: &console{w: &out}}
	a.tellAlarm(alarm.Alarm{Area: alarm.Source, Condition: alarm.Denied, Filename: "/a\nb", Err: &fs.PathError{Op: "open", Path: "b", Err: syscall.EACCES}}, alarm.Continue)
	a.tellAlarm(alarm.Alarm{Area: alarm.Source, Condition: alarm.Mismatch, Filename: "c", Message: "it changed"}, alarm.Continue)
	a.tellAlarm(alarm.Alarm{Area: alarm.Source, Condition: alarm.Missing, Filename: "d"}, alarm.Suppress)
	a.tellAlarm(alarm.Alarm{Area: alarm.Source, Condition: alarm.Missing, Filename: "e"}, alarm.Abort) // the failure tells
	want := "dura: source/denied: /a\\nb: permission denied\ndura: source/mismatch: c: it changed\n"
	if out.String() != want {
		t.Errorf("\n got %q\nwant %q", out.String(), want)
	}
}
