package unlock

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"dura/archive/format"
	"dura/archive/seal"
)

// runGPG runs the user's gpg, which asks by its own means for what it needs. Status lines and the rest of what it says come back apart.
func runGPG(ctx context.Context, input []byte, args ...string) (out []byte, status, said []string, err error) {
	c := exec.CommandContext(ctx, "gpg", append([]string{"--batch", "--quiet", "--status-fd", "2"}, args...)...)
	c.Stdin = bytes.NewReader(input)
	c.Env = WithoutSecrets(os.Environ())
	if tty, err := os.Readlink("/proc/self/fd/0"); err == nil && strings.HasPrefix(tty, "/dev/") && tty != os.DevNull && os.Getenv("GPG_TTY") == "" {
		c.Env = append(c.Env, "GPG_TTY="+tty)
	}
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err = c.Output()
	for line := range strings.Lines(stderr.String()) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "[GNUPG:] "); ok {
			status = append(status, rest)
		} else if line != "" {
			said = append(said, strings.TrimPrefix(line, "gpg: "))
		}
	}
	return out, status, said, err
}

// What libgpg-error calls these, and one that it has no number for.
const (
	codeBadPassphrase = 11
	codeNoSecretKey   = 17
	codeNoPinentry    = 85
	codePinentry      = 86
	codeCanceled      = 99
	codeNoCard        = 112
	codeFullyCanceled = 198
	codeNotGiven      = -1 // the passphrase was asked for, and did not come
)

// codeOf is why gpg could not decrypt, as its status lines say; 0: they don't. Where there is a secret key GnuPG 2.2 says which it considers
// and whether a pinentry asked, and whatever came of that is for it that there is no secret key.
func codeOf(status []string) int {
	const codeMask = 0xFFFF
	for _, line := range status {
		fields := strings.Fields(line)
		if len(fields) >= 3 && fields[0] == "ERROR" && strings.HasPrefix(fields[1], "pkdecrypt") {
			if code, err := strconv.ParseUint(fields[2], 10, 32); err == nil {
				return int(code & codeMask)
			}
		}
	}
	said := func(word string) bool {
		return slices.ContainsFunc(status, func(line string) bool { return strings.HasPrefix(line, word) })
	}
	switch {
	case said("KEY_CONSIDERED ") && said("PINENTRY_LAUNCHED ") && !said("DECRYPTION_INFO"):
		return codeNotGiven
	case said("KEY_CONSIDERED ") && !said("DECRYPTION_INFO"):
		return codeNoPinentry
	}
	if said("NO_SECKEY ") || said("ENC_TO ") && said("DECRYPTION_FAILED") && !said("DECRYPTION_INFO") { // it did not begin
		return codeNoSecretKey
	}
	return 0
}

// openByGPG has gpg open a copy of the secret key.
func (h *Host) openByGPG(ctx context.Context, c Copy, place string) (*seal.SecretKey, error) {
	out, status, said, err := runGPG(ctx, c.Sealed, "--decrypt")
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	name, keys := format.SecretKeyName(c.Number), strings.Join(c.Way.KeyIDs, ", ")
	if err == nil {
		secret, err := seal.ParseSecret(out)
		if err != nil {
			return nil, problem("key_damaged", err, msgCopyDamaged, name, place, err)
		}
		return secret, nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return nil, problem("gpg_missing", err, msgNoGPG, place, keys)
	}
	switch codeOf(status) {
	case codeNoSecretKey:
		return nil, problem("no_secret_key", err, msgNoSecretKey, place, keys)
	case codeBadPassphrase:
		return nil, problem("passphrase", err, msgWrongKeyPassphrase, keys, place)
	case codeNotGiven:
		return nil, problem("passphrase", err, msgNotGiven, keys, place)
	case codeNoPinentry, codePinentry, codeNoCard:
		return nil, problem("no_pinentry", err, msgNoPinentry, keys, place)
	case codeCanceled, codeFullyCanceled:
		return nil, problem("canceled", err, msgCanceled, keys, place)
	}
	return nil, problem("gpg", err, msgGPGFailed, name, place, lastOf(said, err))
}

func lastOf(said []string, err error) string {
	if len(said) == 0 {
		return err.Error()
	}
	return said[len(said)-1]
}

// Recipient finds the public key that word means: a file, or a fingerprint or an address in gpg's keyring.
func (h *Host) Recipient(ctx context.Context, word string) (seal.Recipient, error) {
	if strings.TrimSpace(word) == "" { // which to gpg means any key
		return seal.Recipient{}, problem("recipient", nil, msgNoKeyNamed)
	}
	key, err := readKeyFile(word)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = exportKey(ctx, word)
	}
	if err != nil {
		return seal.Recipient{}, err
	}
	r, err := seal.ParseRecipient(key, h.Now())
	var bad *seal.RecipientError
	if errors.As(err, &bad) {
		text := map[seal.RecipientProblem]string{
			seal.NotAKey: msgNotAKey, seal.SeveralKeys: msgSeveralKeys, seal.KeyExpired: msgKeyExpired, seal.KeyRevoked: msgKeyRevoked,
			seal.KeyCannotEncrypt: msgKeyCannotEncrypt,
		}[bad.Why]
		return r, problem("recipient", err, text, word)
	}
	return r, err
}

const maxKeyFileBytes = 1 << 20

func readKeyFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, problem("recipient", err, msgKeyFile, name, err)
	case !info.Mode().IsRegular() || info.Size() > maxKeyFileBytes:
		return nil, problem("recipient", nil, msgNotAKey, name)
	}
	key, err := os.ReadFile(name)
	if err != nil {
		return nil, problem("recipient", err, msgKeyFile, name, err)
	}
	return key, nil
}

func exportKey(ctx context.Context, word string) ([]byte, error) {
	key, _, said, err := runGPG(ctx, nil, "--export", "--", word)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return nil, problem("gpg_missing", err, msgNoGPGExport, word)
	case err != nil:
		return nil, problem("gpg", err, msgExportFailed, word, lastOf(said, err))
	case len(key) == 0:
		return nil, problem("recipient", nil, msgNoSuchKey, word)
	}
	return key, nil
}
