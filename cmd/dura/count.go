package main

import (
	"context"

	"dura/archive/event"
	"dura/archive/format"
	"dura/writer/plan"
	"dura/writer/source"
)

// reportEvery is how many entries are counted between reports of progress.
const reportEvery = 256

// count walks a source without reading any file. What it says of content is what the files take up on disk at the most: holes
// are not counted as far as that shows.
func count(ctx context.Context, src source.Source, events event.Sink) (done event.Totals, err error) {
	var links plan.Links[struct{}]
	for node, err := range src.Walk(ctx, source.Start{}) {
		if err != nil {
			return done, err
		}
		node.Handle.Close()
		e := &node.Entry
		done.Entries++
		events.Send(event.EntryDone{Path: string(e.Path), ContentBytes: e.Size})
		if done.Entries%reportEvery == 0 {
			events.Send(event.Progress{Done: done, Path: string(e.Path)})
		}
		if e.Kind != format.File {
			continue
		}
		done.Files++
		if _, linked := links.First(e, struct{}{}); !linked {
			done.ContentBytes += min(e.Size, max(node.Blocks*512, inlineBytes))
		}
	}
	return done, nil
}

// inlineBytes is up to what size a file is taken for whole without any blocks: some file systems keep small ones elsewhere.
const inlineBytes = 4096
