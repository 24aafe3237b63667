package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// run runs the program on args and returns its exit status.
func run(h host, args []string) int {
	h = h.asServer()
	s := settings{args: args}
	c := newCommand(h, &s, func(ctx context.Context) error { return s.start(ctx, h) })
	c.SetArgs(args)
	return end(h, &s, c.ExecuteContext(context.Background()))
}

// end says what went wrong, if anything did.
func end(h host, s *settings, err error) int {
	var status *statusError
	var words *usageError
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &status):
		return status.status
	case errors.As(err, &words):
		say(h, fmt.Sprintf(msgSeeHelp, words.msg))
		return statusUsage
	}
	say(h, s.explain(err))
	return statusFailed
}

// statusError is an exit status of which all is said.
type statusError struct{ status int }

func (e *statusError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

func say(h host, line string) { fmt.Fprintln(h.stderr, msgPrefix+line) }

func newCommand(h host, s *settings, start func(context.Context) error) *cobra.Command {
	var options []string
	var cacheSize string
	c := &cobra.Command{
		Use: "dura-mount ARCHIVE MOUNTPOINT", Short: "Show the bands of an archive as directories", Long: helpText,
		SilenceErrors: true, SilenceUsage: true, DisableAutoGenTag: true, Version: version(),
		Args: func(_ *cobra.Command, args []string) error { return s.setArgs(args) },
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.setAll(options, cacheSize); err != nil {
				return err
			}
			return start(c.Context())
		},
	}
	c.SetOut(h.stdout)
	c.SetErr(h.stderr)
	c.SetVersionTemplate("dura-mount {{.Version}}\n")
	c.CompletionOptions.DisableDefaultCmd = true
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%s", flagSentence(err)) })
	f := c.Flags()
	f.BoolVarP(&s.foreground, "foreground", "f", false, "stay in the foreground until it is unmounted")
	f.StringArrayVarP(&options, "options", "o", nil, "mount `OPTION`s, parted by commas")
	f.StringVarP(&s.band, "band", "b", "", "show this `BAND` alone: an id, the start of one, latest, latest~1, or a date")
	f.StringVar(&cacheSize, "cache-size", "", "memory for contents that were read: a `SIZE` as 64M (default 32M)")
	f.StringVar(&s.logFile, "log-file", "", "append what is said while it is served to `FILE`")
	f.StringArrayVar(&s.rules, "alarm", nil, "what alarms do, as AREA/CONDITION[:GLOB]=continue|suppress; the last `RULE` that matches wins")
	f.StringVar(&s.profileFile, "cpuprofile", "", "write a CPU profile to `FILE`")
	_ = f.MarkHidden("cpuprofile")
	return c
}

func (s *settings) setArgs(args []string) error {
	switch {
	case len(args) < 2:
		return usage(msgTooFewArgs)
	case len(args) > 2:
		return usage(msgTooManyArgs, args[2])
	case args[0] == "":
		return usage(msgEmptyArchive)
	}
	s.archive, s.mountpoint = args[0], args[1]
	scheme, rest, found := strings.Cut(s.archive, "://")
	switch {
	case found && rest != "" && scheme != "" && !strings.Contains(scheme, "/"):
		return usage(msgOtherScheme, s.archive)
	case strings.HasPrefix(s.archive, "@"):
		return usage(msgNamedArchive, s.archive)
	}
	return nil
}

func (s *settings) setAll(options []string, cacheSize string) error {
	for _, list := range options {
		if err := s.setOptions(list); err != nil {
			return err
		}
	}
	if cacheSize != "" {
		bytes, err := parseSize(cacheSize)
		if err != nil {
			return usage(msgFlagValue, "cache-size", cacheSize, err)
		}
		s.cacheBytes = bytes
	}
	return nil
}

// flagSentence says what is wrong with a flag.
func flagSentence(err error) string {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Sprintf(msgUnknownFlag, "-"+unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		return fmt.Sprintf(msgUnknownFlag, "--"+unknown.GetSpecifiedName())
	case errors.As(err, &missing):
		return fmt.Sprintf(msgFlagWithoutValue, missing.GetFlag().Name)
	case errors.As(err, &invalid):
		return fmt.Sprintf(msgFlagValue, invalid.GetFlag().Name, invalid.GetValue(), invalid.Unwrap())
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
