package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
)

type bandsDocument struct {
	Archive string     `json:"archive" about:"where it is, as given"`
	ID      string     `json:"id" about:"of the archive"`
	Bands   []bandLine `json:"bands" about:"all bands, the oldest first"`
	jsonAlarms
	errorDocument
}

type bandLine struct {
	Band         string     `json:"band" about:"id"`
	State        string     `json:"state" about:"complete, incomplete, damaged, deleted, or too_new for this program"`
	Started      string     `json:"started,omitempty" about:"when the backup began"`
	Ended        string     `json:"ended,omitempty" about:"when it was complete"`
	Host         string     `json:"host,omitempty" about:"the machine that made it"`
	Program      string     `json:"program,omitempty" about:"the program that made it"`
	Parent       string     `json:"parent,omitempty" about:"the band that unchanged files were taken from"`
	Sources      []jsonPath `json:"sources,omitempty" about:"the trees it is of, as they were named"`
	Exclusions   []string   `json:"exclusions,omitempty" about:"the patterns that were in force"`
	Compression  string     `json:"compression,omitempty" about:"how hard it was compressed"`
	Entries      *int64     `json:"entries,omitempty" about:"paths of any kind; of an incomplete band, those it has so far"`
	Files        *int64     `json:"files,omitempty" about:"regular files; of a complete band, as are the following"`
	ContentBytes *int64     `json:"content_bytes,omitempty" about:"bytes of their content, holes and further hard links not counted"`
	Blocks       *int64     `json:"blocks,omitempty" about:"blocks it wrote"`
	StoredBytes  *int64     `json:"stored_bytes,omitempty" about:"bytes of those blocks"`
	Alarms       *int64     `json:"alarms,omitempty" about:"how many were raised while it was made"`
}

// States of bands.
const (
	stateComplete   = "complete"
	stateIncomplete = "incomplete"
	stateDamaged    = "damaged"
	stateDeleted    = "deleted"
	stateTooNew     = "too_new"
)

func bandsCommand(a *app) *cobra.Command {
	c := a.command("bands ARCHIVE", "List the bands of an archive",
		"List the bands of an archive, the oldest first. Each backup makes one.",
		func(ctx context.Context, args []string) error { return a.bands(ctx, args[0]) })
	c.SuggestFor = []string{"snapshots", "archives", "history"}
	return c
}

func (a *app) bands(ctx context.Context, place string) error {
	if err := a.setAlarms(alarm.ReadingRules()); err != nil {
		return err
	}
	ar, closeArchive, err := a.open(ctx, place)
	if err != nil {
		return err
	}
	defer closeArchive()
	states, err := ar.Bands(ctx)
	if err != nil {
		return err
	}
	lines := make([]bandLine, 0, len(states))
	for _, s := range states {
		line, err := a.bandLine(ctx, ar, s)
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	if a.json {
		return a.printJSON(bandsDocument{Archive: place, ID: ar.Head().ID, Bands: lines, jsonAlarms: a.jsonAlarms()})
	}
	if len(lines) == 0 {
		if !a.quiet {
			a.console.say(msgPrefix + sprintf(msgNoBandsYet, shown(place), shellQuoted(place)))
		}
		return nil
	}
	return bandTable(lines).write(a.stdout)
}

// bandLine reads what there is to say of a band. What can't be read is an alarm, and the band damaged.
func (a *app) bandLine(ctx context.Context, ar *archive.Archive, s archive.BandState) (bandLine, error) {
	line := bandLine{Band: string(s.ID), State: stateIncomplete, Started: jsonTime(s.ID.Time())}
	switch {
	case s.Deleted:
		line.State = stateDeleted
		return line, nil
	case s.Complete:
		line.State = stateComplete
	}
	if err := a.fillBand(ctx, ar, s, &line); err != nil {
		line.State = stateDamaged
		if archive.Is(err, archive.KindTooNew) {
			line.State = stateTooNew
		}
		return line, a.raise(ctx, err)
	}
	return line, nil
}

func (a *app) fillBand(ctx context.Context, ar *archive.Archive, s archive.BandState, line *bandLine) error {
	band, err := ar.OpenBand(ctx, s)
	if err != nil {
		return err
	}
	entries := band.Entries()
	line.Entries = &entries
	switch {
	case band.Complete():
		line.fillTail(band.Tail())
	case s.Complete:
		line.State = stateDamaged // its tail is, which was told of
	}
	head, err := band.Head(ctx)
	if err != nil {
		return err
	}
	line.fillHead(head)
	return nil
}

func (l *bandLine) fillTail(t format.Tail) {
	l.Ended = jsonTime(t.Ended)
	l.Files, l.ContentBytes, l.Blocks, l.StoredBytes = &t.Totals.Files, &t.Totals.ContentBytes, &t.Totals.Blocks, &t.Totals.StoredBytes
	var alarms int64
	for _, c := range t.AlarmCounts {
		alarms += c.Count
	}
	l.Alarms = &alarms
}

func (l *bandLine) fillHead(h format.Head) {
	l.Started, l.Host, l.Program, l.Parent = jsonTime(h.Started), h.Host, h.Program, string(h.Parent)
	l.Compression, l.Exclusions = string(h.Settings.Compression), h.Exclusions
	for _, source := range h.Sources {
		l.Sources = append(l.Sources, pathOf(format.Path(source)))
	}
}

func bandTable(lines []bandLine) *table {
	t := &table{align: "<<<<>>>><"}
	t.add("BAND", "STARTED", "HOST", "STATE", "ENTRIES", "SIZE", "STORED", "ALARMS", "SOURCES")
	number := func(n *int64, text func(int64) string) string {
		if n == nil {
			return "-"
		}
		return text(*n)
	}
	for _, l := range lines {
		started := "-"
		if at, err := time.Parse(time.RFC3339Nano, l.Started); err == nil {
			started = timeText(at)
		}
		var sources []string
		for _, s := range l.Sources {
			sources = append(sources, shellQuoted(s.Path))
		}
		t.add(l.Band, started, orDash(shown(l.Host)), strings.ReplaceAll(l.State, "_", " "), number(l.Entries, countText), number(l.ContentBytes, bytesText),
			number(l.StoredBytes, bytesText), number(l.Alarms, countText), orDash(strings.Join(sources, " ")))
	}
	return t
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
