package cloud

import (
	"context"
	"net/http"
	"net/url"
	"os"

	gcs "cloud.google.com/go/storage"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/option"
)

func openGCS(ctx context.Context, s *Storage, o Options) error {
	u := s.place.url()
	query := u.Query()
	opener := &gcsblob.URLOpener{}
	if domain := query.Get("universe_domain"); domain != "" {
		opener.Options.ClientOptions = []option.ClientOption{option.WithUniverseDomain(domain)}
	}
	var err error
	if opener.Client, err = gcsClient(ctx, query, o); err != nil {
		return err
	}
	u.RawQuery = query.Encode()
	if s.bucket, err = opener.OpenBucketURL(ctx, u); err != nil {
		return err
	}
	var client *gcs.Client
	s.bucket.As(&client)
	client.SetRetry(gcs.WithPolicy(gcs.RetryNever))
	s.uploadBytes = func(int64) int { return -1 } // one request, without a buffer
	return nil
}

// gcsClient finds the default credentials, unless the query says to do without: then it takes that out of the query, where it
// would replace the client. gocloud.dev's own way to find them writes to standard output where there are none.
func gcsClient(ctx context.Context, query url.Values, o Options) (*gcp.HTTPClient, error) {
	transport := o.transport()
	if query.Get("anonymous") == "true" || query.Get("access_id") == "-" {
		query.Del("anonymous")
		query.Del("access_id")
		return gcp.NewAnonymousHTTPClient(transport), nil
	}
	if os.Getenv("STORAGE_EMULATOR_HOST") != "" {
		return gcp.NewAnonymousHTTPClient(transport), nil
	}
	// The tokens are fetched in this context, whenever one is needed.
	ctx = context.WithValue(context.WithoutCancel(ctx), oauth2.HTTPClient, &http.Client{Transport: transport})
	found, err := gcp.DefaultCredentialsWithParams(ctx, google.CredentialsParams{UniverseDomain: query.Get("universe_domain")})
	if err != nil {
		return nil, &CredentialsError{Err: err}
	}
	return gcp.NewHTTPClient(transport, gcp.CredentialsTokenSource(found))
}
