package fs_test

import (
	"fmt"
	"os"
	"testing"
)

// clientVariable makes the test program a client of a mount: it does what this names and its arguments say. A mount's clients are
// never the process that serves it: both could wait for the same thread.
const clientVariable = "DURA_FS_TEST_CLIENT"

func TestMain(m *testing.M) {
	name := os.Getenv(clientVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := clients[name](os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
