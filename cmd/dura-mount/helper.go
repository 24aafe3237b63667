package main

import (
	"path/filepath"
	"strings"
)

// helperPrefix begins the names under which mount(8) calls programs: /sbin/mount.fuse.dura-mount.
const helperPrefix = "mount."

// isHelper reports whether a program called so was called by mount(8).
func isHelper(program string) bool { return strings.HasPrefix(filepath.Base(program), helperPrefix) }

// helperWords turns what mount(8) says to a helper, SPEC DIR [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE], into the words of
// this program. Fake is whether all but the mount is to be done. The rest of what the letters say holds anyway.
func helperWords(args []string) (words []string, fake bool) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--" || !strings.HasPrefix(arg, "-") || strings.HasPrefix(arg, "--"):
			words = append(words, arg)
		case arg == "-o" && i+1 < len(args):
			i++
			words = append(words, arg, args[i])
		case arg == "-N" || arg == "-t":
			i++
		case strings.Trim(arg[1:], "sfnv") == "" && arg != "-":
			fake = fake || strings.Contains(arg, "f")
		default:
			words = append(words, arg)
		}
	}
	return words, fake
}
