package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"dura/cmd/dura-mount/mounting"
)

const msgNoDura = `%s is in an object store, for which there has to be the program dura, beside %s or in PATH; install it: %v`

// turnInto makes this program "dura mount" with the same words, which can open object stores. Their libraries would double the time in
// which a mount of a local archive is ready, and the size of this program. It returns only what went wrong.
func turnInto(h mounting.Host, words []string, archive string) int {
	program, err := findDura()
	if err == nil {
		err = syscall.Exec(program, append([]string{"dura", "mount"}, words...), os.Environ())
	}
	h.Say(fmt.Sprintf(msgNoDura, archive, name, err))
	return statusFailed
}

// findDura finds the program dura: that which came with this one, or else any.
func findDura() (string, error) {
	if self, err := os.Executable(); err == nil {
		if beside, err := exec.LookPath(filepath.Join(filepath.Dir(self), "dura")); err == nil {
			return beside, nil
		}
	}
	return exec.LookPath("dura")
}
