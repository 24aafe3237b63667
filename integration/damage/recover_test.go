package damage

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"dura/archive/format"
)

// recover restores the band by recover.py, from files with these objects. What that has lost it must have told of. It is nil where there is no
// python3.
func (c *cell) recover(objects map[string][]byte) map[string]string {
	c.Helper()
	for _, program := range []string{"python3", "zstd"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				c.Fatal(err)
			}
			c.Log("no recover.py:", err)
			return nil
		}
	}
	root := inMemory(c)
	for name, object := range objects {
		file := filepath.Join(root, "archive", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, object, 0o644)); err != nil {
			c.Fatal(err)
		}
	}
	dest := filepath.Join(root, "dest")
	cmd := exec.CommandContext(context.Background(), "python3", "-I", filepath.Join(root, "archive", format.RecoverName), "restore", "--no-owner", string(first), dest)
	if cmd.Env = os.Environ(); c.keys != nil {
		cmd.Env = c.gpg.Env()
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	if strings.Contains(said.String(), "Traceback") {
		c.Errorf("recover.py: %s", said.Bytes())
	}
	got := c.tree(dest)
	if status := cmd.ProcessState.ExitCode(); status != 0 && status != 3 {
		c.Errorf("recover.py: %v: %s", err, said.Bytes())
	} else if status == 0 && len(got) < len(tree()) {
		c.Errorf("recover.py: %d of %d entries, and not a word", len(got), len(tree()))
	}
	return got
}
