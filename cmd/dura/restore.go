package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/restore"
)

type restoreDocument struct {
	Archive string `json:"archive" about:"where it is, as given"`
	Band    string `json:"band" about:"id of the band"`
	Dest    string `json:"dest" about:"the directory restored to, as given"`
	DryRun  bool   `json:"dry_run" about:"whether nothing was written"`
	jsonTotals
	InTheWay       int64   `json:"in_the_way" about:"entries that were left alone because something else is there"`
	NotReached     int64   `json:"not_reached" about:"entries that were left because the directory above them could not be made"`
	Removed        int64   `json:"removed" about:"what --delete removed, a directory with all below it counting once"`
	ElapsedSeconds float64 `json:"elapsed_seconds" about:"how long it took"`
	jsonAlarms
	errorDocument
}

func restoreCommand(a *app) *cobra.Command {
	var o restore.Options
	var salvage bool
	c := a.command("restore ARCHIVE DEST [PATH...]", "Restore a band, or part of one, to a directory",
		`Restore the tree of a band below the directory DEST, or only the PATHs of it. A file that exists already is left as it is,
with an alarm, unless --overwrite is given. Whoever is not root can't give files away: what was another's is an alarm each, unless
--no-owner is given. What is damaged is an alarm each, too, and left out; --salvage goes on with the rest whatever rules say.`,
		func(ctx context.Context, args []string) error {
			o.Paths = bandPaths(args[2:])
			if salvage && o.Delete {
				return usage(msgSalvageDelete)
			}
			return a.restore(ctx, args[0], args[1], o, salvage)
		})
	c.Flags().BoolVar(&o.Overwrite, "overwrite", false, "put what is in the band in the place of files that exist")
	c.Flags().BoolVar(&o.Delete, "delete", false, "remove from the restored directories what is not in the band")
	c.Flags().BoolVar(&o.NoOwner, "no-owner", false, "let everything belong to you, whoever it belonged to")
	c.Flags().BoolVar(&salvage, "salvage", false, "save what can be saved: no alarm ends it, or asks, or is suppressed")
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "say what would be done, and write nothing")
	c.ValidArgsFunction = a.completePaths(2)
	a.bandFlag(c, "restore this band")
	c.SuggestFor = []string{"extract", "recover"}
	return c
}

func (a *app) restore(ctx context.Context, place, dest string, o restore.Options, salvage bool) error {
	rules := alarm.ReadingRules()
	if o.Delete {
		rules = alarm.DeletingRules()
	}
	var last []alarm.Rule
	if salvage {
		last = []alarm.Rule{{Action: alarm.Continue}}
	}
	if err := a.setAlarms(rules, last...); err != nil {
		return err
	}
	_, band, closeArchive, err := a.openBand(ctx, place)
	if err != nil {
		return err
	}
	defer closeArchive()
	if o.Spared, err = itself(place, []string{followed(dest)}, msgDestInside); err != nil {
		return err
	}
	progress, end := a.follow(msgRestoring, expectedOf(band, o.Paths))
	o.Alarms, o.Events, o.Random = a.alarms, progress.sink, a.host.random
	if a.verbose {
		o.Removed = func(p format.Path) { a.tell(sprintf(msgRemoved, shown(string(p)))) }
	}
	began := a.host.now()
	result, err := restore.Restore(ctx, band, dest, o)
	elapsed := a.host.now().Sub(began)
	end()
	if result.Totals.Entries > 0 && !o.DryRun {
		a.restoredTo = dest // matters where it failed
	}
	if a.json {
		return a.printDocument(err, restoreDocument{
			Archive: place, Band: string(band.ID()), Dest: dest, DryRun: o.DryRun, jsonTotals: jsonTotalsOf(result.Totals),
			InTheWay: result.Left, NotReached: result.Passed, Removed: result.Removed, ElapsedSeconds: elapsed.Seconds(),
			jsonAlarms: a.jsonAlarms(), errorDocument: errorDocument{a.errorOf(err)},
		})
	}
	if err != nil || a.quiet {
		return err
	}
	return a.restoreSummary(band.ID(), dest, o.DryRun, result, elapsed).write(a.stdout)
}

// followed is where dest leads: a restore goes through symbolic links there.
func followed(dest string) string {
	if leads, err := filepath.EvalSymlinks(dest); err == nil {
		return leads
	}
	return dest
}

func (a *app) restoreSummary(id format.BandID, dest string, dryRun bool, r restore.Result, elapsed time.Duration) *table {
	restored, removed := msgRowRestored, msgRowRemoved
	if dryRun {
		restored, removed = msgRowWouldRestore, msgRowWouldRemove
	}
	t := &table{align: "<<"}
	t.add(msgRowBand, string(id))
	t.add(restored, totalsText(r.Totals)+" "+sprintf(msgTo, shown(dest)))
	for _, row := range []struct {
		name  string
		count int64
	}{{msgRowInTheWay, r.Left}, {msgRowPassed, r.Passed}, {removed, r.Removed}} {
		if row.count > 0 {
			t.add(row.name, countOf(row.count, "entry", "entries"))
		}
	}
	t.add(msgRowTook, tookText(r.Totals.ContentBytes, elapsed))
	t.add(msgRowAlarms, a.alarmsText())
	return t
}

// expectedOf is what lies ahead when a band is restored; nothing is known of parts of one.
func expectedOf(b *archive.Band, paths []format.Path) event.Totals {
	if len(paths) > 0 || !b.Complete() {
		return event.Totals{}
	}
	t := b.Tail().Totals
	return event.Totals{Entries: t.Entries, Files: t.Files, ContentBytes: t.ContentBytes}
}
