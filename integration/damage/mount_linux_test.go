package damage

import (
	"context"
	iofs "io/fs"
	"os"
	"path/filepath"
	"time"

	"dura/fs"
)

// walkMount mounts the band, and reads directory by directory and file by file what programs can get of it. It is nil where nobody can mount.
func (c *cell) walkMount() map[string]string {
	c.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			c.Fatal("mounting takes root and /dev/fuse")
		}
		c.Log("no mount: it takes root and /dev/fuse")
		return nil
	}
	a, set := c.open()
	files, err := fs.New(context.Background(), a, fs.Options{Alarms: set})
	if err != nil {
		c.Fatal(err)
	}
	dir := filepath.Join(c.TempDir(), "mnt")
	if err := os.Mkdir(dir, 0o755); err != nil {
		c.Fatal(err)
	}
	server, err := fs.Mount(context.Background(), files, dir, fs.MountOptions{Source: "test", Direct: true})
	if err != nil {
		c.Fatal(err)
	}
	state := ""
	if _, err := os.Lstat(filepath.Join(dir, string(first))); err != nil {
		state = ".incomplete"
	}
	got := c.walk(filepath.Join(dir, string(first)+state))
	if len(got) == 0 {
		list, err := os.ReadDir(dir)
		c.Log(list, err)
	}
	if err := server.Unmount(context.Background()); err != nil {
		c.Error(err)
	}
	select {
	case <-server.Done():
	case <-time.After(10 * time.Second):
		c.Error("the server goes on after the mount is gone")
	}
	return got
}

func (c *cell) walk(dir string) map[string]string {
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d iofs.DirEntry, err error) error {
		path, _ := filepath.Rel(dir, name)
		switch {
		case path == ".":
			path = ""
		case path == ".dura":
			return filepath.SkipDir
		}
		if err != nil {
			return nil // what can be had of it came ahead of the error
		}
		got[path] = ""
		if d.Type().IsRegular() {
			content, err := os.ReadFile(name)
			if err != nil {
				content = []byte(unreadable)
			}
			got[path] = string(content)
		}
		return nil
	})
	if err != nil {
		c.Error(err)
	}
	return got
}
