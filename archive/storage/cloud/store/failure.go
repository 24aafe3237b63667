package store

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"dura/archive/storage"
	"dura/archive/storage/cloud"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"google.golang.org/api/googleapi"
)

// answer is what a store said to a request that failed. The zero value: it said nothing.
type answer struct {
	status  int
	code    string // S3's and Azure's error code
	message string
	region  string // the bucket's, if that is what is wrong
}

func answerOf(err error) (a answer) {
	var (
		api      smithy.APIError
		response *awshttp.ResponseError
		google   *googleapi.Error
		azure    *azcore.ResponseError
	)
	switch {
	case errors.As(err, &google):
		a.status, a.message = google.Code, cmp.Or(google.Message, googleText(google.Body))
	case errors.As(err, &azure):
		a.status, a.code = azure.StatusCode, azure.ErrorCode
	case errors.As(err, &response) && response.Response != nil:
		a.status, a.region = response.HTTPStatusCode(), response.Response.Header.Get("X-Amz-Bucket-Region")
	}
	if errors.As(err, &api) && a.status != 0 {
		a.code, a.message = api.ErrorCode(), api.ErrorMessage()
	}
	return a
}

// googleText is what Google's answer to a read says, which is no JSON there, if it is a line to show.
func googleText(body string) string {
	const maxBytes = 200
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	if len(line) > maxBytes || strings.HasPrefix(line, "<") || strings.HasPrefix(line, "{") || strings.ContainsFunc(line, unicode.IsControl) {
		return ""
	}
	return line
}

// The codes that say more than the status beside them.
var (
	noBucketCodes    = []string{"NoSuchBucket", "ContainerNotFound"}
	elsewhereCodes   = []string{"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
	existsCodes      = []string{"PreconditionFailed", "BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet"}
	unavailableCodes = []string{
		"RequestTimeout", "RequestTimeTooSkewed", "SlowDown", "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch",
		"Md5Mismatch", "OperationTimedOut", "IncompleteBody",
	}
	deniedCodes = []string{"ExpiredToken", "InvalidToken", "TokenRefreshRequired"}
	fullCodes   = []string{"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "EntityTooLarge"}
)

// kindOf classes what a store said. There is no FailedPrecondition but for what must not be there yet.
func kindOf(op string, a answer) storage.Kind {
	switch {
	case slices.Contains(unavailableCodes, a.code):
		return storage.KindUnavailable
	case slices.Contains(noBucketCodes, a.code), slices.Contains(elsewhereCodes, a.code):
		return storage.KindInvalid
	case slices.Contains(deniedCodes, a.code):
		return storage.KindDenied
	case slices.Contains(fullCodes, a.code):
		return storage.KindFull
	case op == storage.OpCreate && (a.status == http.StatusPreconditionFailed || slices.Contains(existsCodes, a.code)):
		return storage.KindExists
	}
	switch a.status {
	case http.StatusNotFound:
		if op == storage.OpCreate || op == storage.OpList {
			return storage.KindInvalid // of what was asked, only the bucket can be missing
		}
		return storage.KindNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return storage.KindDenied
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect:
		return storage.KindInvalid
	case http.StatusConflict, http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return storage.KindUnavailable
	case http.StatusInsufficientStorage:
		return storage.KindFull
	}
	return storage.KindIO
}

// failure makes the error that an operation returns of what went wrong in it.
func (s *Storage) failure(ctx context.Context, op, object string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s: %w", op, object, ctx.Err())
	}
	kind, cause := kindOfSilence(err)
	if a := answerOf(err); a.status != 0 {
		kind = kindOf(op, a)
		cause = explained(s.place, a, kind, &cloud.AnswerError{Status: a.status, Code: a.code, Message: a.message, Err: err})
	}
	return &storage.Error{Op: op, Object: object, Kind: kind, Err: cause}
}

// explained is err as an error that says what is wrong, where that is known.
func explained(p cloud.Place, a answer, kind storage.Kind, err error) error {
	switch {
	case slices.Contains(elsewhereCodes, a.code), a.status == http.StatusMovedPermanently, a.status == http.StatusTemporaryRedirect:
		return &cloud.RegionError{Bucket: p.Bucket, Region: a.region, Err: err}
	case slices.Contains(noBucketCodes, a.code), a.status == http.StatusNotFound && kind == storage.KindInvalid:
		return &cloud.NoBucketError{Bucket: p.Bucket, Err: err}
	}
	return err
}

// kindOfSilence classes the failure of a request that the store didn't answer.
func kindOfSilence(err error) (storage.Kind, error) {
	var (
		credentials *cloud.CredentialsError
		identity    *azidentity.AuthenticationFailedError
		unknown     x509.UnknownAuthorityError
		hostname    x509.HostnameError
		invalid     x509.CertificateInvalidError
		network     net.Error
	)
	switch {
	case errors.As(err, &credentials), errors.As(err, &identity):
		return storage.KindDenied, err
	case errors.As(err, &unknown), errors.As(err, &hostname), errors.As(err, &invalid):
		return storage.KindIO, &cloud.ConnectionError{Err: err} // it would be no better the next time
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, context.DeadlineExceeded):
		return storage.KindUnavailable, &cloud.ConnectionError{Err: err}
	}
	return storage.KindIO, err
}

// openFailure is failure for what keeps a place from being opened.
func openFailure(p cloud.Place, err error) error {
	kind := storage.KindInvalid // a parameter
	var credentials *cloud.CredentialsError
	if errors.As(err, &credentials) {
		kind = storage.KindDenied
	}
	return &storage.Error{Op: storage.OpOpen, Object: p.String(), Kind: kind, Err: err}
}
