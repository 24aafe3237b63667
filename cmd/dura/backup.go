package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/event"
	"dura/archive/storage/file"
	"dura/writer"
	"dura/writer/plan"
	"dura/writer/source"
)

type backupDocument struct {
	Archive string `json:"archive" about:"where it is, as given"`
	Band    string `json:"band,omitempty" about:"id of the band; not there with --dry-run"`
	State   string `json:"state,omitempty" about:"complete or incomplete"`
	Parent  string `json:"parent,omitempty" about:"id of the band that unchanged files were taken from"`
	GoneOn  bool   `json:"continued" about:"whether an earlier run had begun the band"`
	DryRun  bool   `json:"dry_run" about:"whether nothing was stored"`
	jsonTotals
	New         int64 `json:"new_entries" about:"entries that the parent does not have"`
	Changed     int64 `json:"changed_entries" about:"entries that are not as in the parent"`
	Unchanged   int64 `json:"unchanged_entries" about:"entries that are as in the parent"`
	StoredBytes int64 `json:"stored_bytes" about:"bytes written to the archive"`
	Objects     int64 `json:"objects" about:"objects written to the archive"`
	jsonLeftOut
	ElapsedSeconds float64 `json:"elapsed_seconds" about:"how long it took"`
	jsonAlarms
	errorDocument
}

// jsonLeftOut is what of the source was left out.
type jsonLeftOut struct {
	ExcludedEntries  int64 `json:"excluded_entries" about:"entries that patterns left out; what is below them is not counted"`
	CacheDirectories int64 `json:"cache_directories" about:"cache directories whose content was left out"`
	OtherFileSystems int64 `json:"other_file_systems" about:"mount points whose content was left out"`
	Archives         int64 `json:"archives" about:"1 where the archive lies in the source and was left out"`
}

func jsonLeftOutOf(t source.Totals) jsonLeftOut {
	return jsonLeftOut{t.Excluded, t.CacheDirectories, t.OtherFileSystems, t.SkippedContents}
}

type backupOptions struct {
	exclusions exclusionFlags
	source     source.Options
	trust      plan.Trust
	parent     string
	byDate     bool
	noCache    bool
	dryRun     bool
}

const helpBackup = `Store trees of files in a new band of the archive. What can't be read is left out, with an alarm. A path is stored
as it is given, without the leading slash.

Patterns: * and ? stand for anything but a slash, ** for any directories, [a-z] and {one,other} for one of those. One
without a slash is for a name at any depth, one with a slash at its start for a path from the top, one with a slash
inside for the end of a path; a slash at the end means directories. ! takes back what patterns ahead of it leave out;
the last that fits wins.`

func backupCommand(a *app) *cobra.Command {
	var o backupOptions
	c := a.command("backup ARCHIVE PATH...", "Store trees of files in a new band", helpBackup,
		func(ctx context.Context, args []string) error { return a.backup(ctx, args[0], args[1:], o) })
	flags := c.Flags()
	flags.VarP(exclusionFlag{all: &o.exclusions}, "exclude", "e", "leave out what matches `PATTERN`")
	flags.Var(exclusionFlag{all: &o.exclusions, fromFile: true}, "exclude-from", "leave out what matches a line of `FILE`; - is standard input")
	flags.BoolVar(&o.source.ExcludeCaches, "exclude-caches", false, "leave out what is in directories that hold a CACHEDIR.TAG")
	flags.BoolVarP(&o.source.OneFileSystem, "one-file-system", "x", false, "leave out what other file systems are mounted on")
	flags.StringVar(&o.parent, "parent", "", "take unchanged files from `BAND` (default the latest complete one of this host and these paths)")
	flags.BoolVarP(&o.trust.ReadAll, "force", "f", false, "read every file again, unchanged ones too")
	flags.BoolVar(&o.trust.IgnoreCTime, "ignore-ctime", false, "take a file for unchanged whenever its metadata changed")
	flags.BoolVar(&o.trust.IgnoreInode, "ignore-inode", false, "take a file for unchanged whatever its inode and device")
	flags.BoolVar(&o.byDate, "by-date", false, "where the parent's index can't be read, take older files to be in it, by their paths")
	flags.BoolVar(&o.noCache, "no-cache", false, "keep no index of what the archive holds on this machine")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would be read, and store nothing")
	c.SuggestFor = []string{"create", "save"}
	return c
}

func (a *app) backup(ctx context.Context, place string, paths []string, o backupOptions) error {
	if err := a.setAlarms(nil); err != nil {
		return err
	}
	patterns, err := o.exclusions.patterns(a.host.stdin)
	if err != nil {
		return err
	}
	a.access = accessWrite
	ar, closeArchive, err := a.open(ctx, place)
	if err != nil {
		return err
	}
	defer closeArchive()
	src, err := a.sourceOf(place, paths, patterns, &o)
	if err != nil {
		return err
	}
	if o.dryRun {
		return a.dryBackup(ctx, place, src)
	}
	unlock, err := a.lockBackup(ar, paths)
	if err != nil {
		return err
	}
	defer unlock()
	if err := a.sweep(ctx, ar); err != nil {
		return err
	}
	return a.backUp(ctx, ar, place, src, writer.Options{Sources: paths, Exclusions: patterns, Trust: o.trust, ByDate: o.byDate}, o)
}

// sourceOf is what is backed up: the trees of paths, without the archive itself.
func (a *app) sourceOf(place string, paths, patterns []string, o *backupOptions) (src *source.Trees, err error) {
	o.source.Exclude, o.source.Alarms = patterns, a.alarms
	if a.verbose {
		o.source.Skipped = a.tellSkipped
	}
	if o.source.Skip, err = itself(place, paths, msgSourceInside); err != nil {
		return nil, err
	}
	return source.Local(paths, o.source)
}

// backUp makes a band of src, or goes on with one, and tells of it.
func (a *app) backUp(ctx context.Context, ar *archive.Archive, place string, src *source.Trees, w writer.Options, o backupOptions) (err error) {
	if w.Host, err = a.host.name(); err != nil {
		w.Host = ""
	}
	if w.Parent, err = a.parentBand(ctx, ar, o.parent); err != nil {
		return err
	}
	index, closeIndex := a.openIndex(ar, o.noCache)
	defer closeIndex()
	expected := a.lastTotals(ctx, ar, w.Host, w.Sources)
	progress, end := a.follow(msgBackingUp, expected)
	if expected == (event.Totals{}) {
		end = a.countAhead(ctx, w.Sources, o.source, progress, end)
	}
	began := a.host.now()
	stop, done := a.host.stop.wanted()
	w.Now, w.Random, w.Program = a.host.now, a.host.random, "dura "+versionText()
	w.Alarms, w.Events, w.Index, w.Stop = a.alarms, progress.sink, index, stop
	result, err := writer.Backup(ctx, ar, src, w)
	done()
	elapsed := a.host.now().Sub(began)
	end()
	if err == nil {
		err = cmp.Or(a.sweep(ctx, ar), a.keepSummary(ar, result)) // earlier runs of the same backup may have been killed moments ago
	}
	if err != nil {
		a.kept = result.Band
	}
	return a.tellBackup(place, result, src.Totals(), elapsed, err)
}

// sweep removes what backups that were killed left half-written.
func (a *app) sweep(ctx context.Context, ar *archive.Archive) error {
	st, ok := ar.Place().(*file.Storage)
	if !ok {
		return nil
	}
	_, err := st.Sweep(ctx, a.host.now())
	return err
}

func (a *app) tellBackup(place string, r writer.Result, walked source.Totals, elapsed time.Duration, err error) error {
	done := r.Totals
	if a.json {
		d := backupDocument{
			Archive: place, Band: string(r.Band), State: stateComplete, jsonTotals: jsonTotalsOf(done), StoredBytes: done.StoredBytes,
			Parent: string(r.Parent), GoneOn: r.Continued, New: done.New, Changed: done.Changed, Unchanged: done.Unchanged, Objects: done.Objects, jsonLeftOut: jsonLeftOutOf(walked), ElapsedSeconds: elapsed.Seconds(),
			jsonAlarms: a.jsonAlarms(), errorDocument: errorDocument{a.errorOf(err)},
		}
		if err != nil {
			d.State = stateIncomplete
		}
		return a.printDocument(err, d)
	}
	if err != nil || a.quiet {
		return err
	}
	t := &table{align: "<<"}
	t.add(msgRowBand, bandText(r))
	t.add(msgRowSource, totalsText(done))
	t.add(msgRowChanges, sprintf(msgChanges, countText(done.New), countText(done.Changed), countText(done.Unchanged)))
	leftOut(t, walked)
	t.add(msgRowStored, storedText(done))
	t.add(msgRowTook, tookText(done.ContentBytes, elapsed))
	t.add(msgRowAlarms, a.alarmsText())
	return t.write(a.stdout)
}

// dryBackup walks the source, and tells what would be read.
func (a *app) dryBackup(ctx context.Context, place string, src *source.Trees) error {
	progress, end := a.follow(msgCounting, event.Totals{})
	began := a.host.now()
	done, err := count(ctx, src, progress.sink)
	elapsed := a.host.now().Sub(began)
	end()
	if a.json {
		return a.printDocument(err, backupDocument{
			Archive: place, DryRun: true, jsonTotals: jsonTotalsOf(done), jsonLeftOut: jsonLeftOutOf(src.Totals()),
			ElapsedSeconds: elapsed.Seconds(), jsonAlarms: a.jsonAlarms(),
			errorDocument: errorDocument{a.errorOf(err)},
		})
	}
	if err != nil || a.quiet {
		return err
	}
	t := &table{align: "<<"}
	t.add(msgRowWouldRead, totalsText(done))
	leftOut(t, src.Totals())
	t.add(msgRowAlarms, a.alarmsText())
	return t.write(a.stdout)
}
