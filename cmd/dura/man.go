package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manCommand writes the manual page, for whoever packages the program.
func manCommand(a *app) *cobra.Command {
	c := a.command("man", "Write the manual page, as troff, to standard output", "", nil)
	c.Hidden = true
	c.RunE = func(c *cobra.Command, _ []string) error {
		_, err := fmt.Fprint(a.stdout, manPage(c.Root()))
		return err
	}
	return c
}

func manPage(root *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH DURA 1\n.SH NAME\ndura \\- %s\n", troff(lowerFirst(root.Short)))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B dura\n.I COMMAND ARCHIVE\n[\\fIARGUMENT\\fR]... [\\fIOPTION\\fR]...\n")
	fmt.Fprintf(&b, ".SH DESCRIPTION\n.nf\n%s\n.fi\n.SH COMMANDS\n", troff(root.Long))
	for _, c := range root.Commands() {
		if c.Hidden || !c.Runnable() {
			continue
		}
		fmt.Fprintf(&b, ".SS \"dura %s\"\n%s\n", troff(c.Use), troff(firstOf(c.Long, c.Short)))
		manFlags(&b, c.LocalNonPersistentFlags())
	}
	b.WriteString(".SH OPTIONS OF EVERY COMMAND\n")
	manFlags(&b, root.PersistentFlags())
	return b.String()
}

func manFlags(b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if value != "" {
			name += " " + value
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", troff(name), troff(usage))
	})
}

// troff is text as a manual page's source has it.
func troff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
