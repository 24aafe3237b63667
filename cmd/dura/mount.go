package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"dura/archive/storage/cloud"
	"dura/archive/storage/cloud/store"
	"dura/cmd/dura-mount/mounting"
)

// mountCommand is dura-mount under another name.
func mountCommand(a *app) *cobra.Command {
	h := mounting.Host{
		Ask:    a.unlocker().Ask,
		Getenv: a.host.getenv, Now: a.host.now, Words: os.Args, UID: os.Geteuid(), GID: os.Getegid(),
		Say:    func(line string) { a.console.say(msgPrefix + line) },
		Stdout: a.stdout, Stderr: a.host.stderr,
		OpenStore: func(ctx context.Context, p cloud.Place) (mounting.Place, error) {
			return store.Open(ctx, p, store.Options{})
		},
	}
	c := mounting.Command(h, "dura mount")
	c.RegisterFlagCompletionFunc("band", a.completeBand)
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return c
}
