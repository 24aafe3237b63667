package store

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/cloud"
)

func TestWhatStoresSayIsClassed(t *testing.T) {
	for _, c := range []struct {
		a    answer
		op   string // empty: any
		want storage.Kind
	}{
		{answer{status: 404}, storage.OpRead, storage.KindNotFound},
		{answer{status: 404, code: "NoSuchKey"}, storage.OpRead, storage.KindNotFound},
		{answer{status: 404, code: "NotFound"}, storage.OpStat, storage.KindNotFound},
		{answer{status: 404, code: "BlobNotFound"}, storage.OpDelete, storage.KindNotFound},
		{answer{status: 404, code: "NoSuchBucket"}, "", storage.KindInvalid},
		{answer{status: 404, code: "ContainerNotFound"}, "", storage.KindInvalid},
		{answer{status: 404}, storage.OpCreate, storage.KindInvalid},
		{answer{status: 404}, storage.OpList, storage.KindInvalid},
		{answer{status: 412, code: "PreconditionFailed"}, storage.OpCreate, storage.KindExists},
		{answer{status: 412}, storage.OpCreate, storage.KindExists},
		{answer{status: 409, code: "BlobAlreadyExists"}, storage.OpCreate, storage.KindExists},
		{answer{status: 412}, storage.OpRead, storage.KindIO},
		{answer{status: 409, code: "ConditionalRequestConflict"}, "", storage.KindUnavailable},
		{answer{status: 409, code: "OperationAborted"}, "", storage.KindUnavailable},
		{answer{status: 403, code: "AccessDenied"}, "", storage.KindDenied},
		{answer{status: 403, code: "SignatureDoesNotMatch"}, "", storage.KindDenied},
		{answer{status: 403}, "", storage.KindDenied},
		{answer{status: 401}, "", storage.KindDenied},
		{answer{status: 400, code: "ExpiredToken"}, "", storage.KindDenied},
		{answer{status: 403, code: "RequestTimeTooSkewed"}, "", storage.KindUnavailable},
		{answer{status: 400, code: "RequestTimeout"}, "", storage.KindUnavailable},
		{answer{status: 429}, "", storage.KindUnavailable},
		{answer{status: 500, code: "InternalError"}, "", storage.KindUnavailable},
		{answer{status: 502}, "", storage.KindUnavailable},
		{answer{status: 503, code: "SlowDown"}, "", storage.KindUnavailable},
		{answer{status: 504}, "", storage.KindUnavailable},
		{answer{status: 507, code: "XMinioStorageFull"}, "", storage.KindFull},
		{answer{status: 301, code: "PermanentRedirect"}, "", storage.KindInvalid},
		{answer{status: 400, code: "AuthorizationHeaderMalformed"}, "", storage.KindInvalid},
		{answer{status: 400, code: "InvalidArgument"}, "", storage.KindIO},
		{answer{status: 501}, "", storage.KindIO},
	} {
		ops := []string{c.op}
		if c.op == "" {
			ops = []string{storage.OpCreate, storage.OpRead, storage.OpList, storage.OpStat, storage.OpDelete}
		}
		for _, op := range ops {
			if got := kindOf(op, c.a); got != c.want {
				t.Errorf("%s: %+v is %q, want %q", op, c.a, got, c.want)
			}
		}
	}
}

func TestFailuresWithoutAnAnswerAreClassed(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		err  error
		want storage.Kind
	}{
		{refused, storage.KindUnavailable},
		{&url.Error{Op: "Get", URL: "http://x", Err: refused}, storage.KindUnavailable},
		{fmt.Errorf("sending: %w", &net.DNSError{Err: "no such host", IsNotFound: true}), storage.KindUnavailable},
		{io.ErrUnexpectedEOF, storage.KindUnavailable},
		{context.DeadlineExceeded, storage.KindUnavailable},
		{&url.Error{Op: "Get", URL: "https://x", Err: x509.UnknownAuthorityError{}}, storage.KindIO},
		{&url.Error{Op: "Get", URL: "https://x", Err: x509.HostnameError{Certificate: &x509.Certificate{}}}, storage.KindIO},
		{&url.Error{Op: "Get", URL: "https://x", Err: &cloud.CredentialsError{Err: errors.New("none")}}, storage.KindDenied},
		{errOrder, storage.KindIO},
	} {
		if got, _ := kindOfSilence(c.err); got != c.want {
			t.Errorf("%v is %q, want %q", c.err, got, c.want)
		}
	}
}

func TestPrefixesThatNoNameHas(t *testing.T) {
	for prefix, want := range map[string]bool{
		"": true, "a": true, "bands/": true, "bands/2026-11": true, "DURA": true, "a/b.c": true, "_": true,
		"/": false, "/a": false, "a//": false, ".": false, "a/.": false, "\x00": false, "a b": false, "ä": false, "\xff": false, "a\\": false,
	} {
		if got := beginsNames(prefix); got != want {
			t.Errorf("%q: %v", prefix, got)
		}
	}
}

func TestErrorsAreBrief(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, Err: syscall.ECONNREFUSED}
	for want, err := range map[string]error{
		"AccessDenied: not you": &cloud.AnswerError{Status: 403, Code: "AccessDenied", Message: "not you"},
		"Forbidden":             &cloud.AnswerError{Status: 403, Code: "Forbidden", Message: "Forbidden"},
		"SlowDown":              &cloud.AnswerError{Status: 503, Code: "SlowDown"},
		"of Google":             &cloud.AnswerError{Status: 503, Message: "of Google"},
		"HTTP status 502":       &cloud.AnswerError{Status: 502},
		"dial tcp 127.0.0.1:9: connection refused": &cloud.ConnectionError{Err: fmt.Errorf("a lot: %w", &url.Error{Op: "Get", URL: "u", Err: dial})},
		"EOF":                               &cloud.ConnectionError{Err: fmt.Errorf("a lot: %w", &url.Error{Op: "Get", URL: "u", Err: io.EOF})},
		"3 bytes came of 5: unexpected EOF": &cloud.ConnectionError{Err: fmt.Errorf("3 bytes came of 5: %w", io.ErrUnexpectedEOF)},
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
}
