// Package cloud is how an archive's place in an object store is written, and what can be wrong with one. It stands on nothing but the
// standard library; package store, below it, opens such places.
package cloud

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Place is where an archive is among the objects of a store.
type Place struct {
	Scheme string // s3, gs or azblob
	Bucket string // Azure: the container
	Prefix string // of the keys: empty, or with a slash at its end
	Query  string // parameters of the store, as in a URL
}

// schemes are the stores that there are.
var schemes = []string{"s3", "gs", "azblob"}

// ErrScheme says that a URL is of no store.
var ErrScheme = errors.New("it begins with none of s3://, gs:// and azblob://")

// IsPlace reports whether word is meant for Parse: a URL of an object store.
func IsPlace(word string) bool {
	scheme, _, found := strings.Cut(word, "://")
	return found && slices.Contains(schemes, scheme)
}

// Parse reads a URL: s3://bucket/prefix?region=eu-west-1. Which parameters there are is up to the scheme:
// those of gocloud.dev/blob/s3blob and azureblob, and for gs anonymous and universe_domain. An error says in a few words what is wrong with it.
func Parse(word string) (Place, error) {
	if !IsPlace(word) {
		return Place{}, ErrScheme
	}
	u, err := url.Parse(word)
	if err != nil {
		var bad *url.Error
		if errors.As(err, &bad) {
			err = bad.Err // the word itself is known to who gave it
		}
		return Place{}, err
	}
	p := Place{Scheme: u.Scheme, Bucket: u.Host, Prefix: strings.Trim(u.Path, "/"), Query: u.RawQuery}
	if p.Prefix != "" {
		p.Prefix += "/"
	}
	return p, p.check(u)
}

// check looks for what gocloud.dev would take in another sense, or put up with.
func (p Place) check(u *url.URL) error {
	switch {
	case u.User != nil:
		return errors.New("credentials have no place in it")
	case p.Bucket == "" || strings.Contains(p.Bucket, ":"):
		return errors.New("what stands between // and / has to be the name of a bucket")
	case u.Fragment != "":
		return errors.New("a # would have to be written as %23")
	case len(p.Prefix) > maxPrefixBytes:
		return fmt.Errorf("the path in the bucket is longer than %d bytes", maxPrefixBytes)
	}
	for component := range strings.SplitSeq(strings.TrimSuffix(p.Prefix, "/"), "/") {
		if component == "." || component == ".." || component == "" && p.Prefix != "" {
			return errors.New(`the path in the bucket has "." or ".." in it, or an empty part`)
		}
	}
	if !utf8.ValidString(p.Prefix) || strings.ContainsFunc(p.Prefix, unicode.IsControl) {
		return errors.New("the path in the bucket has characters that are no text")
	}
	if _, err := url.ParseQuery(p.Query); err != nil {
		return err
	}
	return nil
}

// maxPrefixBytes leaves room for any object's name in the 1,024 bytes that a key may have.
const maxPrefixBytes = 500

// String is the place without its parameters, to show.
func (p Place) String() string {
	return p.Scheme + "://" + p.Bucket + strings.TrimSuffix("/"+p.Prefix, "/")
}

// BucketURL is what opens the bucket.
func (p Place) BucketURL() *url.URL {
	return &url.URL{Scheme: p.Scheme, Host: p.Bucket, RawQuery: p.Query}
}
