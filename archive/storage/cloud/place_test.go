package cloud_test

import (
	"strings"
	"testing"

	"dura/archive/storage/cloud"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("0123456789", 50)
	for word, want := range map[string]cloud.Place{
		"s3://bucket":                      {Scheme: "s3", Bucket: "bucket"},
		"s3://bucket/":                     {Scheme: "s3", Bucket: "bucket"},
		"gs://bucket_1/a":                  {Scheme: "gs", Bucket: "bucket_1", Prefix: "a/"},
		"azblob://container/a/b/":          {Scheme: "azblob", Bucket: "container", Prefix: "a/b/"},
		"s3://b.c/with%20space?region=x":   {Scheme: "s3", Bucket: "b.c", Prefix: "with space/", Query: "region=x"},
		"s3://b?endpoint=http://[::1]:900": {Scheme: "s3", Bucket: "b", Query: "endpoint=http://[::1]:900"},
		"s3://b/" + long[1:]:               {Scheme: "s3", Bucket: "b", Prefix: long[1:] + "/"},
	} {
		if got, err := cloud.Parse(word); got != want || err != nil {
			t.Errorf("%s: %+v, %v", word, got, err)
		}
		if !cloud.IsPlace(word) {
			t.Errorf("%s is no place", word)
		}
	}
	for word, want := range map[string]string{
		"s3:///a":             "what stands between // and / has to be the name of a bucket",
		"s3://":               "what stands between // and / has to be the name of a bucket",
		"s3://bucket:9000/a":  "what stands between // and / has to be the name of a bucket",
		"s3://key:secret@b/a": "credentials have no place in it",
		"s3://b/a#b":          "a # would have to be written as %23",
		"s3://b/a//b":         `the path in the bucket has "." or ".." in it, or an empty part`,
		"s3://b/a/../b":       `the path in the bucket has "." or ".." in it, or an empty part`,
		"s3://b/.":            `the path in the bucket has "." or ".." in it, or an empty part`,
		"s3://b/a%0Ab":        "the path in the bucket has characters that are no text",
		"s3://b/a%FF":         "the path in the bucket has characters that are no text",
		"s3://b/" + long:      "the path in the bucket is longer than 500 bytes",
		"s3://b/a?x=%zz":      `invalid URL escape "%zz"`,
		"s3://b/%zz":          `invalid URL escape "%zz"`,
		"s3://b?a=1;b=2":      "invalid semicolon separator in query",
		"S3://b/a":            "it begins with none of s3://, gs:// and azblob://",
		"/a/s3://b":           "it begins with none of s3://, gs:// and azblob://",
		"file:///a":           "it begins with none of s3://, gs:// and azblob://",
	} {
		if got, err := cloud.Parse(word); err == nil || err.Error() != want {
			t.Errorf("%s: %+v, %v", word, got, err)
		}
	}
}

func TestPlacesAreShownWithoutTheirParameters(t *testing.T) {
	for word, want := range map[string]string{
		"s3://b": "s3://b", "s3://b/?region=x": "s3://b", "gs://b/a/b/": "gs://b/a/b", "azblob://c/a?protocol=http": "azblob://c/a",
	} {
		if p, err := cloud.Parse(word); err != nil || p.String() != want {
			t.Errorf("%s is shown as %s, %v", word, p, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"s3://bucket/prefix?region=eu", "gs://b/%2e%2e/a", "azblob://c/a?b=%00", "s3://[::1]/", "s3://b\x00/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, word string) {
		p, err := cloud.Parse(word)
		if err != nil {
			return
		}
		again, err := cloud.Parse((p.String() + "?" + p.Query))
		if strings.ContainsAny(p.Prefix, "%?#") || strings.Contains(p.Bucket, "%") {
			return // String is to show
		}
		if err != nil || again != p {
			t.Errorf("%q is %+v, and then %+v, %v", word, p, again, err)
		}
		if p.Prefix != "" && (strings.HasPrefix(p.Prefix, "/") || !strings.HasSuffix(p.Prefix, "/")) {
			t.Errorf("%q has the prefix %q", word, p.Prefix)
		}
	})
}
