package unlock

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/term"
)

// Terminal is a Host's Ask: at a terminal, which in and out must be. Before writes the question, and after ends its line.
func Terminal(in, out any, before func(question string), after func()) func(context.Context, string) ([]byte, error) {
	input, ok := in.(*os.File)
	output, is := out.(*os.File)
	if !ok || !is || !term.IsTerminal(int(input.Fd())) || !term.IsTerminal(int(output.Fd())) {
		return nil
	}
	return func(ctx context.Context, question string) ([]byte, error) {
		before(question)
		answer, err := readHidden(ctx, input)
		after()
		if err == io.EOF {
			err = context.Canceled
		}
		return answer, err
	}
}

// readHidden reads a line of a terminal without echo. Where ctx ends first the terminal is as it was.
func readHidden(ctx context.Context, f *os.File) ([]byte, error) {
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	type line struct {
		text []byte
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := term.ReadPassword(int(f.Fd()))
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		return l.text, l.err
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), term.Restore(int(f.Fd()), before))
	}
}
