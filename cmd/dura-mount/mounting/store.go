package mounting

import (
	"errors"
	"path/filepath"

	"dura/archive/storage"
	"dura/archive/storage/cloud"
)

// located is where an object of the archive is, to show; with "", where the archive is.
func (s *settings) located(object string) string {
	p, err := cloud.Parse(s.archive)
	switch {
	case err == nil && (object == "" || object == p.String()):
		return p.String()
	case err == nil:
		return p.String() + "/" + object
	case filepath.IsAbs(object):
		return object
	}
	return filepath.Join(s.archive, object)
}

// isOfStore reports whether err is one that only object stores have.
func isOfStore(err error) bool {
	var stored *storage.Error
	kind, _ := storeReason(err)
	return kind != "" || errors.As(err, &stored) && stored.Op == storage.OpOpen && cloud.IsPlace(stored.Object)
}

// explainStore is for errors that isOfStore.
func (s *settings) explainStore(err error) error {
	place := shown(s.located(""))
	switch kind, reason := storeReason(err); kind {
	case "no_credentials":
		return failure(kind, msgNoCredentials, place, shown(reason))
	case "unreachable":
		return failure(kind, msgUnreachable, place, shown(reason))
	case "":
		var stored *storage.Error
		errors.As(err, &stored)
		return failure("invalid", msgStoreParameter, shown(s.archive), shown(stored.Err.Error()))
	default:
		return failure(kind, msgStoreUnusable, place, shown(reason))
	}
}

// storeReason is what is wrong with the store, if that is what err is about.
func storeReason(err error) (kind, reason string) {
	var (
		credentials *cloud.CredentialsError
		noBucket    *cloud.NoBucketError
		region      *cloud.RegionError
		connection  *cloud.ConnectionError
	)
	switch {
	case errors.As(err, &credentials):
		return "no_credentials", credentials.Err.Error()
	case errors.As(err, &noBucket):
		return "no_bucket", noBucket.Error()
	case errors.As(err, &region):
		return "other_region", region.Error()
	case errors.As(err, &connection):
		return "unreachable", connection.Error()
	}
	return "", ""
}
