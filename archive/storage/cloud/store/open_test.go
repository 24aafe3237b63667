package store_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/cloud"
	"dura/archive/storage/cloud/s3test"
	"dura/archive/storage/cloud/store"
)

func TestOperationsTakeFewRequests(t *testing.T) {
	server := startS3(t)
	s := open(t, server.Archive("a"))
	for i, c := range []struct {
		do       func() error
		requests int
	}{
		{func() error { return nil }, 0}, // opening
		{func() error { return s.Create(t.Context(), "a", make([]byte, 15<<20)) }, 1},
		{func() error { return s.Create(t.Context(), "b", nil) }, 1},
		{func() error {
			_, err := s.Read(t.Context(), "a", 5, 100)
			return err
		}, 1},
		{func() error {
			_, err := s.Stat(t.Context(), "a")
			return err
		}, 1},
		{func() (err error) {
			for _, err = range s.List(t.Context(), "", storage.Shallow) {
			}
			return err
		}, 1},
		{func() error { return s.Delete(t.Context(), "a") }, 2}, // S3 doesn't tell whether there was one
	} {
		if err := c.do(); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if requests := server.Requests(); len(requests) != c.requests {
			t.Errorf("%d: %q", i, requests)
		}
	}
}

func TestALargeObjectIsExclusiveToo(t *testing.T) {
	server := startS3(t)
	s := open(t, server.Archive("a"))
	content := make([]byte, 17<<20)
	content[1<<20] = 1
	if err := s.Create(t.Context(), "large", content); err != nil {
		t.Fatal(err)
	}
	if requests := strings.Join(server.Requests(), "\n"); !strings.Contains(requests, "uploadId") {
		t.Errorf("it wasn't stored in parts:\n%s", requests)
	}
	content[1<<20] = 2
	wantKind(t, "a second create", s.Create(t.Context(), "large", content), storage.KindExists)
	got, err := s.Read(t.Context(), "large", 1<<20, 1)
	if err != nil || len(got) != 1 || got[0] != 1 {
		t.Errorf("read %v, %v", got, err)
	}
}

func TestCreateProbesTheStoreAndLeavesNothing(t *testing.T) {
	server := startS3(t)
	s, err := store.Create(t.Context(), mustParse(t, server.Archive("a")), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	requests := strings.Join(server.Requests(), "\n")
	if strings.Count(requests, "PutObject") != 2 || strings.Count(requests, "-1?uploadId=") != 3 { // and one to give up
		t.Errorf("%s", requests)
	}
	everything := open(t, server.Archive(""))
	if name, err := everything.Occupant(t.Context()); name != "" || err != nil {
		t.Errorf("%q is left, %v", name, err)
	}
	for info, err := range everything.List(t.Context(), "", storage.Deep) {
		t.Errorf("%q is left, %v", info.Name, err)
	}
}

func TestCreateRefusesAStoreThatWritesOverObjects(t *testing.T) {
	server := startS3(t)
	without := func(fits func(r *http.Request) bool) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if fits(r) {
				r.Header.Del("If-None-Match")
			}
			next.ServeHTTP(w, r)
		}
	}
	isPart := func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploadId") }
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request, http.Handler){
		"uploads":           without(isUpload),
		"uploads in parts":  without(isPart),
		"refused":           whenever(isUpload, http.StatusNotImplemented, "NotImplemented"),
		"refused for parts": whenever(isPart, http.StatusNotImplemented, "NotImplemented"),
	} {
		server.Intercept(fault)
		_, err := store.Create(t.Context(), mustParse(t, server.Archive("a")), store.Options{})
		var unconditional *cloud.UnconditionalError
		if !errors.As(err, &unconditional) || !storage.Is(err, storage.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		server.Intercept(nil)
		for info := range open(t, server.Archive("")).List(t.Context(), "", storage.Deep) {
			t.Errorf("%s: %q is left", name, info.Name)
		}
	}
}

func TestCreateGoesOnWhereNothingMayBeDeleted(t *testing.T) {
	server := startS3(t)
	server.Intercept(whenever(func(r *http.Request) bool { return r.Method == http.MethodDelete }, http.StatusForbidden, "AccessDenied"))
	s, err := store.Create(t.Context(), mustParse(t, server.Archive("a")), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if name, err := s.Occupant(t.Context()); name != "" || err != nil {
		t.Errorf("%q is in the way, %v", name, err)
	}
}

func TestOccupantsOfAPlace(t *testing.T) {
	server := startS3(t)
	all := open(t, server.Archive(""))
	if err := all.Create(t.Context(), "a/object", nil); err != nil {
		t.Fatal(err)
	}
	put := func(key string) {
		r, err := http.NewRequest(http.MethodPut, server.URL+"/"+s3test.Bucket+"/"+key, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v, %v", key, answer, err)
		}
		answer.Body.Close()
	}
	put("a/.hidden")
	if name, err := open(t, server.Archive("a")).Occupant(t.Context()); name != "" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
	put("a/Some%20File.JPG")
	if name, err := open(t, server.Archive("a")).Occupant(t.Context()); name != "Some File.JPG" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
}

func TestWithoutCredentials(t *testing.T) {
	server := startS3(t)
	t.Setenv("HOME", t.TempDir())
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(name, "")
	}
	_, err := store.Open(t.Context(), mustParse(t, server.Archive("a")), store.Options{})
	var none *cloud.CredentialsError
	if !errors.As(err, &none) || !storage.Is(err, storage.KindDenied) {
		t.Errorf("%v", err)
	}
	s := open(t, server.Archive("a")+"&anonymous=true")
	_, err = s.Read(t.Context(), "none", 0, 1)
	wantKind(t, "an anonymous read", err, storage.KindNotFound)
}

func TestParametersThatAreOff(t *testing.T) {
	startS3(t)
	t.Setenv("AZURE_STORAGE_ACCOUNT", "account")
	t.Setenv("AZURE_STORAGE_KEY", "a2V5")
	for _, word := range []string{
		"s3://b?nonsense=1", "s3://b?use_path_style=perhaps", "s3://b?profile=none-such", "gs://b?anonymous=true&nonsense=1",
		"azblob://b?nonsense=1", "azblob://b?protocol=gopher",
	} {
		_, err := store.Open(t.Context(), mustParse(t, word), store.Options{})
		wantKind(t, word, err, storage.KindInvalid)
	}
}
