package format

import (
	"fmt"
	"slices"
)

// CorruptError says that bytes are not what FORMAT.md says they are.
type CorruptError struct {
	What   string // hunk, fence, footer, …
	Reason string
	Err    error
}

func (e *CorruptError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("corrupt %s: %s: %v", e.What, e.Reason, e.Err)
	}
	return fmt.Sprintf("corrupt %s: %s", e.What, e.Reason)
}

func (e *CorruptError) Unwrap() error { return e.Err }

func corrupt(what, reason string, args ...any) error {
	return &CorruptError{What: what, Reason: fmt.Sprintf(reason, args...)}
}

// UnsupportedError says that an archive or a band needs something this program doesn't know.
type UnsupportedError struct {
	What    string // archive or band
	Version uint32 // the format's number, where that is what is too new
	Feature string // or the feature's name
}

func (e *UnsupportedError) Error() string {
	if e.Feature != "" {
		return fmt.Sprintf("this %s needs the feature %q, which this version of Dura doesn't know", e.What, e.Feature)
	}
	return fmt.Sprintf("this %s is of format %d; this version of Dura knows format %d", e.What, e.Version, Version)
}

// FeatureOpenPGP is what an archive whose objects are OpenPGP messages needs.
const FeatureOpenPGP = "openpgp"

// unknownFeatures are those of an archive's features that are not known here.
func unknownFeatures(features []string) []string {
	return slices.DeleteFunc(slices.Clone(features), func(f string) bool { return f == FeatureOpenPGP })
}

// checkVersion refuses what was made by a later format or needs a feature not known here.
func checkVersion(what string, version uint32, features []string) error {
	if version == 0 {
		return corrupt(what, "no format number")
	}
	if version > Version {
		return &UnsupportedError{What: what, Version: version}
	}
	if len(features) > 0 {
		return &UnsupportedError{What: what, Version: version, Feature: features[0]}
	}
	return nil
}
