// Package state is where the programs keep on a machine what can't be made anew, and how they replace a file of that. It stands on the
// standard library.
package state

import (
	"os/user"
	"path/filepath"
)

// Dir is where this machine keeps what it can't make anew. Cron and systemd may say nothing of a home: then it is the one that
// the system knows for this user, or for root that of the machine, so that all runs of a user meet.
func Dir(getenv func(string) string) string {
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "dura")
	}
	home := getenv("HOME")
	if !filepath.IsAbs(home) {
		home = ""
		if u, err := user.Current(); err == nil {
			home = u.HomeDir
		}
	}
	if !filepath.IsAbs(home) {
		return "/var/lib/dura"
	}
	return filepath.Join(home, ".local", "state", "dura")
}
