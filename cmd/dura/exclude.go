package main

import (
	"errors"
	"io"
	"os"

	"dura/writer/source"
)

// exclusionFlags gathers --exclude and --exclude-from in the order they are given: later patterns win over earlier ones.
type exclusionFlags struct{ given []exclusion }

type exclusion struct {
	text     string
	fromFile bool
}

// exclusionFlag is one of the two, as a pflag.Value.
type exclusionFlag struct {
	all      *exclusionFlags
	fromFile bool
}

func (f exclusionFlag) Set(text string) error {
	f.all.given = append(f.all.given, exclusion{text, f.fromFile})
	return nil
}

func (f exclusionFlag) String() string { return "" }
func (f exclusionFlag) Type() string   { return "pattern" }

// patterns is all patterns, those of files in the place of the file. The file "-" is standard input.
func (f *exclusionFlags) patterns(stdin io.Reader) (patterns []string, err error) {
	for _, one := range f.given {
		if !one.fromFile {
			patterns = append(patterns, one.text)
			continue
		}
		of, err := patternsOf(one.text, stdin)
		var off *source.PatternError
		switch {
		case errors.As(err, &off):
			return nil, usage(msgExcludeLine, off.Line, shown(one.text), shown(off.Pattern), reasonOf(off.Err))
		case err != nil:
			return nil, usage(msgExcludeFile, shown(one.text), reasonOf(err))
		}
		patterns = append(patterns, of...)
	}
	return patterns, nil
}

func patternsOf(name string, stdin io.Reader) ([]string, error) {
	if name == "-" {
		return source.ParseExcludes(stdin)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return source.ParseExcludes(file)
}
