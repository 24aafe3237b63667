package unlock

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
)

const maxPassphraseBytes = 4096

// What the variables begin with that give a passphrase.
const (
	PassphraseVariable = "DURA_PASSPHRASE"
	otherVariable      = "DURA_OTHER_PASSPHRASE" // of a second archive, where a command reads two: either may have it
	NewVariable        = "DURA_NEW_PASSPHRASE"   // to open an archive by from now on
)

// given is the passphrase that the environment gives by the variables that begin with variable, and which of them; "": none does.
func (h *Host) given(ctx context.Context, variable string) (passphrase []byte, from string, err error) {
	file, command, value := variable+"_FILE", variable+"_COMMAND", variable
	switch {
	case h.Getenv(file) != "":
		from = file
		passphrase, err = os.ReadFile(h.Getenv(file))
	case h.Getenv(command) != "":
		from = command
		passphrase, err = output(ctx, h.Getenv(command))
	case h.Getenv(value) != "":
		return []byte(h.Getenv(value)), value, nil
	default:
		return nil, "", nil
	}
	if err != nil {
		return nil, "", problem("passphrase", err, msgPassphraseSource, from, err)
	}
	passphrase = bytes.TrimSuffix(bytes.TrimSuffix(passphrase, []byte("\n")), []byte("\r"))
	if len(passphrase) == 0 || len(passphrase) > maxPassphraseBytes {
		return nil, "", problem("passphrase", nil, msgPassphraseSize, from, len(passphrase), maxPassphraseBytes)
	}
	return passphrase, from, nil
}

// output is what a command of the shell prints.
func output(ctx context.Context, command string) ([]byte, error) {
	c := exec.CommandContext(ctx, "sh", "-c", command)
	c.Env = WithoutSecrets(os.Environ())
	c.Stderr = os.Stderr
	return c.Output()
}

// WithoutSecrets is an environment for other programs.
func WithoutSecrets(env []string) []string {
	var kept []string
	for _, v := range env {
		switch name, _, _ := strings.Cut(v, "="); name {
		case PassphraseVariable, otherVariable, NewVariable:
		default:
			kept = append(kept, v)
		}
	}
	return kept
}

// NewPassphrase is a passphrase to seal something by: one that the environment gives by variable, or else one that is typed twice.
func (h *Host) NewPassphrase(ctx context.Context, variable string) ([]byte, error) {
	harden()
	passphrase, from, err := h.given(ctx, variable)
	if err != nil || from != "" {
		return passphrase, err
	}
	if h.Ask == nil {
		return nil, problem("locked", nil, msgNoNewPassphrase, variable, variable, variable)
	}
	first, err := h.Ask(ctx, msgAskNew)
	if err != nil {
		return nil, err
	}
	second, err := h.Ask(ctx, msgAskTwice)
	switch {
	case err != nil:
		return nil, err
	case !bytes.Equal(first, second):
		return nil, problem("passphrase", nil, msgNotTwice)
	case len(first) == 0 || len(first) > maxPassphraseBytes:
		return nil, problem("passphrase", nil, msgPassphraseSize, msgTyped, len(first), maxPassphraseBytes)
	}
	return first, nil
}
