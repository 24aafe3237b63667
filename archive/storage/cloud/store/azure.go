package store

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"

	"dura/archive/storage/cloud"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob/azureblob"
)

// maxAzureBuffer bounds the buffer of an upload. An object that fits in it is stored by one request.
const maxAzureBuffer = 64 << 20

func openAzure(ctx context.Context, s *Storage, o Options) error {
	service := azureblob.NewDefaultServiceURLOptions()
	query := s.place.BucketURL().Query()
	if service.SASToken != "" && (query.Has("domain") || query.Has("protocol") || query.Has("storage_account") || query.Has("localemu")) {
		// It is part of the URL of each request.
		return errors.New("with AZURE_STORAGE_SAS_TOKEN set, where the store is must be said by the environment as well")
	}
	if service.AccountName == "" && !query.Has("storage_account") {
		return &cloud.CredentialsError{Err: errors.New("AZURE_STORAGE_ACCOUNT is not set")}
	}
	opener := &azureblob.URLOpener{MakeClient: o.azureClient, ServiceURLOptions: *service}
	opened, err := opener.OpenBucketURL(ctx, s.place.BucketURL())
	s.bucket = blobBucket{opened, func(objectBytes int64) int { return int(min(objectBytes+1, maxAzureBuffer)) }}
	return err
}

// azureClient makes the client that the environment has credentials for, as that of gocloud.dev, but for its bounds.
func (o Options) azureClient(service azureblob.ServiceURL, name azureblob.ContainerName) (*container.Client, error) {
	place, err := url.JoinPath(string(service), string(name))
	if err != nil {
		return nil, err
	}
	opts := &container.ClientOptions{}
	opts.Retry = policy.RetryOptions{MaxRetries: -1}
	opts.Transport = &http.Client{Transport: o.transport()}
	account, key := os.Getenv("AZURE_STORAGE_ACCOUNT"), os.Getenv("AZURE_STORAGE_KEY")
	connection := os.Getenv("AZURE_STORAGE_CONNECTION_STRING")
	if connection == "" {
		connection = os.Getenv("AZURE_STORAGEBLOB_CONNECTIONSTRING")
	}
	switch {
	case account != "" && key != "":
		shared, err := azblob.NewSharedKeyCredential(account, key)
		if err != nil {
			return nil, &cloud.CredentialsError{Err: err}
		}
		return container.NewClientWithSharedKeyCredential(place, shared, opts)
	case os.Getenv("AZURE_STORAGE_SAS_TOKEN") != "":
		return container.NewClientWithNoCredential(place, opts)
	case connection != "":
		return container.NewClientFromConnectionString(connection, string(name), opts)
	}
	identity, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, &cloud.CredentialsError{Err: err}
	}
	return container.NewClient(place, identity, opts)
}
