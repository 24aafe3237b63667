// Package unlock is how the programs come by the keys of an encrypted archive: by gpg, by a passphrase from the environment or a terminal,
// and by what this machine remembers of archives. Like the commands it serves it touches the environment, other programs and the state
// of the machine, and has the text for people about that. It stands on archive/seal.
package unlock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/storage"
)

// Host is what of the outside world this may touch.
type Host struct {
	Getenv   func(string) string
	Random   io.Reader
	Now      func() time.Time
	Shown    string // the archive, as it is given
	StateDir string // of what this machine knows of archives
	CacheDir string // of the session keys of what it wrote; "": none are kept

	// Ask asks at a terminal for something that is not to be seen; nil: there is none.
	Ask func(ctx context.Context, question string) ([]byte, error)
}

// Error says why an archive can't be opened: a stable word for programs, a sentence for people.
type Error struct {
	Kind     string
	Sentence string
	Err      error
}

func (e *Error) Error() string { return e.Sentence }
func (e *Error) Unwrap() error { return e.Err }

func problem(kind string, err error, text string, args ...any) *Error {
	return &Error{kind, fmt.Sprintf(text, args...), err}
}

// Copy is one of the sealed copies of an archive's secret key.
type Copy struct {
	Number uint64
	Sealed []byte
	Way    seal.Way
	Err    error // why it can't be told how it is opened
}

// Copies reads the sealed copies of an archive's secret key.
func Copies(ctx context.Context, st storage.Storage) ([]Copy, error) {
	var copies []Copy
	for info, err := range st.List(ctx, format.KeysPrefix, storage.Shallow) {
		if err != nil {
			return nil, err
		}
		number, ok := format.ParseSecretKeyName(info.Name)
		if !ok {
			continue
		}
		sealed, err := st.Read(ctx, info.Name, 0, maxSealedBytes)
		if err != nil {
			return nil, err
		}
		c := Copy{Number: number, Sealed: sealed}
		c.Way, c.Err = seal.WayOf(sealed)
		copies = append(copies, c)
	}
	return copies, nil
}

const maxSealedBytes = 1 << 20

// Secret opens the archive's secret key, by a passphrase that the environment gives, by gpg, or by a passphrase that is asked for. It must
// be the one with this fingerprint.
func (h *Host) Secret(ctx context.Context, st storage.Storage, fingerprint string) (*seal.SecretKey, error) {
	harden()
	copies, err := Copies(ctx, st)
	if err != nil {
		return nil, err
	}
	secret, err := h.open(ctx, copies, h.Shown)
	if err != nil {
		return nil, err
	}
	if !secret.SameKey(fingerprint) {
		return nil, problem("key_changed", nil, msgOtherSecret, h.Shown, secret.Fingerprint(), fingerprint)
	}
	return secret, nil
}

func (h *Host) open(ctx context.Context, copies []Copy, place string) (*seal.SecretKey, error) {
	byPassphrase, byKey := parted(copies)
	if len(byPassphrase)+len(byKey) == 0 {
		if len(copies) > 0 {
			return nil, problem("key_damaged", copies[0].Err, msgCopyDamaged, format.SecretKeyName(copies[0].Number), place, copies[0].Err)
		}
		return nil, problem("key_missing", nil, msgNoCopies, place)
	}
	var failed []error
	for _, variable := range []string{PassphraseVariable, otherVariable} {
		passphrase, from, err := h.given(ctx, variable)
		if err != nil {
			return nil, err
		}
		if from == "" || len(byPassphrase) == 0 {
			continue
		}
		secret, err := tryPassphrase(byPassphrase, passphrase, place, from)
		if err == nil {
			return secret, nil
		}
		failed = append(failed, err)
	}
	given := len(failed) > 0
	for _, c := range byKey {
		secret, err := h.openByGPG(ctx, c, place)
		if err == nil || ctx.Err() != nil {
			return secret, err
		}
		failed = append(failed, err)
	}
	if !given && len(byPassphrase) > 0 {
		if h.Ask != nil {
			return h.asked(ctx, byPassphrase, place)
		}
		failed = append([]error{problem("locked", nil, msgNoPassphrase, place)}, failed...)
	}
	return nil, failed[0]
}

// parted are the copies that a passphrase opens, and those that a key does.
func parted(copies []Copy) (byPassphrase, byKey []Copy) {
	for _, c := range copies {
		if c.Way.Passphrase {
			byPassphrase = append(byPassphrase, c)
		}
		if len(c.Way.KeyIDs) > 0 {
			byKey = append(byKey, c)
		}
	}
	return byPassphrase, byKey
}

// tryPassphrase opens one of the copies. Damage to one is told of only where none opens.
func tryPassphrase(copies []Copy, passphrase []byte, place, from string) (*seal.SecretKey, error) {
	var damage error
	for _, c := range copies {
		secret, err := seal.OpenByPassphrase(c.Sealed, passphrase)
		switch {
		case err == nil:
			return secret, nil
		case !errors.Is(err, seal.ErrPassphrase):
			damage = problem("key_damaged", err, msgCopyDamaged, format.SecretKeyName(c.Number), place, err)
		}
	}
	if damage != nil {
		return nil, damage
	}
	return nil, problem("passphrase", seal.ErrPassphrase, msgWrongPassphrase, from, place)
}

// maxAsked is how often a passphrase is asked for.
const maxAsked = 3

func (h *Host) asked(ctx context.Context, copies []Copy, place string) (*seal.SecretKey, error) {
	question := fmt.Sprintf(msgAskPassphrase, place)
	for try := 1; ; try++ {
		passphrase, err := h.Ask(ctx, question)
		if err != nil {
			return nil, err
		}
		secret, err := tryPassphrase(copies, passphrase, place, msgTyped)
		if err == nil || try == maxAsked || !errors.Is(err, seal.ErrPassphrase) {
			return secret, err
		}
		question = fmt.Sprintf(msgAskAgain, place)
	}
}
