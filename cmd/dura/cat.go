package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"dura/archive"
	"dura/archive/alarm"
	"dura/archive/format"
)

// pieceLine is a piece of a file's content in cat's JSON stream.
type pieceLine struct {
	jsonPath
	OffsetBytes   int64  `json:"offset_bytes" about:"where in the file the piece lies; what no piece covers is a hole, or damaged"`
	ContentBase64 []byte `json:"content_base64" about:"its bytes"`
}

func catCommand(a *app) *cobra.Command {
	c := a.command("cat ARCHIVE PATH...", "Write the content of files to standard output",
		`Write the content of files of one band to standard output, one after the other. Of a damaged file only what stands ahead of
the damage is written, and an alarm says where that ends; "dura restore" writes whole files alone. With --json what stands behind the damage
follows, each piece with its offset.`,
		func(ctx context.Context, args []string) error { return a.cat(ctx, args[0], bandPaths(args[1:])) })
	c.ValidArgsFunction = a.completePaths(1)
	a.bandFlag(c, "from this band")
	c.SuggestFor = []string{"dump", "print"}
	return c
}

// cat goes on with the next file where one fails, as cat(1) does.
func (a *app) cat(ctx context.Context, place string, paths []format.Path) error {
	if err := a.setAlarms(alarm.ReadingRules()); err != nil {
		return err
	}
	ar, band, closeArchive, err := a.openBand(ctx, place)
	if err != nil {
		return err
	}
	defer closeArchive()
	out := a.openStream()
	var failure error
	for _, p := range paths {
		err := a.catFile(ctx, ar, band, p)
		if err == nil {
			continue
		}
		if err := out.end(); err != nil {
			return err
		}
		if aborted := (*alarm.AbortError)(nil); errors.As(err, &aborted) || ctx.Err() != nil {
			return err
		}
		a.fail(err)
		failure = errTold
	}
	return errors.Join(out.end(), failure)
}

// catFile writes the content of one file, up to what is damaged of it: zeros in its place could be taken for content.
func (a *app) catFile(ctx context.Context, ar *archive.Archive, band *archive.Band, p format.Path) error {
	e, err := band.Lookup(ctx, p)
	if err != nil {
		return err
	}
	if e.Kind != format.File {
		return &notAFileError{e.Entry}
	}
	var w contentWriter = &plainContent{out: a.out}
	if a.json {
		w = &jsonContent{out: a.out, path: pathOf(p)}
		if err := a.out.line(entryLineOf(e.Entry)); err != nil {
			return err
		}
	}
	for segment, err := range ar.Content(e.Entry).Segments(ctx) {
		if err != nil {
			if err := a.lost(ctx, p, segment, err); err != nil || !a.json {
				return err
			}
			continue
		}
		if err := w.piece(segment.Start, segment.Data); err != nil {
			return err
		}
		segment.Release()
	}
	return w.end(e.Size)
}

// lost raises the alarm for a part of a file that can't be read.
func (a *app) lost(ctx context.Context, p format.Path, what archive.Segment, err error) error {
	if ctx.Err() != nil {
		return err
	}
	one := archive.AlarmOf(err)
	one.Message = alarmReason(one)
	if !a.json {
		one.Message = sprintf(msgCutShort, bareReason(err), p, what.Start)
	}
	return a.alarms.Raise(one)
}

// contentWriter takes the content of one file, piece by piece, in order.
type contentWriter interface {
	piece(offset int64, data []byte) error
	end(size int64) error
}

// plainContent writes content as it is, holes as zeros.
type plainContent struct {
	out io.Writer
	at  int64
}

func (c *plainContent) piece(offset int64, data []byte) error {
	if err := c.end(offset); err != nil {
		return err
	}
	c.at += int64(len(data))
	_, err := c.out.Write(data)
	return err
}

func (c *plainContent) end(size int64) error {
	n, err := io.CopyN(c.out, zeros{}, size-c.at)
	c.at += n
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// jsonContent writes a line for each piece.
type jsonContent struct {
	out  *stream
	path jsonPath
}

func (c *jsonContent) piece(offset int64, data []byte) error {
	return c.out.line(pieceLine{c.path, offset, data})
}

func (c *jsonContent) end(int64) error { return nil }
