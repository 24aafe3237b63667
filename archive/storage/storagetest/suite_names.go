package storagetest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"dura/archive/storage"
)

func invalidNames(t testing.TB, s storage.Storage) {
	ctx := context.Background()
	names := []string{
		"", ".", "..", "/", "/a", "a/", "a//b", "a/./b", "a/../b", "../a", "A", "a b", "a\x00b", "a\\b", "ä", "\xff",
		"dura-archive", "readme.txt", "Readme.txt", ".a", "a/.b", storage.TemporaryPrefix + "0",
		strings.Repeat("c", storage.MaxComponentBytes+1), strings.Repeat("c/", storage.MaxNameBytes/2) + "c",
	}
	for _, name := range names {
		wantKind(t, "create "+name, s.Create(ctx, name, []byte("x")), storage.KindInvalid)
		_, err := s.Read(ctx, name, 0, 1)
		wantKind(t, "read "+name, err, storage.KindInvalid)
		_, err = s.Stat(ctx, name)
		wantKind(t, "stat "+name, err, storage.KindInvalid)
		wantKind(t, "delete "+name, s.Delete(ctx, name), storage.KindInvalid)
	}
	if got := list(t, s, "", storage.Deep); len(got) != 0 {
		t.Errorf("listed %q", got)
	}
}

func longNames(t testing.TB, s storage.Storage) {
	names := []string{
		strings.Repeat("c", storage.MaxComponentBytes),
		strings.Repeat("ddddddd/", storage.MaxNameBytes/8-1) + "dddddddd",
		strings.Repeat(strings.Repeat("e", storage.MaxComponentBytes-1)+"/", 3) + strings.Repeat("e", storage.MaxComponentBytes),
	}
	for _, name := range names {
		mustCreate(t, s, name, []byte(name))
	}
	for _, name := range names {
		mustHold(t, s, name, []byte(name))
		if got := list(t, s, name, storage.Shallow); len(got) != 1 || got[0] != name {
			t.Errorf("list %q: got %q", name, got)
		}
	}
	if got := list(t, s, "", storage.Deep); len(got) != len(names) {
		t.Errorf("listed %q", got)
	}
	for _, name := range names {
		mustDelete(t, s, name)
	}
}

func contextDone(t testing.TB, s storage.Storage) {
	mustCreate(t, s, "a", []byte("x"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	want := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", what, err)
		}
	}
	want("create", s.Create(ctx, "b", []byte("y")))
	_, err := s.Read(ctx, "a", 0, 1)
	want("read", err)
	_, err = s.Stat(ctx, "a")
	want("stat", err)
	want("delete", s.Delete(ctx, "a"))
	for _, prefix := range []string{"", "a", "nowhere/"} {
		yields := 0
		for info, err := range s.List(ctx, prefix, storage.Deep) {
			want("list", err)
			if yields++; yields > 1 {
				t.Fatalf("list yields %+v after an error", info)
			}
		}
		if yields != 1 {
			t.Errorf("list %q shows no error", prefix)
		}
	}
	if got := list(t, s, "", storage.Deep); len(got) != 1 || got[0] != "a" {
		t.Errorf("there is %q now", got)
	}
}
