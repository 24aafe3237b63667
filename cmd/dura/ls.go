package main

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"path"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
)

type lsOptions struct {
	long, recursive, numeric, null bool
}

func lsCommand(a *app) *cobra.Command {
	var o lsOptions
	c := a.command("ls ARCHIVE [PATH]", "List a directory of a band",
		`List what is in a directory of one band, or a single file. Names are quoted as a shell takes them on a terminal, and are
as they were stored elsewhere.`,
		func(ctx context.Context, args []string) error {
			p := format.Root
			if len(args) > 1 {
				p = bandPath(args[1])
			}
			return a.ls(ctx, args[0], p, o)
		})
	c.Flags().BoolVarP(&o.long, "long", "l", false, "with mode, links, owner, group, size, time and link target")
	c.Flags().BoolVarP(&o.recursive, "recursive", "R", false, "all that is below the directory, as paths")
	c.Flags().BoolVarP(&o.numeric, "numeric-uid-gid", "n", false, "as -l, with numbers for owner and group")
	c.Flags().BoolVarP(&o.null, "null", "0", false, "end each line with a NUL instead of a line break")
	c.ValidArgsFunction = a.completePaths(1)
	a.bandFlag(c, "list this band")
	c.SuggestFor = []string{"list", "files"}
	return c
}

func (a *app) ls(ctx context.Context, place string, p format.Path, o lsOptions) error {
	if err := a.setAlarms(alarm.ReadingRules()); err != nil {
		return err
	}
	_, band, closeArchive, err := a.openBand(ctx, place)
	if err != nil {
		return err
	}
	defer closeArchive()
	entries, named := listed(ctx, band, p, o.recursive)
	out := a.openStream()
	list := a.lister(out, o, named)
	for e, err := range entries {
		if archive.Is(err, archive.KindNotFound) {
			return errors.Join(err, list.end(), out.end())
		}
		if err != nil {
			if err := a.raise(ctx, err); err != nil {
				return errors.Join(err, list.end(), out.end())
			}
			continue
		}
		if err := list.entry(e.Entry); err != nil {
			return err
		}
	}
	return cmp.Or(list.end(), out.end())
}

// listed is what a list of p has, and how it names each. Most paths are directories, so they are read as such: looking
// them up first could cost another read of storage.
func listed(ctx context.Context, band *archive.Band, p format.Path, recursive bool) (iter.Seq2[archive.Located, error], func(format.Path) string) {
	whole := func(p format.Path) string { return string(p) }
	if recursive {
		return withoutTop(p, band.Subtree(ctx, p)), whole
	}
	entries := func(yield func(archive.Located, error) bool) {
		for e, err := range band.ReadDir(ctx, p, "") {
			if archive.Is(err, archive.KindNotADirectory) {
				yield(band.Lookup(ctx, p))
				return
			}
			if !yield(e, err) {
				return
			}
		}
	}
	return entries, func(e format.Path) string {
		if e == p {
			return whole(e)
		}
		return path.Base(string(e))
	}
}

// withoutTop leaves the directory top out of its own subtree.
func withoutTop(top format.Path, all iter.Seq2[archive.Located, error]) iter.Seq2[archive.Located, error] {
	return func(yield func(archive.Located, error) bool) {
		for e, err := range all {
			if err == nil && e.Path == top && e.Kind == format.Directory {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// lister writes entries one after the other.
type lister interface {
	entry(*format.Entry) error
	end() error
}

func (a *app) lister(out *stream, o lsOptions, named func(format.Path) string) lister {
	quoted := func(s string) string { return s }
	if isTerminal(a.host.stdout) {
		quoted = shellQuoted
	}
	name := func(p format.Path) string { return quoted(named(p)) }
	ending := "\n"
	if o.null {
		ending = "\x00"
	}
	switch {
	case a.json:
		return jsonList{out}
	case o.long || o.numeric:
		return &longList{out: out, name: name, quoted: quoted, numeric: o.numeric, ending: ending}
	}
	return nameList{out, name, ending}
}

// nameList writes names alone.
type nameList struct {
	out    *stream
	name   func(format.Path) string
	ending string
}

func (l nameList) entry(e *format.Entry) error {
	_, err := l.out.WriteString(l.name(e.Path) + l.ending)
	return err
}

func (l nameList) end() error { return nil }

// jsonList writes an object for each entry.
type jsonList struct{ out *stream }

func (l jsonList) entry(e *format.Entry) error { return l.out.line(entryLineOf(e)) }
func (l jsonList) end() error                  { return nil }
