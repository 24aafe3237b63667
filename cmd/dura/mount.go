package main

import (
	"os"

	"github.com/spf13/cobra"

	"dura/cmd/dura-mount/mounting"
)

// mountCommand is dura-mount under another name.
func mountCommand(a *app) *cobra.Command {
	h := mounting.Host{
		Ask:    a.unlocker().Ask,
		Getenv: a.host.getenv, Now: a.host.now, Words: os.Args, UID: os.Geteuid(), GID: os.Getegid(),
		Say:    func(line string) { a.console.say(msgPrefix + line) },
		Stdout: a.stdout, Stderr: a.host.stderr,
	}
	c := mounting.Command(h, "dura mount")
	c.RegisterFlagCompletionFunc("band", a.completeBand)
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return c
}
