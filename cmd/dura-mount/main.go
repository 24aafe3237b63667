// Command dura-mount shows the bands of an archive as directories, read-only. All it does is in package mounting; here are its name and
// its exit statuses, what mount(8) says to the programs it calls, and the way to "dura mount", which knows object stores.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dura/cmd/dura-mount/mounting"
)

// Exit statuses.
const (
	statusDone   = 0
	statusFailed = 1
	statusUsage  = 2 // the words were off
)

const name = "dura-mount"

// What is said about the command line. The rest is in the catalog of package mounting.
const (
	msgSeeHelp          = `%s; "dura-mount --help" tells more`
	msgUnknownFlag      = `there is no option %s here`
	msgFlagWithoutValue = `--%s needs a value behind it`
)

func main() {
	log.SetOutput(io.Discard) // what libraries say there, their errors tell as well
	os.Exit(run(mounting.RealHost(name + ": ")))
}

// run runs the program and returns its exit status.
func run(h mounting.Host) int {
	words, fake := h.Words[1:], false
	if isHelper(h.Words[0]) {
		words, fake = helperWords(words)
	}
	c := mounting.Command(h, name)
	c.Version = version()
	c.SilenceErrors, c.SilenceUsage, c.DisableAutoGenTag = true, true, true
	c.SetOut(h.Stdout)
	c.SetErr(h.Stderr)
	c.SetVersionTemplate(name + " {{.Version}}\n")
	c.CompletionOptions.DisableDefaultCmd = true
	c.SetArgs(words)
	if fake {
		c.RunE, c.Run = nil, func(*cobra.Command, []string) {}
	}
	err := c.ExecuteContext(context.Background())
	var elsewhere *mounting.ElsewhereError
	if errors.As(err, &elsewhere) {
		return turnInto(h, words, elsewhere.Place)
	}
	return status(h, err)
}

// status says what went wrong, if anything did that was not said already.
func status(h mounting.Host, err error) int {
	var (
		ended *mounting.StatusError
		words *mounting.UsageError
		none  *mounting.Failure
	)
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &ended):
		return ended.Status
	case errors.As(err, &words):
		h.Say(fmt.Sprintf(msgSeeHelp, words.Sentence))
		return statusUsage
	case errors.As(err, &none):
		h.Say(none.Sentence)
		return statusFailed
	}
	h.Say(fmt.Sprintf(msgSeeHelp, flagSentence(err)))
	return statusUsage
}

// flagSentence says what is wrong with a flag.
func flagSentence(err error) string {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Sprintf(msgUnknownFlag, "-"+unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		return fmt.Sprintf(msgUnknownFlag, "--"+unknown.GetSpecifiedName())
	case errors.As(err, &missing):
		return fmt.Sprintf(msgFlagWithoutValue, missing.GetFlag().Name)
	}
	return err.Error()
}

// version is that of the build: a tag, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	return info.Main.Version
}
