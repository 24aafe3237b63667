package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dura/archive/storage"
	"dura/archive/storage/cloud"
	"dura/archive/storage/cloud/s3test"
	"dura/archive/storage/cloud/store"
)

// isUpload reports whether r stores an object, rather than a part of one.
func isUpload(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.RawQuery == "x-id=PutObject"
}

func wantKind(t *testing.T, what string, err error, kind storage.Kind) {
	t.Helper()
	if !storage.Is(err, kind) {
		t.Errorf("%s: got %v, want an error of kind %q", what, err, kind)
	}
}

// whenever answers what fits with an error, and leaves the rest to S3.
func whenever(fits func(r *http.Request) bool, status int, code string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if fits(r) {
			s3test.Answer(w, status, code)
			return
		}
		next.ServeHTTP(w, r)
	}
}

func always(*http.Request) bool { return true }

func TestWhatS3SaysIsTold(t *testing.T) {
	server := startS3(t)
	s := open(t, server.Archive("a"))
	ctx := t.Context()
	operations := map[string]func() error{
		"create": func() error { return s.Create(ctx, "object", []byte("x")) },
		"read": func() error {
			_, err := s.Read(ctx, "object", 0, 1)
			return err
		},
		"stat": func() error {
			_, err := s.Stat(ctx, "object")
			return err
		},
		"delete": func() error { return s.Delete(ctx, "object") },
		"list": func() (err error) {
			for _, err = range s.List(ctx, "", storage.Deep) {
			}
			return err
		},
	}
	for _, c := range []struct {
		status int
		code   string
		want   storage.Kind
	}{
		{http.StatusServiceUnavailable, "SlowDown", storage.KindUnavailable},
		{http.StatusInternalServerError, "InternalError", storage.KindUnavailable},
		{http.StatusConflict, "ConditionalRequestConflict", storage.KindUnavailable},
		{http.StatusForbidden, "AccessDenied", storage.KindDenied},
		{http.StatusInsufficientStorage, "XMinioStorageFull", storage.KindFull},
	} {
		server.Intercept(whenever(always, c.status, c.code))
		for name, do := range operations {
			server.Requests()
			err := do()
			if (name == "stat" || name == "delete") && c.status == http.StatusInsufficientStorage {
				continue // the answer to HEAD has no code
			}
			wantKind(t, name+" with "+c.code, err, c.want)
			if n := len(server.Requests()); n != 1 {
				t.Errorf("%s with %s: %d requests", name, c.code, n)
			}
		}
	}
	server.Intercept(nil)
	for _, name := range []string{"create", "read", "stat", "list", "delete"} {
		if err := operations[name](); err != nil {
			t.Errorf("%s, when all is well again: %v", name, err)
		}
	}
}

func TestABucketThatIsMissing(t *testing.T) {
	server := startS3(t)
	s := open(t, "s3://none/a?"+server.Query())
	_, read := s.Read(t.Context(), "DURA-ARCHIVE", 0, 10)
	var list error
	for _, list = range s.List(t.Context(), "", storage.Deep) {
	}
	for name, err := range map[string]error{"read": read, "list": list, "create": s.Create(t.Context(), "a", nil)} {
		var none *cloud.NoBucketError
		if !errors.As(err, &none) || none.Bucket != "none" || !storage.Is(err, storage.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABucketInAnotherRegion(t *testing.T) {
	server := startS3(t)
	server.Intercept(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("X-Amz-Bucket-Region", "eu-north-1")
		s3test.Answer(w, http.StatusMovedPermanently, "PermanentRedirect")
	})
	_, err := open(t, server.Archive("a")).Read(t.Context(), "DURA-ARCHIVE", 0, 10)
	var elsewhere *cloud.RegionError
	if !errors.As(err, &elsewhere) || elsewhere.Region != "eu-north-1" || elsewhere.Bucket != s3test.Bucket {
		t.Errorf("%v", err)
	}
}

// A proxy may send a request again when the answer to the first is lost.
func TestAnUploadThatArrivesTwiceIsOurs(t *testing.T) {
	server := startS3(t)
	s := open(t, server.Archive("a"))
	server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !isUpload(r) {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(httptest.NewRecorder(), r)
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
	if err := s.Create(t.Context(), "object", []byte("content")); err != nil {
		t.Errorf("%v", err)
	}
	wantKind(t, "a second create with equal content", s.Create(t.Context(), "object", []byte("content")), storage.KindExists)
}

func TestLostConnectionsAreUnavailable(t *testing.T) {
	server := startS3(t)
	s := open(t, server.Archive("a"))
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	if err := s.Create(t.Context(), "object", content); err != nil {
		t.Fatal(err)
	}
	server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "object") {
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write(content[:300_000])
		}
		panic(http.ErrAbortHandler)
	})
	_, err := s.Read(t.Context(), "object", 0, len(content))
	wantKind(t, "read", err, storage.KindUnavailable)
	_, err = s.Stat(t.Context(), "object")
	wantKind(t, "stat", err, storage.KindUnavailable)
	wantKind(t, "create", s.Create(t.Context(), "other", content), storage.KindUnavailable)
	for _, err = range s.List(t.Context(), "", storage.Deep) {
	}
	wantKind(t, "list", err, storage.KindUnavailable)
}

// untilGone takes in a request and waits until the client has gone away.
func untilGone(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestAServerThatIsSilentIsGivenUp(t *testing.T) {
	server := startS3(t)
	const stall = 300 * time.Millisecond
	s, err := store.Open(t.Context(), mustParse(t, server.Archive("a")), store.Options{StallTimeout: stall})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Create(t.Context(), "object", bytes.Repeat([]byte("x"), 20)); err != nil {
		t.Fatal(err)
	}
	var slow atomic.Bool
	server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !slow.Load() {
			untilGone(r)
			return
		}
		w.Header().Set("Content-Length", "20")
		for range 20 {
			time.Sleep(stall / 6)
			_, _ = w.Write([]byte("x"))
			w.(http.Flusher).Flush()
		}
	})
	began := time.Now()
	_, err = s.Read(t.Context(), "object", 0, 20)
	wantKind(t, "read", err, storage.KindUnavailable)
	wantKind(t, "create", s.Create(t.Context(), "b", []byte("y")), storage.KindUnavailable)
	if took := time.Since(began); took < stall || took > 20*stall {
		t.Errorf("it took %v to give up twice", took)
	}
	slow.Store(true) // longer than the bound in all, but never as long at a time
	if got, err := s.Read(t.Context(), "object", 0, 20); len(got) != 20 || err != nil {
		t.Errorf("a slow read: %q, %v", got, err)
	}
}

func TestAContextEndsWhatIsUnderWay(t *testing.T) {
	server := startS3(t)
	s := open(t, server.Archive("a"))
	server.Intercept(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { untilGone(r) })
	for name, do := range map[string]func(ctx context.Context) error{
		"create": func(ctx context.Context) error { return s.Create(ctx, "object", make([]byte, 1<<20)) },
		"read": func(ctx context.Context) error {
			_, err := s.Read(ctx, "object", 0, 1)
			return err
		},
		"delete": func(ctx context.Context) error { return s.Delete(ctx, "object") },
		"list": func(ctx context.Context) (err error) {
			for _, err = range s.List(ctx, "", storage.Deep) {
			}
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		began := time.Now()
		if err := do(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v to end", name, took)
		}
	}
}

func TestAnEndpointWhereNobodyListens(t *testing.T) {
	for name, value := range s3test.Environment() {
		t.Setenv(name, value)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	s := open(t, "s3://bucket/a?use_path_style=true&endpoint=http://"+free.Addr().String())
	_, err = s.Read(t.Context(), "DURA-ARCHIVE", 0, 10)
	wantKind(t, "read", err, storage.KindUnavailable)
	var network net.Error
	if !errors.As(err, &network) {
		t.Errorf("%v doesn't say what is wrong with the network", err)
	}
}

func TestAServerThatLiesAboutLengths(t *testing.T) {
	server := startS3(t)
	s := open(t, server.Archive("a"))
	server.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Range", "bytes 0-9/1000000000000000")
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write([]byte("0123456789"))
	})
	_, err := s.Read(t.Context(), "object", 0, 1<<40)
	wantKind(t, "read", err, storage.KindUnavailable)
}

func TestAListingOutOfOrder(t *testing.T) {
	server := startS3(t)
	s := open(t, server.Archive("a"))
	server.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		_, _ = io.WriteString(w, `<?xml version="1.0"?><ListBucketResult><Name>test-bucket</Name><Prefix>a/</Prefix><KeyCount>2</KeyCount>
<Contents><Key>a/y</Key><Size>1</Size><LastModified>2026-11-24T00:00:00Z</LastModified></Contents>
<Contents><Key>a/x</Key><Size>1</Size><LastModified>2026-11-24T00:00:00Z</LastModified></Contents></ListBucketResult>`)
	})
	var names []string
	var last error
	for info, err := range s.List(t.Context(), "", storage.Deep) {
		if last = err; err == nil {
			names = append(names, info.Name)
		}
	}
	if len(names) != 1 || names[0] != "y" {
		t.Errorf("listed %q", names)
	}
	wantKind(t, "list", last, storage.KindIO)
}
