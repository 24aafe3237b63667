package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"dura/archive/storage/cloud"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	gcs "google.golang.org/api/storage/v1"
)

// gcsBucket is a bucket of Google Cloud Storage, by its JSON interface. The larger library, cloud.google.com/go/storage, is not used:
// what it has for gRPC costs each start of a program 10 ms, and 28 MB.
type gcsBucket struct {
	name    string
	objects *gcs.ObjectsService
	client  *http.Client
}

func openGCS(ctx context.Context, s *Storage, o Options) error {
	parameters, err := parseGCS(s.place.BucketURL().Query())
	if err != nil {
		return err
	}
	emulator := os.Getenv("STORAGE_EMULATOR_HOST")
	client := &http.Client{Transport: o.transport()}
	if !parameters.anonymous && emulator == "" {
		if client, err = authenticated(ctx, client, parameters.universe); err != nil {
			return err
		}
	}
	opts := []option.ClientOption{option.WithHTTPClient(client)}
	if parameters.universe != "" {
		opts = append(opts, option.WithUniverseDomain(parameters.universe))
	}
	if emulator != "" {
		if !strings.Contains(emulator, "://") {
			emulator = "http://" + emulator
		}
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(emulator, "/")+"/storage/v1/"))
	}
	service, err := gcs.NewService(ctx, opts...)
	if err != nil {
		return err
	}
	s.bucket = &gcsBucket{s.place.Bucket, service.Objects, client}
	return nil
}

// gcsParameters are those of a place in Google Cloud Storage.
type gcsParameters struct {
	anonymous bool
	universe  string // another domain than Google's own
}

// parseGCS reads the parameters of a place: anonymous=true (or access_id=-) and universe_domain=DOMAIN.
func parseGCS(query url.Values) (p gcsParameters, err error) {
	for name := range query {
		value := query.Get(name)
		switch name {
		case "anonymous":
			anonymous, err := strconv.ParseBool(value)
			if err != nil {
				return p, fmt.Errorf("%s=%s: neither true nor false", name, value)
			}
			p.anonymous = p.anonymous || anonymous
		case "access_id":
			if value != "-" {
				return p, fmt.Errorf("%s: only - can be used, which is nobody", name)
			}
			p.anonymous = true
		case "universe_domain":
			p.universe = value
		default:
			return p, fmt.Errorf("invalid query parameter %q", name)
		}
	}
	return p, nil
}

// authenticated finds the default credentials for what client sends.
func authenticated(ctx context.Context, client *http.Client, universe string) (*http.Client, error) {
	// The tokens are fetched in this context, whenever one is needed.
	ctx = context.WithValue(context.WithoutCancel(ctx), oauth2.HTTPClient, client)
	found, err := google.FindDefaultCredentialsWithParams(ctx, google.CredentialsParams{
		Scopes: []string{gcs.CloudPlatformScope}, UniverseDomain: universe,
	})
	if err != nil {
		return nil, &cloud.CredentialsError{Err: err}
	}
	return &http.Client{Transport: &oauth2.Transport{Base: client.Transport, Source: found.TokenSource}}, nil
}

func (b *gcsBucket) read(ctx context.Context, key string, offset, maxBytes int64) (io.ReadCloser, int64, error) {
	get := b.objects.Get(b.name, key).Context(ctx)
	get.Header().Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+maxBytes-1))
	answer, err := get.Download()
	if err != nil {
		return nil, 0, err
	}
	if answer.ContentLength < 0 || answer.ContentLength > maxBytes || answer.StatusCode != http.StatusPartialContent && offset > 0 {
		answer.Body.Close()
		return nil, 0, fmt.Errorf("status %d and %d bytes for %d bytes from %d on", answer.StatusCode, answer.ContentLength, maxBytes, offset)
	}
	return answer.Body, answer.ContentLength, nil
}

func (b *gcsBucket) attributes(ctx context.Context, key string) (attributes, error) {
	o, err := b.objects.Get(b.name, key).Context(ctx).Fields("size", "metadata").Do()
	if err != nil {
		return attributes{}, err
	}
	return attributes{int64(o.Size), o.Metadata[markKey]}, nil
}

// upload is one request, and without a buffer. Generation 0 is what isn't there.
func (b *gcsBucket) upload(ctx context.Context, key, mark string, content io.Reader, _ int64) error {
	o := &gcs.Object{Name: key, ContentType: contentType, Metadata: map[string]string{markKey: mark}}
	_, err := b.objects.Insert(b.name, o).Context(ctx).IfGenerationMatch(0).Media(content, googleapi.ChunkSize(0)).Fields("size").Do()
	return err
}

func (b *gcsBucket) remove(ctx context.Context, key string) error {
	return b.objects.Delete(b.name, key).Context(ctx).Do()
}

var errPages = errors.New("the store's listing doesn't come to its end")

func (b *gcsBucket) list(ctx context.Context, prefix, delimiter string) iter.Seq2[listed, error] {
	call := b.objects.List(b.name).Context(ctx).Prefix(prefix).Fields("nextPageToken", "items(name,size)")
	if delimiter != "" {
		call.Delimiter(delimiter)
	}
	return func(yield func(listed, error) bool) {
		for page := ""; ; {
			answer, err := call.PageToken(page).Do()
			if err == nil && page != "" && answer.NextPageToken == page {
				err = errPages
			}
			if err != nil {
				yield(listed{}, err)
				return
			}
			for _, o := range answer.Items {
				if !yield(listed{o.Name, int64(o.Size)}, nil) {
					return
				}
			}
			if page = answer.NextPageToken; page == "" {
				return
			}
		}
	}
}

func (b *gcsBucket) close() error {
	b.client.CloseIdleConnections()
	return nil
}
