package store_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"dura/archive/storage"
	"dura/archive/storage/cloud"
	"dura/archive/storage/cloud/store"
)

// said is what a store answers to every request.
type said struct {
	status int
	code   string
}

// sayer is a server that says one thing, and counts how often.
type sayer struct {
	host     string
	says     said
	requests atomic.Int64
}

func startStore(t *testing.T, write func(w http.ResponseWriter, r *http.Request, s said)) *sayer {
	t.Helper()
	s := &sayer{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		write(w, r, s.says)
	}))
	t.Cleanup(server.Close)
	s.host = strings.TrimPrefix(server.URL, "http://")
	return s
}

func googleSays(w http.ResponseWriter, _ *http.Request, s said) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(s.status)
	fmt.Fprintf(w, `{"error":{"code":%d,"message":"%s"}}`, s.status, s.code)
}

func azureSays(w http.ResponseWriter, _ *http.Request, s said) {
	w.Header().Set("X-Ms-Error-Code", s.code)
	w.WriteHeader(s.status)
}

// operate does one operation.
func operate(t *testing.T, s *store.Storage, op string) (err error) {
	ctx := t.Context()
	switch op {
	case storage.OpCreate:
		return s.Create(ctx, "object", []byte("x"))
	case storage.OpRead:
		_, err = s.Read(ctx, "object", 0, 1)
	case storage.OpStat:
		_, err = s.Stat(ctx, "object")
	case storage.OpDelete:
		return s.Delete(ctx, "object")
	case storage.OpList:
		for _, err = range s.List(ctx, "", storage.Deep) {
		}
	}
	return err
}

var operations = []string{storage.OpCreate, storage.OpRead, storage.OpStat, storage.OpDelete, storage.OpList}

// told is the kind of error that an answer becomes, in some operations.
type told struct {
	said
	ops  string // empty: all
	want storage.Kind
}

func checkTold(t *testing.T, server *sayer, s *store.Storage, cases []told) {
	t.Helper()
	for _, c := range cases {
		server.says = c.said
		for _, op := range operations {
			if c.ops != "" && !strings.Contains(c.ops, op) {
				continue
			}
			server.requests.Store(0)
			err := operate(t, s, op)
			wantKind(t, fmt.Sprintf("%s, answered with %+v", op, c.said), err, c.want)
			if n := server.requests.Load(); n != 1 && c.want != storage.KindExists {
				t.Errorf("%s, answered with %+v: %d requests", op, c.said, n)
			}
			var none *cloud.NoBucketError
			if c.want == storage.KindInvalid && !errors.As(err, &none) {
				t.Errorf("%s, answered with %+v: %v", op, c.said, err)
			}
		}
	}
}

func TestWhatGoogleSaysIsTold(t *testing.T) {
	server := startStore(t, googleSays)
	t.Setenv("STORAGE_EMULATOR_HOST", server.host)
	checkTold(t, server, open(t, "gs://bucket/a"), []told{
		{said{403, "no access"}, "", storage.KindDenied},
		{said{401, "who are you"}, "", storage.KindDenied},
		{said{404, "none"}, "read stat delete", storage.KindNotFound},
		{said{404, "none"}, "create list", storage.KindInvalid},
		{said{412, "conditionNotMet"}, "create", storage.KindExists},
		{said{429, "slower"}, "", storage.KindUnavailable},
		{said{503, "backendError"}, "", storage.KindUnavailable},
	})
}

func TestWhatAzureSaysIsTold(t *testing.T) {
	server := startStore(t, azureSays)
	t.Setenv("AZURE_STORAGE_ACCOUNT", "account")
	t.Setenv("AZURE_STORAGE_KEY", "a2V5")
	checkTold(t, server, open(t, "azblob://container/a?protocol=http&domain="+server.host), []told{
		{said{403, "AuthorizationFailure"}, "", storage.KindDenied},
		{said{404, "BlobNotFound"}, "read stat delete", storage.KindNotFound},
		{said{404, "ContainerNotFound"}, "", storage.KindInvalid},
		{said{409, "BlobAlreadyExists"}, "create", storage.KindExists},
		{said{412, "ConditionNotMet"}, "create", storage.KindExists},
		{said{503, "ServerBusy"}, "", storage.KindUnavailable},
		{said{500, "OperationTimedOut"}, "", storage.KindUnavailable},
	})
}

func TestAzureNeedsAnAccount(t *testing.T) {
	for _, name := range []string{"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_CONNECTION_STRING"} {
		t.Setenv(name, "")
	}
	_, err := store.Open(t.Context(), mustParse(t, "azblob://container/a"), store.Options{})
	var none *cloud.CredentialsError
	if !errors.As(err, &none) || !storage.Is(err, storage.KindDenied) {
		t.Errorf("%v", err)
	}
	t.Setenv("AZURE_STORAGE_ACCOUNT", "account")
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "sig=secret")
	_, err = store.Open(t.Context(), mustParse(t, "azblob://container/a?domain=elsewhere.example"), store.Options{})
	wantKind(t, "a token for another place", err, storage.KindInvalid)
}

func TestGoogleNeedsCredentials(t *testing.T) {
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/none")
	t.Setenv("HOME", t.TempDir())
	_, err := store.Open(t.Context(), mustParse(t, "gs://bucket/a"), store.Options{})
	var none *cloud.CredentialsError
	if !errors.As(err, &none) || !storage.Is(err, storage.KindDenied) {
		t.Errorf("%v", err)
	}
}
