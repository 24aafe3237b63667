// Package s3test is an S3 server for tests, in the test's own process: gofakes3 in memory, with what it lacks of S3, and with
// faults that a test may plant.
package s3test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

// Server is a running server. Start makes one.
type Server struct {
	URL    string
	server *httptest.Server

	mu        sync.Mutex
	intercept func(w http.ResponseWriter, r *http.Request, next http.Handler)
	requests  []string
}

// Bucket is the one that a server has.
const Bucket = "test-bucket"

// Start runs a server until the test ends. Credentials for it are in Environment.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// New runs a server until Close.
func New(ctx context.Context) (*Server, error) {
	backend := &exclusive{Backend: s3mem.New()}
	if err := backend.CreateBucket(ctx, Bucket); err != nil {
		return nil, err
	}
	s := &Server{}
	inner := gofakes3.New(backend, gofakes3.WithoutVersioning()).Server()
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if intercept := s.note(r); intercept != nil {
			intercept(w, r, inner)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	s.URL = s.server.URL
	return s, nil
}

// Close ends the server.
func (s *Server) Close() { s.server.Close() }

// Environment is what a client's environment needs, by name.
func Environment() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	}
}

// Archive is what to give as ARCHIVE, for one at prefix in the server's bucket.
func (s *Server) Archive(prefix string) string {
	return "s3://" + Bucket + "/" + prefix + "?" + s.Query()
}

// Query are the parameters that lead to the server.
func (s *Server) Query() string {
	return url.Values{"endpoint": {s.URL}, "use_path_style": {"true"}, "region": {"us-east-1"}}.Encode()
}

// Intercept has f answer each request, by itself or by what comes next: S3. It may run in several goroutines at once. nil ends
// that.
func (s *Server) Intercept(f func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = f
}

// Requests are the requests since it was asked last, as method, path and query.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil
	return requests
}

func (s *Server) note(r *http.Request) func(w http.ResponseWriter, r *http.Request, next http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
	return s.intercept
}

// exclusive checks the condition of a write in one step with the write, as S3 does: gofakes3 looks ahead of it alone, so that of
// several writers at once more than one would come through.
type exclusive struct {
	*s3mem.Backend
	mu sync.Mutex
}

// PutObject implements gofakes3.Backend, for uploads in parts as well.
func (e *exclusive) PutObject(
	ctx context.Context, bucket, key string, meta map[string]string, input io.Reader, size int64,
) (gofakes3.PutObjectResult, error) {
	content, err := gofakes3.ReadAll(input, size)
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if gofakes3.HasWriteConditions(ctx) {
		_, err := e.HeadObject(ctx, bucket, key)
		if err != nil && !gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) {
			return gofakes3.PutObjectResult{}, err
		}
		if err := gofakes3.CheckWriteConditions(ctx, err == nil, ""); err != nil {
			return gofakes3.PutObjectResult{}, err
		}
	}
	return e.Backend.PutObject(ctx, bucket, key, meta, bytes.NewReader(content), size)
}

// Answer answers a request with an error as S3 gives it.
func Answer(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\"?>\n<Error><Code>%s</Code><Message>as the test wants it</Message></Error>", code)
}
