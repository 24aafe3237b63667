package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
)

const helpRoot = `Dura backs up trees of files into an archive. Each backup makes one band, which can be listed and restored on its own.

  dura init /backup                    make an archive
  dura backup /backup /home /etc       store these trees in a new band
  dura bands /backup                   the bands it holds
  dura ls /backup home/me -l           what is in one
  dura restore /backup /tmp/out etc    get part of it back
  dura mount /backup /mnt              browse all of them

ARCHIVE is always first: the directory that holds everything, or s3://BUCKET/PATH?region=REGION, gs://BUCKET/PATH,
azblob://CONTAINER/PATH. Paths in a band are as given to backup, without the leading slash. BAND is an id, the start of one that no other id has, latest, latest~1 (the one before), or a date (2026-11-23, in UTC).

Exit status: 0 done; 1 failed or aborted; 2 the command line was wrong; 3 done, and alarms were raised: some files could not
be read, or damage was found.`

// documents are all that --json writes.
var documents = [...]struct {
	head string
	doc  any
}{
	{"init: one document", initDocument{}},
	{"backup: one document", backupDocument{}},
	{"bands: one document", bandsDocument{}},
	{"alarms: one document", alarmsDocument{}},
	{"ls: an object a line for each entry", entryLine{}},
	{"cat: for each path an object as of ls, then one for each piece of its content", pieceLine{}},
	{"restore: one document", restoreDocument{}},
	{"verify: one document", verifyDocument{}},
	{"repair: one document", repairDocument{}},
	{"version: one document", versionDocument{}},
	{"in streams (ls, cat), among the other lines", alarmLine{}},
	{"bands, alarms, backup, restore and verify, in their document", runFields{}},
	{"any other command that fails; in streams the last line", errorDocument{}},
}

// jsonHelp is the help topic that lists what --json writes.
func jsonHelp() *cobra.Command {
	var b strings.Builder
	b.WriteString(helpJSON)
	for _, d := range documents {
		b.WriteString("\n" + d.head + "\n")
		describe(&b, reflect.TypeOf(d.doc), "  ")
	}
	return &cobra.Command{Use: "json", Short: "The fields that --json writes", Long: strings.TrimRight(b.String(), "\n")}
}

const usageTemplate = `Usage: {{if .HasAvailableSubCommands}}dura COMMAND ARCHIVE [ARGUMENT]... [OPTION]...

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}

"dura COMMAND --help" tells more about a command, "dura help json" about what --json writes, "dura help events" about events.
{{else}}{{.UseLine}}
{{end}}{{if .HasAvailableLocalFlags}}
Options:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableInheritedFlags}}
Options of every command:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}`

const helpJSON = `With --json, results are JSON on standard output: one document, or, for ls and cat, an object a line. Units are in the
names. Fields marked "?" may be missing. Times are UTC, RFC 3339. Base64 is the standard one, with padding.

Kinds of errors: usage, interrupted, aborted, running, no_archive, archive_exists, not_empty, too_new, no_band, band_ambiguous,
band_deleted, no_path, not_a_file, not_a_directory, damaged, exists, denied, full, read_only, invalid, io, no_credentials,
no_bucket, other_region, unconditional, unreachable, source, source_missing, source_denied, source_clash, dest,
dest_not_directory, dest_denied, dest_full, output, mountpoint, mount, system, log, nothing_in_common, failed.
`

const helpEvents = `With --events text, json or textproto a run writes what happens, an event a line: on standard error, where nothing else is
written then, or with --events-to to a file, a pipe or /dev/fd/N. Results stay on standard output.

  text       time, what, and name=value; odd values in double quotes
  json       {"time":"...","alarm":{"area":"source","condition":"denied",...}}; bytes that are not UTF-8 a second time as name_base64
  textproto  the text format of this schema's Event:
`

// runFields are what the documents of all longer runs have.
type runFields struct {
	jsonAlarms
	errorDocument
}

var runType = reflect.TypeFor[runFields]()

// describe lists the JSON fields of a struct.
func describe(b *strings.Builder, t reflect.Type, indent string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && (f.Type == reflect.TypeFor[jsonAlarms]() || f.Type == reflect.TypeFor[errorDocument]()) && t != runType {
			continue // told of once, at the end
		}
		if f.Anonymous {
			describe(b, f.Type, indent)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero") {
			name += "?"
		}
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		fmt.Fprintf(b, "%s%-*s %-7s %s\n", indent, 26-len(indent), name, jsonType(f.Type), f.Tag.Get("about"))
		if inner.Kind() == reflect.Struct {
			describe(b, inner, indent+"  ")
		}
	}
}

func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "base64"
		}
		return "list"
	case reflect.Struct:
		return "object"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	}
	return "number"
}
