package cloud

import (
	"errors"
	"fmt"
	"net"
	"net/url"
)

// CredentialsError says that no credentials for a store were found, or that they could not be used.
type CredentialsError struct{ Err error }

func (e *CredentialsError) Error() string { return "no credentials: " + e.Err.Error() }
func (e *CredentialsError) Unwrap() error { return e.Err }

// NoBucketError says that there is no such bucket.
type NoBucketError struct {
	Bucket string
	Err    error
}

func (e *NoBucketError) Error() string { return "no bucket " + e.Bucket + ": " + e.Err.Error() }
func (e *NoBucketError) Unwrap() error { return e.Err }

// RegionError says that a bucket is in another region than the one that was asked.
type RegionError struct {
	Bucket string
	Region string // where it is; empty if the store didn't tell
	Err    error
}

func (e *RegionError) Error() string {
	if e.Region != "" {
		return "bucket " + e.Bucket + " is in region " + e.Region
	}
	return "bucket " + e.Bucket + " is in another region: " + e.Err.Error()
}
func (e *RegionError) Unwrap() error { return e.Err }

// AnswerError is what a store answered to a request that failed.
type AnswerError struct {
	Status  int    // of HTTP
	Code    string // the store's own; may be empty
	Message string // may be empty
	Err     error
}

func (e *AnswerError) Error() string {
	switch {
	case e.Code == "" && e.Message == "":
		return fmt.Sprintf("HTTP status %d", e.Status)
	case e.Message == "" || e.Message == e.Code:
		return e.Code
	case e.Code == "":
		return e.Message
	}
	return e.Code + ": " + e.Message
}

func (e *AnswerError) Unwrap() error { return e.Err }

// ConnectionError says that no answer came from a store: it could not be reached, or the connection was lost.
type ConnectionError struct{ Err error }

// Error leaves out what the drivers put around the cause.
func (e *ConnectionError) Error() string {
	var (
		operation *net.OpError
		request   *url.Error
	)
	switch {
	case errors.As(e.Err, &operation):
		return operation.Error()
	case errors.As(e.Err, &request):
		return request.Err.Error()
	}
	return e.Err.Error()
}

func (e *ConnectionError) Unwrap() error { return e.Err }

// UnconditionalError says that a store writes over objects though it was told not to, or takes no such condition: two writers
// could harm each other there.
type UnconditionalError struct {
	Place string
	Err   error // what it said, if it refused the condition
}

func (e *UnconditionalError) Error() string {
	if e.Err != nil {
		return e.Place + " takes no condition on uploads: " + e.Err.Error()
	}
	return e.Place + " writes over objects in spite of If-None-Match"
}

func (e *UnconditionalError) Unwrap() error { return e.Err }
