package archive

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dura/archive/format"
)

const latest = "latest"

// AmbiguousError says which bands are meant by what should mean one.
type AmbiguousError struct {
	Spec  string
	Bands []format.BandID // by time
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%d bands begin with %q, %s and %s among them: give more of the id", len(e.Bands), e.Spec, e.Bands[0], e.Bands[1])
}

// NoBandError says what of a band's description fits none. Incomplete and Complete are how many there are.
type NoBandError struct {
	Spec                 string
	Complete, Incomplete int
}

func (e *NoBandError) Error() string {
	return fmt.Sprintf("no band is %q: there are %d complete and %d incomplete ones", e.Spec, e.Complete, e.Incomplete)
}

// FindBand finds the band that spec means: "" or latest for the latest complete one, latest~N for the N-th complete one
// before it, an id, an unambiguous start of one, or a date as 2026-11-23 (UTC) for the latest complete one of that day.
// No such band is KindNotFound with a *NoBandError, several are KindAmbiguous with an *AmbiguousError, a band given up is
// KindDeleted.
func (a *Archive) FindBand(ctx context.Context, spec string) (BandState, error) {
	bands, err := a.Bands(ctx)
	if err != nil {
		return BandState{}, err
	}
	return findBand(bands, spec)
}

func findBand(bands []BandState, spec string) (BandState, error) {
	var complete, living []BandState
	for _, b := range bands {
		switch {
		case b.Deleted && string(b.ID) == spec:
			return BandState{}, &Error{Op: opFind, Band: b.ID, Kind: KindDeleted}
		case b.Deleted:
			continue
		case b.Complete:
			complete = append(complete, b)
		}
		living = append(living, b)
	}
	none := &NoBandError{Spec: spec, Complete: len(complete), Incomplete: len(living) - len(complete)}
	if back, ok := stepsBack(spec); ok {
		if back < len(complete) {
			return complete[len(complete)-1-back], nil
		}
		return BandState{}, &Error{Op: opFind, Kind: KindNotFound, Err: none}
	}
	if _, err := time.Parse(time.DateOnly, spec); err == nil {
		if ofDay := startingWith(complete, spec); len(ofDay) > 0 {
			return ofDay[len(ofDay)-1], nil
		}
	}
	switch fit := startingWith(living, spec); len(fit) {
	case 0:
		return BandState{}, &Error{Op: opFind, Kind: KindNotFound, Err: none}
	case 1:
		return fit[0], nil
	default:
		ambiguous := &AmbiguousError{Spec: spec}
		for _, b := range fit {
			ambiguous.Bands = append(ambiguous.Bands, b.ID)
		}
		return BandState{}, &Error{Op: opFind, Kind: KindAmbiguous, Err: ambiguous}
	}
}

// stepsBack is how many complete bands the latest one is ahead of the one meant, if spec says so.
func stepsBack(spec string) (steps int, ok bool) {
	if spec == "" || spec == latest {
		return 0, true
	}
	number, ok := strings.CutPrefix(spec, latest+"~")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(number, 10, 31)
	return int(n), err == nil
}

func startingWith(bands []BandState, prefix string) []BandState {
	var fit []BandState
	for _, b := range bands {
		if strings.HasPrefix(string(b.ID), prefix) {
			fit = append(fit, b)
		}
	}
	return fit
}
