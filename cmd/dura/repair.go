package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/repair"
)

type repairDocument struct {
	Archive        string     `json:"archive" about:"where it is, as given"`
	DryRun         bool       `json:"dry_run" about:"whether nothing was written"`
	Bands          int64      `json:"bands" about:"how many bands were checked"`
	Objects        int64      `json:"objects" about:"how many objects were read and checked"`
	Bytes          int64      `json:"bytes" about:"how many bytes those have"`
	Damaged        int64      `json:"damaged" about:"how many objects were missing or damaged"`
	Repaired       int64      `json:"repaired" about:"how many of them were stored again, or would be"`
	NotRepaired    int64      `json:"not_repaired" about:"how many objects can't be had any more"`
	ParityMade     int64      `json:"parity_made" about:"how many parity objects were made for objects that had none"`
	LostFiles      int64      `json:"lost_files" about:"how many files can't be had any more, each once for each band that has it"`
	LostRuns       int64      `json:"lost_runs" about:"how many runs of entries nothing is known of any more"`
	Made           []jsonMade `json:"made" about:"what was stored, up to 10000 objects"`
	Lost           []jsonLost `json:"lost" about:"what is lost, up to 10000 files and runs"`
	ElapsedSeconds float64    `json:"elapsed_seconds" about:"how long it took"`
	jsonAlarms
	errorDocument
}

type jsonMade struct {
	Object string `json:"object" about:"that was missing or damaged"`
	Stored string `json:"stored" about:"the name it is stored under: its own, or that of a repaired copy"`
	From   string `json:"from" about:"where its content is from"`
}

type jsonLost struct {
	Band   string `json:"band" about:"id of the band"`
	Path   string `json:"path" about:"of the file, or where the run of entries begins"`
	Run    bool   `json:"run" about:"whether it is a run of entries"`
	Until  string `json:"until" about:"where a run ends; empty: with the band"`
	Object string `json:"object" about:"the object that can't be had"`

	Entries  int64 `json:"entries,omitempty" about:"of a run: how many entries of it are lost; 0: all"`
	Metadata bool  `json:"metadata,omitempty" about:"whether it is mode, owner and times that are lost, and not the content"`
}

// maxRepairsListed bounds what a document lists.
const maxRepairsListed = 10_000

func repairCommand(a *app) *cobra.Command {
	var dryRun bool
	c := a.command("repair ARCHIVE", "Store again what is missing or damaged",
		`Check every object of an archive, and store again what is missing or damaged: from parity, or from another archive of the same
bands. A missing object gets its name back; beside a damaged one a repaired copy is stored, since nothing that exists is changed.
An index that can't be had any more is made anew of what the blocks and other bands tell: with times of whole seconds, and without
what no block holds, such as sockets. It says which files of which bands can't be saved; the exit status is then 3. The next backup
stores those again from the source, if it still has them. Without the key of an encrypted archive it goes by the hashes in .sha256
and by parity, can't name files, and makes no index anew.`,
		func(ctx context.Context, args []string) error { return a.repair(ctx, args[0], dryRun) })
	c.Flags().StringArrayVar(&a.also, "from", nil, "take what can't be rebuilt from the same bands of the archive `OTHER`")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be done, and write nothing")
	c.SuggestFor = []string{"fix", "heal", "rebuild"}
	return c
}

func (a *app) repair(ctx context.Context, place string, dryRun bool) error {
	if err := a.setAlarms(alarm.ReadingRules()); err != nil {
		return err
	}
	a.access = accessRepair
	ar, closeArchive, err := a.openRaising(ctx, place, nil)
	if err != nil {
		return err
	}
	defer closeArchive()
	bands, err := ar.Bands(ctx)
	if err != nil {
		return err
	}
	d := repairDocument{Archive: place, DryRun: dryRun, Made: []jsonMade{}, Lost: []jsonLost{}}
	progress, end := a.follow(msgRepairing, event.Totals{})
	began := a.host.now()
	result, err := repair.Repair(ctx, ar, bands, repair.Options{
		DryRun: dryRun, Alarms: a.alarms, Events: progress.sink, Made: func(m repair.Made) { a.madeAgain(&d, m) },
		Lost: func(l repair.Lost) {
			if len(d.Lost) < maxRepairsListed {
				d.Lost = append(d.Lost, jsonLost{string(l.Band), string(l.Path), l.Run, string(l.Until), l.Object, l.Entries, l.Metadata})
			}
		},
	})
	elapsed := a.host.now().Sub(began)
	end()
	if a.json {
		d.fill(result, elapsed)
		d.jsonAlarms, d.errorDocument = a.jsonAlarms(), errorDocument{a.errorOf(err)}
		return a.printDocument(err, d)
	}
	if err != nil {
		return err
	}
	for _, l := range d.Lost {
		if _, err := io.WriteString(a.stdout, lostText(l)); err != nil {
			return err
		}
	}
	if a.quiet {
		return nil
	}
	return a.repairSummary(dryRun, result, elapsed).write(a.stdout)
}

// madeAgain notes an object that was stored, and tells of it where much is to be told.
func (a *app) madeAgain(d *repairDocument, m repair.Made) {
	if len(d.Made) < maxRepairsListed {
		d.Made = append(d.Made, jsonMade(m))
	}
	if a.verbose {
		text := msgMade
		if d.DryRun {
			text = msgWouldMake
		}
		a.tell(sprintf(text, m.Object, shown(m.From), m.Stored))
	}
}

func (d *repairDocument) fill(r repair.Result, elapsed time.Duration) {
	d.Bands, d.Objects, d.Bytes, d.Damaged, d.Repaired = r.Bands, r.Objects, r.Bytes, r.Damaged, r.Repaired
	d.NotRepaired, d.ParityMade, d.LostFiles, d.LostRuns = r.Irreparable, r.Parity, r.LostFiles, r.LostRuns
	d.ElapsedSeconds = elapsed.Seconds()
}

func lostText(l jsonLost) string {
	switch some := countOf(l.Entries, "entry", "entries"); {
	case l.Metadata:
		return sprintf(msgLostMetadata, l.Band, shown(l.Path), l.Object)
	case l.Entries > 0 && l.Until == string(format.Root):
		return sprintf(msgLostSome, l.Band, some, shown("/"+l.Path), l.Object)
	case l.Entries > 0:
		return sprintf(msgLostSomeUntil, l.Band, some, shown("/"+l.Path), shown("/"+l.Until), l.Object)
	case l.Run && l.Until == string(format.Root):
		return sprintf(msgLostRun, l.Band, shown("/"+l.Path), l.Object)
	case l.Run:
		return sprintf(msgLostRunUntil, l.Band, shown("/"+l.Path), shown("/"+l.Until), l.Object)
	}
	return sprintf(msgLostFile, l.Band, shown(l.Path), l.Object)
}

func (a *app) repairSummary(dryRun bool, r repair.Result, elapsed time.Duration) *table {
	t := &table{align: "<<"}
	t.add(msgRowChecked, countOf(r.Bands, "band", "bands")+", "+countOf(r.Objects, "object", "objects"))
	t.add(msgRowRead, sprintf(msgIn, bytesText(r.Bytes), tookText(r.Bytes, elapsed)))
	damage := msgNone
	if r.Damaged > 0 {
		damage = countOf(r.Damaged, "object", "objects")
	}
	t.add(msgRowDamage, damage)
	repaired := msgRowRepaired
	if dryRun {
		repaired = msgRowWouldRepair
	}
	for _, row := range []struct {
		name      string
		count     int64
		one, many string
	}{
		{repaired, r.Repaired, "object", "objects"}, {msgRowParityMade, r.Parity, "object", "objects"},
		{msgRowNotRepaired, r.Irreparable, "object", "objects"}, {msgRowLost, r.LostFiles, "file", "files"},
	} {
		if row.count > 0 {
			t.add(row.name, countOf(row.count, row.one, row.many))
		}
	}
	t.add(msgRowAlarms, a.alarmsText())
	return t
}
