package main

import (
	"context"
	"encoding/binary"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/event"
	"dura/archive/format"
	"dura/archive/verify"
)

type verifyDocument struct {
	Archive        string       `json:"archive" about:"where it is, as given"`
	Depth          string       `json:"depth" about:"objects, blocks or files"`
	SampleParts    uint64       `json:"sample_parts,omitempty" about:"with --sample, one of how many parts of the blocks or files was checked"`
	SamplePart     uint64       `json:"sample_part,omitempty" about:"which of them, from 0 on"`
	Bands          int64        `json:"bands" about:"how many bands were checked"`
	Entries        int64        `json:"entries" about:"how many entries their indexes have, those of shared parts once"`
	Objects        int64        `json:"objects" about:"how many objects they refer to"`
	Blocks         int64        `json:"blocks" about:"how many of them are blocks"`
	Files          int64        `json:"files" about:"how many files had their content checked, with --files"`
	Bytes          int64        `json:"bytes" about:"how many bytes were read and checked"`
	Damaged        int64        `json:"damaged" about:"how many objects or files are missing or not as they were stored"`
	Unreferenced   int64        `json:"unreferenced" about:"how many objects of these bands nothing refers to"`
	Against        *jsonAgainst `json:"against,omitempty" about:"with --against, what the archive was compared with"`
	ElapsedSeconds float64      `json:"elapsed_seconds" about:"how long it took"`
	jsonAlarms
	errorDocument
}

func verifyCommand(a *app) *cobra.Command {
	var blocks, files bool
	var sample string
	var c *cobra.Command
	c = a.command("verify ARCHIVE", "Check that what is stored is whole",
		`Check that every object that a band refers to is there with its size, and that the index can be read. With --blocks
every stored object is read and checked against its hash, which takes no key where the archive is encrypted; with --files, the content
of every file. --sample 5% reads but a part of the blocks, or with --files of the files: another one each day, such that daily or
weekly runs have read everything after 20 of them, and runs of a year from 2% on; --sample random:5% leaves to chance what is read.
Damage is told of by alarms; the exit status is then 3.`,
		func(ctx context.Context, args []string) error {
			depth := verify.Objects
			switch {
			case blocks && files:
				return usage(msgBlocksAndFiles)
			case files:
				depth = verify.Files
			case blocks || sample != "":
				depth = verify.Blocks
			}
			if err := a.checkAgainst(c, args[0]); err != nil {
				return err
			}
			part, err := a.sampleOf(sample)
			if err != nil {
				return err
			}
			return a.verify(ctx, args[0], verify.Options{Depth: depth, Sample: part})
		})
	c.Flags().BoolVar(&blocks, "blocks", false, "check the hash of every stored object")
	c.Flags().BoolVar(&files, "files", false, "check the content of every file")
	c.Flags().StringVar(&sample, "sample", "", "read a part alone, each day another one, or with random: any: `PERCENT` of the blocks (with --files, of the files)")
	c.Flags().StringVarP(&a.spec, "band", "b", "", "check this `BAND` alone (default all of them)")
	c.RegisterFlagCompletionFunc("band", a.completeBand)
	a.againstFlag(c)
	c.SuggestFor = []string{"check", "scrub"}
	return c
}

func (a *app) verify(ctx context.Context, place string, o verify.Options) error {
	if err := a.setAlarms(alarm.ReadingRules()); err != nil {
		return err
	}
	if o.Depth == verify.Blocks && a.against == "" {
		a.access = accessStored
	}
	ar, closeArchive, err := a.openRaising(ctx, place, &once{to: a.alarms})
	if err != nil {
		return err
	}
	defer closeArchive()
	bands, err := a.bandsToVerify(ctx, ar)
	if err != nil {
		return err
	}
	against, closeOther, err := a.openAgainst(ctx, ar)
	if err != nil {
		return err
	}
	defer closeOther()
	progress, end := a.follow(msgVerifying, event.Totals{})
	began := a.host.now()
	o.Alarms, o.Events = a.alarms, progress.sink
	result, err := verify.Verify(ctx, ar, bands, o)
	elapsed := a.host.now().Sub(began)
	end()
	var compared *jsonAgainst
	if err == nil {
		compared, err = a.compare(ctx, ar, against, a.only(bands))
	}
	if a.json {
		d := verifyDocumentOf(place, o, result)
		d.Against, d.ElapsedSeconds = compared, a.host.now().Sub(began).Seconds()
		d.jsonAlarms, d.errorDocument = a.jsonAlarms(), errorDocument{a.errorOf(err)}
		return a.printDocument(err, d)
	}
	if err != nil || a.quiet {
		return err
	}
	t := a.verifySummary(result, o.Sample, elapsed)
	a.addCompared(t, against, compared)
	t.add(msgRowAlarms, a.alarmsText())
	return t.write(a.stdout)
}

func verifyDocumentOf(place string, o verify.Options, r verify.Result) verifyDocument {
	return verifyDocument{
		Archive: place, Depth: depthWord(o.Depth), SampleParts: o.Sample.Parts, SamplePart: o.Sample.Part, Bands: r.Bands, Entries: r.Entries,
		Objects: r.Objects, Blocks: r.Blocks, Files: r.Files, Bytes: r.Bytes, Damaged: r.Damaged, Unreferenced: r.Unreferenced,
	}
}

// only is the band that --band names; "" if it names none.
func (a *app) only(bands []archive.BandState) format.BandID {
	if a.spec == "" {
		return ""
	}
	return bands[0].ID
}

// sampleOf is the part that --sample means today.
func (a *app) sampleOf(text string) (verify.Sample, error) {
	if text == "" {
		return verify.Sample{}, nil
	}
	number, random := strings.CutPrefix(text, "random:")
	percent, err := strconv.ParseFloat(strings.TrimSuffix(number, "%"), 64)
	if err != nil || !(percent > 0 && percent <= 100) {
		return verify.Sample{}, usage(msgSample, shown(text))
	}
	if !random {
		return verify.Rotation(percent, a.host.now()), nil
	}
	var seed [8]byte
	if _, err := io.ReadFull(a.host.random, seed[:]); err != nil {
		return verify.Sample{}, err
	}
	return verify.Random(percent, binary.LittleEndian.Uint64(seed[:])), nil
}

// bandsToVerify are the band that --band names, or all.
func (a *app) bandsToVerify(ctx context.Context, ar *archive.Archive) ([]archive.BandState, error) {
	if a.spec == "" {
		return ar.Bands(ctx)
	}
	one, err := ar.FindBand(ctx, a.spec)
	return []archive.BandState{one}, err
}

func depthWord(d verify.Depth) string {
	switch d {
	case verify.Blocks:
		return "blocks"
	case verify.Files:
		return "files"
	}
	return "objects"
}

func (a *app) verifySummary(r verify.Result, s verify.Sample, elapsed time.Duration) *table {
	t := &table{align: "<<"}
	checked := countOf(r.Bands, "band", "bands") + ", " + countOf(r.Entries, "entry", "entries") + ", " + countOf(r.Objects, "object", "objects") + ", " +
		countOf(r.Blocks, "block", "blocks") + " among them"
	if r.Files > 0 {
		checked += ", " + countOf(r.Files, "file", "files")
	}
	t.add(msgRowChecked, checked)
	if s.Parts > 1 {
		t.add(msgRowSample, sprintf(msgPartOf, s.Part+1, countText(int64(s.Parts))))
	}
	t.add(msgRowRead, sprintf(msgIn, bytesText(r.Bytes), tookText(r.Bytes, elapsed)))
	damage := msgNone
	if r.Damaged > 0 {
		damage = countText(r.Damaged)
	}
	t.add(msgRowDamage, damage)
	if r.Unreferenced > 0 {
		t.add(msgRowUnreferenced, countOf(r.Unreferenced, "object", "objects"))
	}
	return t
}
