package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/cloud"
	"dura/archive/storage/cloud/s3test"
	"dura/archive/storage/cloud/store"
	"dura/archive/storage/storagetest"
)

// startS3 runs a server and gives this process credentials for it.
func startS3(t *testing.T) *s3test.Server {
	t.Helper()
	for name, value := range s3test.Environment() {
		t.Setenv(name, value)
	}
	return s3test.Start(t)
}

func mustParse(t *testing.T, word string) cloud.Place {
	t.Helper()
	p, err := cloud.Parse(word)
	if err != nil {
		t.Fatalf("%s: %v", word, err)
	}
	return p
}

// open opens a place that can be opened.
func open(t *testing.T, word string) *store.Storage {
	t.Helper()
	s, err := store.Open(t.Context(), mustParse(t, word), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestS3ConformsToTheSuite(t *testing.T) {
	server := startS3(t)
	archives := 0
	storagetest.Run(t, func(t *testing.T) storage.Storage {
		archives++
		return open(t, server.Archive(fmt.Sprintf("some/archive-%d", archives)))
	}, storagetest.SingleDeletes)
}

func TestWhatLiesBesideAnArchiveIsUnseen(t *testing.T) {
	server := startS3(t)
	ctx := context.Background()
	for _, prefix := range []string{"", "a", "a/b", "ab"} {
		if err := open(t, server.Archive(prefix)).Create(ctx, "object", []byte(prefix)); err != nil {
			t.Fatal(err)
		}
	}
	for prefix, want := range map[string]string{"a": "b/object object", "a/b": "object", "ab": "object", "": "a/b/object a/object ab/object object"} {
		s := open(t, server.Archive(prefix))
		var got string
		for info, err := range s.List(ctx, "", storage.Deep) {
			if err != nil {
				t.Fatal(err)
			}
			if got != "" {
				got += " "
			}
			got += info.Name
		}
		if got != want {
			t.Errorf("%q: listed %s, want %s", prefix, got, want)
		}
		if content, err := s.Read(ctx, "object", 0, 10); string(content) != prefix || err != nil {
			t.Errorf("%q: read %q, %v", prefix, content, err)
		}
	}
}

func TestErrorsAreOfStorage(t *testing.T) {
	server := startS3(t)
	s := open(t, server.Archive("a"))
	_, err := s.Read(t.Context(), "none", 0, 1)
	var e *storage.Error
	if !errors.As(err, &e) || e.Op != storage.OpRead || e.Object != "none" || e.Kind != storage.KindNotFound {
		t.Errorf("%#v", err)
	}
}
