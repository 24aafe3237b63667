package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/compare"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/storage/cloud"
	"dura/archive/summaries"
)

// againstLocal is the word for what this machine has kept, where another archive might be named.
const againstLocal = "local"

const helpAgainst = `

With --against OTHER the archive is compared as well, from listings, hashes and indexes: no content is read for that. OTHER is

  a copy of the same archive: its objects are compared, of the bands that both have, parity and repaired copies aside. What only
      one has, or what differs, is an alarm, and so is a complete band that is missing here.
  another archive of the same source: the files are, of the latest complete band of each host and sources, or of BAND and the band
      that was begun nearest to it. The same size and time with another content is an alarm; what changed is counted (-v).
  local: the bands that this machine completed are, with what it has kept of them in ~/.local/state/dura/summaries. One that is
      gone without having been given up, or is another one, is an alarm. A directory of that name is ./local.

An archive that is encrypted takes its key. What OTHER has for itself is checked by a run of its own.`

// against is what an archive is to be compared with.
type against struct {
	word  string
	other *archive.Archive // nil: summaries
	kept  summaries.List
	lost  bool // the summaries are damaged
}

// nothingInCommonError says that there is nothing to compare.
type nothingInCommonError struct{ place, other, spec string }

func (e *nothingInCommonError) Error() string { return "there is nothing to compare" }

// againstFlag adds --against, and what there is to say of it.
func (a *app) againstFlag(c *cobra.Command) {
	c.Long += helpAgainst
	c.Flags().StringVar(&a.against, "against", "",
		"compare with `OTHER`: a copy of the archive, another archive of the same source, or local: what this machine has kept of the bands it wrote")
	c.RegisterFlagCompletionFunc("against", func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		if begun != "" && strings.HasPrefix(againstLocal, begun) {
			return []string{againstLocal}, cobra.ShellCompDirectiveDefault
		}
		return nil, cobra.ShellCompDirectiveFilterDirs
	})
}

// checkAgainst refuses words that --against can't be.
func (a *app) checkAgainst(c *cobra.Command, place string) error {
	switch {
	case !c.Flags().Changed("against"):
		return nil
	case a.against == "":
		return usage(msgAgainstEmpty)
	case a.against != againstLocal && isSamePlace(place, a.against):
		return usage(msgAgainstItself, shown(a.against))
	}
	return nil
}

// isSamePlace reports whether two words name one archive.
func isSamePlace(x, y string) bool {
	if cloud.IsPlace(x) || cloud.IsPlace(y) {
		p, errX := cloud.Parse(x)
		q, errY := cloud.Parse(y)
		return errX == nil && errY == nil && p == q
	}
	one, errX := os.Stat(x)
	two, errY := os.Stat(y)
	if errX != nil || errY != nil {
		return filepath.Clean(x) == filepath.Clean(y)
	}
	return os.SameFile(one, two)
}

// openAgainst opens what --against names; nil where there is nothing to compare with.
func (a *app) openAgainst(ctx context.Context, ar *archive.Archive) (ag *against, closeOther func(), err error) {
	ag, closeOther = &against{word: a.against}, func() {}
	switch a.against {
	case "":
		return nil, closeOther, nil
	case againstLocal:
		return ag, closeOther, a.readKept(ar, ag)
	}
	place, sealed := a.place, a.sealed
	a.sealed, a.opening = false, &once{to: &fromOther{a, a.against}}
	ag.other, closeOther, err = a.openRaising(ctx, a.against, a.opening)
	a.opening = nil
	if err != nil {
		return nil, nil, err // a.place is what it is about
	}
	a.place, a.sealed = place, sealed
	return ag, closeOther, nil
}

// readKept reads what this machine has kept of an archive.
func (a *app) readKept(ar *archive.Archive, ag *against) (err error) {
	name := a.summariesName(ar.Head().ID)
	ag.kept, err = readSummaries(name, ar.Head().ID)
	var corrupt *format.CorruptError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &nothingInCommonError{place: a.place, other: againstLocal}
	case errors.As(err, &corrupt):
		ag.lost = true
		return a.damagedSummaries(name, msgSummariesDamaged, corrupt)
	}
	return err
}

// compare compares the archive with what --against names; the one band, or all if that is empty.
func (a *app) compare(ctx context.Context, ar *archive.Archive, ag *against, only format.BandID) (*jsonAgainst, error) {
	if ag == nil {
		return nil, nil
	}
	progress, end := a.follow(msgComparing, event.Totals{})
	o := compare.Options{Only: only, Other: ag.word, Alarms: a.alarms, Events: progress.sink}
	var result compare.Result
	var err error
	kind := comparedSummaries
	switch {
	case ag.lost:
	case ag.other == nil:
		result, err = compare.Kept(ctx, ar, ag.kept, o)
	case ag.other.Head().ID == ar.Head().ID:
		kind = comparedObjects
		result, err = compare.Same(ctx, ar, ag.other, o)
	default:
		kind = comparedFiles
		result, err = compare.Contents(ctx, ar, ag.other, o)
	}
	end()
	if errors.Is(err, compare.ErrNothingInCommon) {
		err = &nothingInCommonError{place: a.place, other: ag.word, spec: a.spec}
	}
	return jsonAgainstOf(ag, kind, result), err
}

// nothingInCommonSentence says why there is nothing to compare.
func nothingInCommonSentence(e *nothingInCommonError) string {
	switch place := shown(e.place); {
	case e.other == againstLocal && e.spec != "":
		return sprintf(msgBandNotKept, shown(e.spec), place)
	case e.other == againstLocal:
		return sprintf(msgNothingKept, place)
	case e.spec != "":
		return sprintf(msgBandNotInCommon, shown(e.spec), place, shown(e.other))
	default:
		return sprintf(msgNothingInCommon, place, shown(e.other), shellQuoted(e.other))
	}
}

// fromOther takes the alarms that the other archive raises itself.
type fromOther struct {
	app  *app
	name string
}

func (f *fromOther) Raise(one alarm.Alarm) error {
	one.Message = sprintf(msgInOther, shown(f.name), alarmReason(one))
	return f.app.alarms.Raise(one)
}

// once takes alarms that an archive raises again each time that the same is read, and passes them on the first time.
type once struct {
	to alarm.Raiser

	mu   sync.Mutex
	told map[string]bool
}

// maxOnce bounds how many alarms are remembered. Beyond it they are forgotten.
const maxOnce = 10_000

func (o *once) Raise(one alarm.Alarm) error {
	o.mu.Lock()
	text := one.String()
	known := o.told[text]
	if o.told == nil || len(o.told) >= maxOnce {
		o.told = map[string]bool{}
	}
	o.told[text] = true
	o.mu.Unlock()
	if known {
		return nil
	}
	return o.to.Raise(one)
}
