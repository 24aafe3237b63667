package main

import (
	"strings"

	"github.com/spf13/cobra"

	"dura/archive/format"
)

// maxCompletions bounds what a shell is offered.
const maxCompletions = 1000

// completeBand offers the ids of bands, for --band.
func (a *app) completeBand(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	a.access = accessNames
	ar, closeArchive, err := a.open(c.Context(), args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer closeArchive()
	states, _ := ar.Bands(c.Context())
	var ids []string
	for _, s := range states {
		if !s.Deleted {
			ids = append(ids, string(s.ID))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// completePaths offers a directory for the arguments ahead of the number given, and paths of the band from there on.
func (a *app) completePaths(number int) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) < number {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
		a.access = accessStored
		_, band, closeArchive, err := a.openBand(c.Context(), args[0])
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer closeArchive()
		dir := begun[:strings.LastIndexByte(begun, '/')+1]
		var paths []string
		for e, err := range band.ReadDir(c.Context(), bandPath(dir), "") {
			if err != nil || len(paths) == maxCompletions {
				break
			}
			_, name := e.Path.Split()
			if path := dir + name; strings.HasPrefix(path, begun) {
				if e.Kind == format.Directory {
					path += "/"
				}
				paths = append(paths, path)
			}
		}
		return paths, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}
