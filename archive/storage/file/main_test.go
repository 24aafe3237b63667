package file_test

import (
	"os"
	"os/exec"
	"testing"
)

// roleVariable makes of the test binary a process that does one thing in the directory of directoryVariable.
const (
	roleVariable      = "DURA_TEST_ROLE"
	directoryVariable = "DURA_TEST_DIRECTORY"
)

func TestMain(m *testing.M) {
	directory := os.Getenv(directoryVariable)
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(m.Run())
	case "create":
		os.Exit(createForever(directory))
	case "denied":
		os.Exit(reportDenied(directory))
	}
	os.Exit(2)
}

// childProcess prepares a process that plays a role. The binary is the running one, or a copy of it.
func childProcess(binary, role, directory string) *exec.Cmd {
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, directoryVariable+"="+directory)
	cmd.Stderr = os.Stderr
	return cmd
}
