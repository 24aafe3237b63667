package main

import (
	"context"
	"encoding/hex"
	"io"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/format"
)

type initDocument struct {
	Archive     string `json:"archive" about:"where it is, as given"`
	ID          string `json:"id" about:"of the archive, 32 hex digits"`
	Compression string `json:"compression" about:"what bands are made with, if not told otherwise"`
}

func initCommand(a *app) *cobra.Command {
	var compression string
	c := a.command("init ARCHIVE", "Make an archive",
		"Make an archive in a new or an empty directory, whose files can be read by their owner alone, or at a path in a bucket of an\n"+
			"object store where nothing is yet.",
		func(ctx context.Context, args []string) error { return a.initArchive(ctx, args[0], compression) })
	c.Flags().StringVar(&compression, "compression", string(format.DefaultCompression),
		"how hard to compress: none, fastest, default or better, as `LEVEL`")
	return c
}

func (a *app) initArchive(ctx context.Context, place, compression string) error {
	a.place = place
	if err := a.setAlarms(nil); err != nil {
		return err
	}
	settings := format.Settings{Compression: format.Compression(compression)}.WithDefaults(format.DefaultSettings())
	if settings.Check() != nil {
		return usage(msgCompression, shown(compression))
	}
	var id [16]byte
	if _, err := io.ReadFull(a.host.random, id[:]); err != nil {
		return err
	}
	st, err := a.createPlace(ctx, place)
	if err != nil {
		return err
	}
	defer st.Close()
	d := initDocument{place, hex.EncodeToString(id[:]), compression}
	if err := archive.Create(ctx, st, archive.CreateOptions{ID: d.ID, Now: a.host.now(), Settings: settings}); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(d)
	}
	if a.quiet {
		return nil
	}
	text := sprintf(msgArchiveMade, shown(place), shellQuoted(place))
	if a.verbose {
		text += sprintf(msgArchiveSettings, d.ID, compression, bytesText(settings.BlockBytes), bytesText(settings.FrameBytes))
	}
	_, err = io.WriteString(a.stdout, text)
	return err
}
