package main

import (
	"strings"

	"dura/archive/compare"
)

// What is compared, as JSON has it.
const (
	comparedObjects   = "objects"
	comparedFiles     = "files"
	comparedSummaries = "summaries"
)

type jsonAgainst struct {
	Other            string     `json:"other" about:"as given: a place, or local"`
	Compared         string     `json:"compared" about:"objects: it is a copy of the same archive; files: another one; summaries: kept by this machine"`
	Since            string     `json:"since,omitempty" about:"of summaries: bands that this machine completed from then on are kept"`
	Bands            int64      `json:"bands" about:"how many bands were compared"`
	GivenUp          int64      `json:"given_up" about:"how many bands were given up, here or there"`
	Differing        int64      `json:"differing" about:"how many findings there were, each an alarm"`
	BandsOnlyHere    int64      `json:"bands_only_here" about:"of a copy: how many bands the archive has and it has not"`
	BandsOnlyThere   int64      `json:"bands_only_there" about:"of a copy: how many bands it has and the archive has not; each complete one is an alarm"`
	Objects          int64      `json:"objects" about:"of a copy: how many objects both have"`
	ObjectsNotThere  int64      `json:"objects_not_there" about:"of a copy: how many objects it does not have yet, of bands that it has not completed"`
	Pairs            []jsonPair `json:"pairs" about:"of another archive: which bands were compared, up to 1000"`
	Entries          int64      `json:"entries" about:"of another archive: how many entries both have"`
	Files            int64      `json:"files" about:"of another archive: how many of them are files"`
	Changed          int64      `json:"changed_entries" about:"of another archive: how many of them changed between the backups"`
	Unknown          int64      `json:"unknown_entries" about:"of another archive: how many of them have hashes that can't be compared"`
	EntriesOnlyHere  int64      `json:"entries_only_here" about:"of another archive: how many entries the archive has and it has not"`
	EntriesOnlyThere int64      `json:"entries_only_there" about:"of another archive: how many entries it has and the archive has not"`
}

type jsonPair struct {
	Here  string `json:"here" about:"id of the band of the archive"`
	There string `json:"there" about:"id of the band of the other one"`
}

// maxPairs bounds how many pairs a document lists.
const maxPairs = 1000

func jsonAgainstOf(ag *against, kind string, r compare.Result) *jsonAgainst {
	j := &jsonAgainst{
		Other: ag.word, Compared: kind, Bands: r.Bands, GivenUp: r.GivenUp, Differing: r.Differing, BandsOnlyHere: r.BandsOnlyHere,
		BandsOnlyThere: r.BandsOnlyThere, Objects: r.Objects, ObjectsNotThere: r.ObjectsNotThere, Pairs: []jsonPair{}, Entries: r.Entries,
		Files: r.Files, Changed: r.Changed, Unknown: r.Unknown, EntriesOnlyHere: r.EntriesOnlyHere, EntriesOnlyThere: r.EntriesOnlyThere,
	}
	for _, p := range r.Pairs[:min(len(r.Pairs), maxPairs)] {
		j.Pairs = append(j.Pairs, jsonPair{string(p.Here), string(p.There)})
	}
	if kind == comparedSummaries && !ag.lost {
		j.Since = jsonTime(ag.kept.Since)
	}
	return j
}

// addCompared adds what was compared to a summary.
func (a *app) addCompared(t *table, ag *against, j *jsonAgainst) {
	if j == nil {
		return
	}
	bands := countOf(j.Bands, "band", "bands")
	switch j.Compared {
	case comparedObjects:
		t.add(msgRowAgainst, sprintf(msgAgainstCopy, bands, countOf(j.Objects, "object", "objects")))
	case comparedFiles:
		t.add(msgRowAgainst, sprintf(msgAgainstOther, bands, countOf(j.Entries, "entry", "entries"), countOf(j.Files, "file", "files")))
	default:
		if ag.lost {
			t.add(msgRowAgainst, msgAgainstDamaged)
			return
		}
		t.add(msgRowAgainst, sprintf(msgAgainstKept, bands, timeText(ag.kept.Since)))
	}
	differing := msgNone
	if j.Differing > 0 {
		differing = countText(j.Differing)
	}
	t.add(msgRowDiffering, differing)
	addCounts(t, msgRowOnlyHere, countIf(j.BandsOnlyHere, "band", "bands"), countIf(j.ObjectsNotThere, "object", "objects"))
	addCounts(t, msgRowOnlyThere, countIf(j.BandsOnlyThere, "band", "bands"))
	addCounts(t, msgRowGivenUp, countIf(j.GivenUp, "band", "bands"))
	if !a.verbose {
		return
	}
	for _, p := range j.Pairs {
		t.add(msgRowPair, sprintf(msgPair, p.Here, p.There))
	}
	addCounts(t, msgRowChangedSince, countIf(j.Changed, "entry", "entries"))
	addCounts(t, msgRowNotComparable, countIf(j.Unknown, "entry", "entries"))
	addCounts(t, msgRowOnlyHere, countIf(j.EntriesOnlyHere, "entry", "entries"))
	addCounts(t, msgRowOnlyThere, countIf(j.EntriesOnlyThere, "entry", "entries"))
}

// addCounts adds a row of what of counts there is, if anything.
func addCounts(t *table, name string, counts ...string) {
	var there []string
	for _, c := range counts {
		if c != "" {
			there = append(there, c)
		}
	}
	if len(there) > 0 {
		t.add(name, strings.Join(there, ", "))
	}
}

func countIf(n int64, one, many string) string {
	if n == 0 {
		return ""
	}
	return countOf(n, one, many)
}
