// Package gcs holds the storage of objects in Google Cloud Storage to the suite, against a server in this process. It is a module
// of its own, since that server needs more than Dura does.
package gcs

import (
	"fmt"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"

	"dura/archive/storage"
	"dura/archive/storage/cloud"
	"dura/archive/storage/cloud/store"
	"dura/archive/storage/storagetest"
)

const bucket = "test-bucket"

// start runs a server and leads this process to it.
func start(t *testing.T) {
	t.Helper()
	listener := httptest.NewUnstartedServer(nil)
	place := listener.Listener.Addr().String()
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{
		NoListener: true, Scheme: "http", PublicHost: place, ExternalURL: "http://" + place, Writer: io.Discard,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: bucket})
	listener.Config.Handler = server.HTTPHandler()
	listener.Start()
	t.Cleanup(listener.Close)
	t.Setenv("STORAGE_EMULATOR_HOST", place)
}

func open(t *testing.T, place string) *store.Storage {
	t.Helper()
	p, err := cloud.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Create(t.Context(), p, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestGCSConformsToTheSuite(t *testing.T) {
	start(t)
	archives := 0
	storagetest.Run(t, func(t *testing.T) storage.Storage {
		archives++
		return open(t, fmt.Sprintf("gs://%s/some/archive-%d", bucket, archives))
	}, storagetest.SingleDeletes)
}
