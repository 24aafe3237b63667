package main

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"

	"dura/archive/storage/cloud/s3test"
)

// s3Server is that of one script.
type s3Server struct {
	*s3test.Server
	held chan struct{} // closed once uploads go on; nil where they are not held up
}

// s3Key is where a script has its own.
type s3Key struct{}

// setupS3 makes room for a script's server.
func setupS3(e *testscript.Env) {
	e.Values[s3Key{}] = &s3Server{}
	for name, value := range s3test.Environment() {
		e.Setenv(name, value)
	}
}

// cmdS3 runs a server in this process: s3 start sets S3 to an archive in its bucket, S3QUERY to the parameters that lead there,
// and S3URL to the endpoint; s3 denies, s3 fails, s3 stumbles, s3 overwrites and s3 works say how it goes on; s3 stop ends it.
func cmdS3(ts *testscript.TestScript, neg bool, args []string) {
	server := ts.Value(s3Key{}).(*s3Server)
	if neg || len(args) != 1 {
		ts.Fatalf("usage: s3 WORD")
	}
	if server.held != nil {
		close(server.held)
		server.held = nil
	}
	answers := func(status int, code string) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { s3test.Answer(w, status, code) }
	}
	switch args[0] {
	case "start":
		var err error
		server.Server, err = s3test.New(context.Background())
		ts.Check(err)
		ts.Defer(server.Close)
		ts.Setenv("S3", server.Archive("some/archive"))
		ts.Setenv("S3QUERY", server.Query())
	case "stop":
		server.Close()
	case "works":
		server.Intercept(nil)
	case "denies":
		server.Intercept(answers(http.StatusForbidden, "AccessDenied"))
	case "fails":
		server.Intercept(answers(http.StatusServiceUnavailable, "SlowDown"))
	case "stumbles": // over every fifth request
		var requests atomic.Int64
		server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if requests.Add(1)%5 == 1 {
				s3test.Answer(w, http.StatusServiceUnavailable, "SlowDown")
				return
			}
			next.ServeHTTP(w, r)
		})
	case "moves":
		server.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("X-Amz-Bucket-Region", "eu-north-1")
			s3test.Answer(w, http.StatusMovedPermanently, "PermanentRedirect")
		})
	case "holds":
		held := make(chan struct{})
		server.held = held
		server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method == http.MethodPut {
				<-held
			}
			next.ServeHTTP(w, r)
		})
	case "overwrites":
		server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			r.Header.Del("If-None-Match")
			next.ServeHTTP(w, r)
		})
	default:
		ts.Fatalf("s3 can't %s", strings.Join(args, " "))
	}
}
