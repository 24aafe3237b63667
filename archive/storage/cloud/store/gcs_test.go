package store_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/cloud/store"
)

// startGoogle runs a server that answers as write does, and opens a place there.
func startGoogle(t *testing.T, write func(w http.ResponseWriter, r *http.Request)) *store.Storage {
	t.Helper()
	server := startStore(t, func(w http.ResponseWriter, r *http.Request, _ said) { write(w, r) })
	t.Setenv("STORAGE_EMULATOR_HOST", "http://"+server.host+"/")
	return open(t, "gs://bucket/a")
}

func TestGoogleAnswersARangeOrFails(t *testing.T) {
	status, content := http.StatusPartialContent, "0123"
	s := startGoogle(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Range"); got != "bytes=6-9" {
			t.Errorf("asked for %q", got)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, content)
	})
	for _, c := range []struct {
		status  int
		content string
		kind    storage.Kind
	}{
		{http.StatusOK, "0123", storage.KindIO}, // it took no notice of the range
		{http.StatusPartialContent, "01234", storage.KindIO},
		{http.StatusPartialContent, strings.Repeat("0", 100_000), storage.KindIO}, // of no length
		{http.StatusForbidden, "no access", storage.KindDenied},
	} {
		status, content = c.status, c.content
		_, err := s.Read(t.Context(), "object", 6, 4)
		wantKind(t, fmt.Sprintf("status %d and %d bytes", c.status, len(c.content)), err, c.kind)
		if c.kind == storage.KindDenied && !strings.Contains(err.Error(), c.content) {
			t.Errorf("%v", err)
		}
	}
	for _, want := range []string{"0123", "01", ""} {
		status, content = http.StatusPartialContent, want
		if got, err := s.Read(t.Context(), "object", 6, 4); string(got) != want || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestAListingOfGoogleThatTurnsInACircleEnds(t *testing.T) {
	pages := 0
	s := startGoogle(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"nextPageToken":"again","items":[{"name":"a/%04d","size":"7"}]}`, pages)
		pages++
	})
	var err error
	found := 0
	for _, err = range s.List(t.Context(), "", storage.Deep) {
		found++
	}
	if err == nil || pages != 2 || found != 2 {
		t.Errorf("%d pages, %d yields, %v", pages, found, err)
	}
}

func TestParametersOfAPlaceOfGoogle(t *testing.T) {
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/none")
	for word, want := range map[string]storage.Kind{
		"gs://b?anonymous=perhaps":  storage.KindInvalid,
		"gs://b?access_id=somebody": storage.KindInvalid,
		"gs://b?grpc=true":          storage.KindInvalid,
		"gs://b?anonymous=false":    storage.KindDenied, // no credentials
	} {
		_, err := store.Open(t.Context(), mustParse(t, word), store.Options{})
		wantKind(t, word, err, want)
	}
	for _, word := range []string{"gs://b?anonymous=true", "gs://b?access_id=-&universe_domain=cloud.example"} {
		open(t, word)
	}
}
