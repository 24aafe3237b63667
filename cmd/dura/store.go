package main

import (
	"errors"
	"path/filepath"

	"dura/archive/format"
	"dura/archive/storage"
	"dura/archive/storage/cloud"
	"dura/archive/storage/retry"
)

// located is where an object of the archive is, to show. An error of the whole storage has the storage's own place.
func (a *app) located(object string) string {
	object = format.StoredName(object, a.sealed)
	if p, err := cloud.Parse(a.place); err == nil {
		if place := p.String(); object != "" && object != place {
			return place + "/" + object
		}
		return p.String()
	}
	if filepath.IsAbs(object) || object == a.place {
		return object
	}
	return filepath.Join(a.place, object)
}

// isOfStore reports whether err is one that only object stores have.
func isOfStore(err error) bool {
	var (
		credentials   *cloud.CredentialsError
		noBucket      *cloud.NoBucketError
		region        *cloud.RegionError
		unconditional *cloud.UnconditionalError
		connection    *cloud.ConnectionError
		answer        *cloud.AnswerError
		stored        *storage.Error
	)
	switch {
	case errors.As(err, &credentials), errors.As(err, &noBucket), errors.As(err, &region), errors.As(err, &unconditional),
		errors.As(err, &connection):
		return true
	case errors.As(err, &answer) && errors.As(err, &stored):
		return stored.Kind == storage.KindDenied || stored.Kind == storage.KindIO || stored.Kind == storage.KindUnavailable
	}
	return errors.As(err, &stored) && stored.Op == storage.OpOpen && stored.Kind == storage.KindInvalid && cloud.IsPlace(stored.Object)
}

// storeSentence is for errors that isOfStore.
func (a *app) storeSentence(err error) (kind, sentence string) {
	var (
		credentials   *cloud.CredentialsError
		noBucket      *cloud.NoBucketError
		region        *cloud.RegionError
		unconditional *cloud.UnconditionalError
		connection    *cloud.ConnectionError
		stored        *storage.Error
	)
	place := shown(a.located(""))
	switch {
	case errors.As(err, &credentials):
		return "no_credentials", sprintf(msgNoCredentials, place, shown(credentials.Err.Error()), credentialsHint(a.place))
	case errors.As(err, &noBucket):
		return "no_bucket", sprintf(msgNoBucket, shown(noBucket.Bucket), shown(noBucket.Err.Error()))
	case errors.As(err, &region) && region.Region != "":
		return "other_region", sprintf(msgRegion, shown(region.Bucket), shown(region.Region))
	case errors.As(err, &region):
		return "other_region", sprintf(msgRegionUnknown, shown(region.Bucket), shown(region.Err.Error()))
	case errors.As(err, &unconditional):
		return "unconditional", sprintf(msgUnconditional, place)
	case errors.As(err, &connection):
		return "unreachable", sprintf(msgUnreachable, place, shown(connection.Error())+tried(err))
	case !errors.As(err, &stored):
		return "failed", shown(err.Error())
	case stored.Kind == storage.KindInvalid:
		return kindUsage, sprintf(msgStoreParameter, shown(a.place), reasonOf(stored))
	case stored.Kind == storage.KindDenied:
		return "denied", sprintf(msgStoreDenied, shown(a.located(stored.Object)), reasonOf(stored), may(stored.Op))
	}
	return "io", sprintf(msgStoreFailed, shown(a.located(stored.Object)), reasonOf(stored)+tried(err))
}

// tried is how often a store was asked in vain, to put behind the reason; "" if once.
func tried(err error) string {
	var gaveUp *retry.GaveUpError
	if !errors.As(err, &gaveUp) || gaveUp.Tries < 2 {
		return ""
	}
	return sprintf(msgTried, gaveUp.Tries, shownPause(gaveUp.Took))
}

// may is what who does op must be allowed to do.
func may(op string) string {
	if op == storage.OpCreate || op == storage.OpDelete {
		return "write"
	}
	return "read"
}

// credentialsHint is how to give credentials for the store of an archive.
func credentialsHint(archive string) string {
	p, _ := cloud.Parse(archive)
	switch p.Scheme {
	case "gs":
		return msgCredentialsGCS
	case "azblob":
		return msgCredentialsBlob
	}
	return msgCredentialsS3
}
