package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"dura/archive/format"
)

type versionDocument struct {
	Version  string `json:"version" about:"of this program"`
	Format   uint32 `json:"format" about:"the newest archive format that it reads and writes"`
	Go       string `json:"go" about:"the version of Go that built it"`
	Platform string `json:"platform" about:"operating system and processor"`
}

func versionCommand(a *app) *cobra.Command {
	return a.command("version", "Tell the version of this program", "", func(context.Context, []string) error {
		d := versionDocument{versionText(), format.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
		if a.json {
			return a.printJSON(d)
		}
		line := "dura " + d.Version + "\n"
		if a.verbose {
			line = fmt.Sprintf("dura %s, archive format %d, %s, %s\n", d.Version, d.Format, d.Go, d.Platform)
		}
		_, err := fmt.Fprint(a.stdout, line)
		return err
	})
}

// versionText is the version of the build: a tag, or the commit.
func versionText() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	return info.Main.Version
}
