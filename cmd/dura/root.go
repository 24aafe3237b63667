package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError says that the words of the command line were off.
type usageError struct {
	msg     string
	command string // whose help tells more; may be empty
}

func (e *usageError) Error() string { return e.msg }

func usage(format string, args ...any) error { return &usageError{msg: sprintf(format, args...)} }

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:               "dura",
		Short:             "Back up trees of files, see what was stored, and get it back",
		Long:              helpRoot,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Version:           versionText(),
		Args:              cobra.ArbitraryArgs, // the command's name is checked below, with a sentence of our own
		RunE:              func(c *cobra.Command, args []string) error { return noCommand(c, args) },
		PersistentPreRunE: a.begin,
	}
	root.SuggestionsMinimumDistance = 2
	root.SetUsageTemplate(usageTemplate)
	root.SetVersionTemplate("dura {{.Version}}\n")
	root.SetIn(a.host.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.host.stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{msg: flagSentence(err), command: c.CommandPath()}
	})
	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, `write results as JSON; "dura help json" lists the fields`)
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print errors and the number of alarms, nothing else")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "tell of each file, and of suppressed alarms")
	flags.StringArrayVar(&a.rules, "alarm", nil,
		`what alarms do, as AREA/CONDITION[:GLOB][:~"MESSAGE"]=continue|abort|ask|suppress[ until DATE]; the last `+"`RULE`"+` that matches wins; "dura alarms --help" tells more`)
	flags.StringVar(&a.eventsFormat, "events", "none", `what happens, for programs to follow: none, text, json or textproto; "dura help events" tells of each `+"`FORMAT`")
	flags.StringVar(&a.eventsTo, "events-to", "", "write the events to `FILE` instead")
	flags.StringVar(&a.logTo, "log-file", "", "append alarms and failures, with the time, to `FILE`")
	flags.DurationVar(&a.retryFor, "retry-for", defaultRetryFor, "how long to ask an object store again that does not answer; 0s: not at all")
	flags.StringVar(&a.cpu, "cpuprofile", "", "write a CPU profile to `FILE`")
	flags.StringVar(&a.memory, "memprofile", "", "write a memory profile to `FILE`")
	flags.MarkHidden("cpuprofile")
	flags.MarkHidden("memprofile")
	root.AddCommand(initCommand(a), backupCommand(a), bandsCommand(a), alarmsCommand(a), lsCommand(a), catCommand(a), restoreCommand(a),
		verifyCommand(a), repairCommand(a), keyCommand(a), mountCommand(a), versionCommand(a), manCommand(a), jsonHelp(), eventsHelp())
	root.SetHelpCommand(helpCommand(root))
	return root
}

func noCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage(msgNoCommand)
	}
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		return usage(msgUnknownCommandNear, shown(args[0]), near[0])
	}
	return usage(msgUnknownCommand, shown(args[0]))
}

func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Tell about a command", Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return noCommand(root, args)
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}

// flagSentence says what is wrong with a flag.
func flagSentence(err error) string {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return sprintf(msgUnknownFlag, "-"+unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		return sprintf(msgUnknownFlag, "--"+unknown.GetSpecifiedName())
	case errors.As(err, &missing):
		return sprintf(msgFlagWithoutValue, missing.GetFlag().Name)
	case errors.As(err, &invalid):
		return sprintf(msgFlagValue, invalid.GetFlag().Name, shown(invalid.GetValue()), invalid.Unwrap())
	case errors.As(err, &syntax):
		return sprintf(msgFlagSyntax, shown(syntax.GetSpecifiedFlag()))
	}
	return err.Error()
}

// command makes a command that takes at least as many arguments as words has without brackets or dots, and no more than it
// has unless its last one ends in dots.
func (a *app) command(words, short, long string, run func(ctx context.Context, args []string) error) *cobra.Command {
	fields := strings.Fields(words)
	least, most := 0, len(fields)-1
	for _, word := range fields[1:] {
		if !strings.HasPrefix(word, "[") {
			least++
		}
		if strings.Contains(word, "...") {
			most = math.MaxInt
		}
	}
	return &cobra.Command{
		Use: words, Short: short, Long: long, DisableFlagsInUseLine: true,
		Args: func(c *cobra.Command, args []string) error {
			empty := slices.Index(args, "")
			switch {
			case empty >= 0:
				return &usageError{msg: sprintf(msgEmptyArg, empty+1, words), command: c.CommandPath()}
			case len(args) < least:
				return &usageError{msg: sprintf(msgTooFewArgs, fields[0], words), command: c.CommandPath()}
			case len(args) > most:
				return &usageError{msg: sprintf(msgTooManyArgs, shown(args[most]), words), command: c.CommandPath()}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return run(c.Context(), args) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 && most > 0 {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
}

// bandFlag adds --band.
func (a *app) bandFlag(c *cobra.Command, what string) {
	c.Flags().StringVarP(&a.spec, "band", "b", "",
		what+": an id, the start of one, latest, latest~1, or a date (default the latest complete `BAND`)")
	c.RegisterFlagCompletionFunc("band", a.completeBand)
	a.alsoFlag(c)
}
