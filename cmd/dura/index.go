package main

import (
	"context"
	"path/filepath"

	"dura/archive"
	"dura/archive/format"
	"dura/writer"
	"dura/writer/dedup"
)

// openIndex opens this machine's index of what the archive holds. Where there can be none it is nil, and no alarm is raised: all it
// costs is space.
func (a *app) openIndex(ar *archive.Archive, no bool) (index *dedup.Index, closeIndex func()) {
	dir := a.cacheDir()
	if no || dir == "" {
		return nil, func() {}
	}
	dir = filepath.Join(dir, ar.Head().ID, "content")
	index, err := dedup.Open(dir, ar.Head().ID, dedup.Options{Random: a.host.random, Damaged: a.tellDamaged})
	if err != nil {
		if a.verbose {
			a.console.say(msgPrefix + sprintf(msgNoIndex, dir, reasonOf(err)))
		}
		return nil, func() {}
	}
	return index, func() { index.Close() }
}

// tellDamaged tells of a part of the index that is left out, and made anew: no alarm, since nothing is lost by it.
func (a *app) tellDamaged(d *dedup.DamageError) {
	if a.verbose {
		a.console.say(msgPrefix + d.Error())
	}
}

// cacheDir is where this machine keeps what it can make anew; "" if there is no place for it.
func (a *app) cacheDir() string {
	if dir := a.host.getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "dura")
	}
	if home := a.host.getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".cache", "dura")
	}
	return ""
}

// parentBand is the id of the band that --parent names, if it names one.
func (a *app) parentBand(ctx context.Context, ar *archive.Archive, spec string) (format.BandID, error) {
	if spec == "" {
		return "", nil
	}
	a.spec = spec
	s, err := ar.FindBand(ctx, spec)
	return s.ID, err
}

// bandText is the band row of a backup's summary.
func bandText(r writer.Result) string {
	text := sprintf(msgComplete, r.Band)
	if r.Continued {
		text += msgContinued
	}
	if r.Parent != "" {
		text += sprintf(msgParent, r.Parent)
	}
	return text
}
