package main

import (
	"context"
	"encoding/hex"
	"io"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/storage/cloud"
)

type initDocument struct {
	Archive     string `json:"archive" about:"where it is, as given"`
	ID          string `json:"id" about:"of the archive, 32 hex digits"`
	Compression string `json:"compression" about:"what bands are made with, if not told otherwise"`
	Parity      string `json:"parity" about:"none, or K+M: how many parity objects M there are to each K objects"`
}

func initCommand(a *app) *cobra.Command {
	var compression, scheme string
	c := a.command("init ARCHIVE", "Make an archive",
		"Make an archive in a new or an empty directory, whose files can be read by their owner alone, or at a path in a bucket of an\n"+
			"object store where nothing is yet.",
		func(ctx context.Context, args []string) error {
			return a.initArchive(ctx, args[0], compression, scheme)
		})
	c.Flags().StringVar(&compression, "compression", string(format.DefaultCompression),
		"how hard to compress: none, fastest, default or better, as `LEVEL`")
	c.Flags().StringVar(&scheme, "parity", "",
		"how much may be lost and be rebuilt: none, or `K+M` for any M of K objects and M parity objects (default 16+2 on a disk, none in an object store, which has copies of its own)")
	return c
}

// defaultParity is for disks.
const defaultParity = "16+2"

// parityOf is what the word of --parity means for an archive at place.
func parityOf(place, word string) (string, error) {
	switch {
	case word != "":
	case cloud.IsPlace(place):
		word = parity.None
	default:
		word = defaultParity
	}
	if _, err := parity.ParseScheme(word); err != nil {
		return "", usage(msgParity, shown(word))
	}
	return word, nil
}

func (a *app) initArchive(ctx context.Context, place, compression, scheme string) error {
	a.place = place
	if err := a.setAlarms(nil); err != nil {
		return err
	}
	scheme, err := parityOf(place, scheme)
	if err != nil {
		return err
	}
	settings := format.Settings{Compression: format.Compression(compression), Parity: scheme}.WithDefaults(format.DefaultSettings())
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
	d := initDocument{place, hex.EncodeToString(id[:]), compression, scheme}
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
		text += sprintf(msgArchiveSettings, d.ID, compression, bytesText(settings.BlockBytes), bytesText(settings.FrameBytes), scheme)
	}
	_, err = io.WriteString(a.stdout, text)
	return err
}
