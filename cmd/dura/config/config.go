// Package config reads the configuration file of dura and dura-mount. It stands on a TOML library alone, and, like the commands,
// touches the environment and local files.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"
)

// Config is what the file says. The zero value is that of an empty one.
type Config struct {
	Alarms []string `toml:"alarms"` // rules, ahead of those of the command line
}

// maxBytes bounds what is read of a file.
const maxBytes = 1 << 20

// Name is where the file is looked for; "" where the environment names no place.
func Name(getenv func(string) string) string {
	switch {
	case filepath.IsAbs(getenv("XDG_CONFIG_HOME")):
		return filepath.Join(getenv("XDG_CONFIG_HOME"), "dura", "config.toml")
	case getenv("HOME") != "":
		return filepath.Join(getenv("HOME"), ".config", "dura", "config.toml")
	}
	return ""
}

// Load reads the file, if there is one. An error is a sentence that names it, and the line where one is at fault.
func Load(getenv func(string) string) (Config, error) {
	name := Name(getenv)
	if name == "" {
		return Config{}, nil
	}
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission) && !exists(name):
		return Config{}, nil
	case err != nil:
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return Config{}, fmt.Errorf("%s can't be read: %w", name, err)
	case len(text) > maxBytes:
		return Config{}, fmt.Errorf("%s has %d bytes; %d are the most", name, len(text), maxBytes)
	}
	c, err := Parse(text)
	if err != nil {
		return Config{}, fmt.Errorf("%s, %w", name, err)
	}
	return c, nil
}

// exists reports whether the file is known to be there. A home that is another user's, as under sudo, may not be looked into.
func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// Parse reads the text of the file. What it doesn't know is an error, as a misspelt word would be without effect in silence.
func Parse(text []byte) (Config, error) {
	var c Config
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&c)
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &unknown) && len(unknown.Errors) > 0:
		first := &unknown.Errors[0]
		line, _ := first.Position()
		return Config{}, fmt.Errorf("line %d: there is no setting %q; there is alarms", line, join(first.Key()))
	case errors.As(err, &wrong):
		line, _ := wrong.Position()
		return Config{}, fmt.Errorf("line %d: %w", line, err)
	case err != nil:
		return Config{}, err
	}
	return c, nil
}

func join(key toml.Key) (name string) {
	for i, part := range key {
		if i > 0 {
			name += "."
		}
		name += part
	}
	return name
}
