package mounting

import (
	"strings"

	"github.com/spf13/cobra"

	"dura/archive/storage/cloud"
)

// Command is the command line of a mount, for a program where it is called by name, as "dura mount". Its errors are a *Failure, a
// *UsageError, a *StatusError, or what is wrong with a flag.
func Command(h Host, name string) *cobra.Command {
	const words = " ARCHIVE MOUNTPOINT"
	s := &settings{use: name + words}
	var options []string
	var cacheSize string
	c := &cobra.Command{
		Use: name[strings.LastIndexByte(name, ' ')+1:] + words, Short: "Show the bands of an archive as directories", Long: sprintf(help, name),
		DisableFlagsInUseLine: true,
		Args:                  func(_ *cobra.Command, args []string) error { return s.setArgs(args) },
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.setAll(options, cacheSize); err != nil {
				return err
			}
			return s.start(c.Context(), h)
		},
	}
	f := c.Flags()
	f.BoolVarP(&s.foreground, "foreground", "f", false, "stay in the foreground until it is unmounted")
	f.StringArrayVarP(&options, "options", "o", nil, "mount `OPTION`s, parted by commas")
	f.StringVarP(&s.band, "band", "b", "", "show this `BAND` alone: an id, the start of one, latest, latest~1, or a date")
	f.StringArrayVar(&s.also, "also", nil, "take what is damaged and can't be rebuilt from the same bands of the archive `OTHER`")
	f.StringVar(&cacheSize, "cache-size", "", "memory for contents that were read: a `SIZE` as 64M (default 32M)")
	f.StringVar(&s.logFile, "log-file", "", "append what is said while it is served to `FILE`; in the background the system's log otherwise")
	f.StringArrayVar(&s.rules, "alarm", nil, "what alarms do, as AREA/CONDITION[:GLOB]=continue|suppress; the last `RULE` that matches wins")
	f.StringVar(&s.profileFile, "cpuprofile", "", "write a CPU profile to `FILE`")
	_ = f.MarkHidden("cpuprofile")
	return c
}

func (s *settings) setArgs(args []string) error {
	switch {
	case len(args) < 2:
		return usage(msgTooFewArgs, s.use)
	case len(args) > 2:
		return usage(msgTooManyArgs, args[2], s.use)
	case args[0] == "":
		return usage(msgEmptyArchive)
	}
	s.archive, s.mountpoint = args[0], args[1]
	scheme, rest, found := strings.Cut(s.archive, "://")
	switch {
	case cloud.IsPlace(s.archive):
		if _, err := cloud.Parse(s.archive); err != nil {
			return usage(msgStoreURL, shown(s.archive), err)
		}
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
