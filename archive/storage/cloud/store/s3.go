package store

import (
	"context"

	"dura/archive/storage/cloud"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"gocloud.dev/blob/s3blob"
)

// anyRegion is for servers that have no regions, where none is given. In S3 itself a bucket elsewhere answers with its region.
const anyRegion = "us-east-1"

func openS3(ctx context.Context, s *Storage, o Options) error {
	opener := &s3blob.URLOpener{}
	byURL, err := opener.OpenBucketURL(ctx, s.place.BucketURL())
	if err != nil {
		return err
	}
	defer byURL.Close()
	var client *s3.Client
	byURL.As(&client)
	s.s3 = s3.New(client.Options(), o.tuneS3)
	if err := findS3Credentials(ctx, s.s3); err != nil {
		return err
	}
	opened, err := s3blob.OpenBucket(ctx, s.s3, s.place.Bucket, &opener.Options)
	s.bucket = blobBucket{opened, func(int64) int { return 0 }} // it takes no buffer before it sees how much there is
	return err
}

func (o Options) tuneS3(c *s3.Options) {
	if c.Region == "" {
		c.Region = anyRegion
	}
	c.Retryer = aws.NopRetryer{}
	c.Logger = logging.Nop{} // it would write to standard error
	if client, ok := c.HTTPClient.(*awshttp.BuildableClient); ok {
		c.HTTPClient = client.WithTransportOptions(o.tune)
	}
}

func findS3Credentials(ctx context.Context, client *s3.Client) error {
	provider := client.Options().Credentials
	if provider == nil || aws.IsCredentialsProvider(provider, aws.AnonymousCredentials{}) {
		return nil // as the place says
	}
	if _, err := provider.Retrieve(ctx); err != nil {
		return &cloud.CredentialsError{Err: err}
	}
	return nil
}
