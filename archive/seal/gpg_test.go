package seal_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"dura/archive/seal"
	"dura/archive/seal/sealtest"
)

func noise(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

const blockName = "bands/2026-11-23-101500-4f2a9c/data/000/000000.tar.zst"

func TestGPGOpensWhatIsSealed(t *testing.T) {
	g := sealtest.NewGPG(t)
	secret, err := sealtest.Key().SecretArmored()
	if err != nil {
		t.Fatal(err)
	}
	g.Must(secret, "--import")
	if got := g.Fingerprint(sealtest.Key().Fingerprint()); !sealtest.Key().SameKey(got) {
		t.Errorf("gpg has imported %s", got)
	}
	for _, n := range []int{0, 1, 15, 16, 17, 191, 192, 8383, 8384, 65536, 3 << 20} {
		content := noise(n)
		sealed, _, err := sealtest.Keys().Seal(blockName, content[:n/2], content[n/2:])
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Must(sealed, "--decrypt"); !bytes.Equal(got, content) {
			t.Errorf("gpg makes %d bytes of %d", len(got), n)
		}
		sealed[len(sealed)-1] ^= 1
		if _, err := g.Run(sealed, "--decrypt"); err == nil {
			t.Error("gpg finds no harm in a message that was changed")
		}
	}
}

func TestGoCryptoOpensWhatIsSealed(t *testing.T) {
	secret, err := sealtest.Key().SecretArmored()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(secret))
	if err != nil {
		t.Fatal(err)
	}
	content := noise(100_000)
	sealed, _, err := sealtest.Keys().Seal(blockName, content)
	if err != nil {
		t.Fatal(err)
	}
	m, err := openpgp.ReadMessage(bytes.NewReader(sealed), keys, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(m.UnverifiedBody)
	if err != nil || !bytes.Equal(got, content) || m.LiteralData.FileName != blockName {
		t.Error(len(got), err, m.LiteralData.FileName)
	}
}

// sealedFor gives the archive's secret key sealed to each of these addresses, each in a file of its own.
func sealedFor(t *testing.T, g *sealtest.GPG, address string) ([]byte, seal.Recipient) {
	t.Helper()
	to, err := seal.ParseRecipient(g.Must(nil, "--export", address), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := seal.SealSecret(sealtest.Key(), to, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return sealed, to
}

func TestTheSecretKeyIsSealedToKeysOfGPG(t *testing.T) {
	g := sealtest.NewGPG(t)
	for _, kind := range []string{"ed25519/cv25519", "ed25519/rsa3072", "rsa3072/rsa3072"} {
		address := strings.ReplaceAll(kind, "/", "-") + "@example.org"
		g.NewKey(address, kind, "never")
		sealed, to := sealedFor(t, g, address)
		w, err := seal.WayOf(sealed)
		if err != nil || w.Passphrase || !slices.Equal(w.KeyIDs, []string{to.KeyID()}) {
			t.Fatal(w, to.KeyID(), err)
		}
		key, err := seal.ParseSecret(g.Must(sealed, "--decrypt"))
		if err != nil || key.Fingerprint() != sealtest.Key().Fingerprint() || key.ChunkerKey() != sealtest.Key().ChunkerKey() {
			t.Error(kind, err)
		}
		if _, err := seal.OpenByPassphrase(sealed, []byte("no")); err == nil {
			t.Error("a passphrase opens what is sealed to a key")
		}
	}
}

func TestGPGSealsTheSecretKeyToo(t *testing.T) {
	g := sealtest.NewGPG(t)
	g.NewKey("a@example.org", "ed25519/cv25519", "never")
	g.NewKey("b@example.org", "ed25519/cv25519", "never")
	secret, err := sealtest.Key().SecretArmored()
	if err != nil {
		t.Fatal(err)
	}
	sealed := g.Must(secret, "--trust-model", "always", "--encrypt", "-r", "a@example.org", "-r", "b@example.org")
	if w, err := seal.WayOf(sealed); err != nil || len(w.KeyIDs) != 2 || w.Passphrase {
		t.Error(w, err)
	}
	sealed = g.Must(secret, "--passphrase", "open", "--pinentry-mode", "loopback", "--symmetric", "--cipher-algo", "AES256")
	if w, err := seal.WayOf(sealed); err != nil || !w.Passphrase {
		t.Error(w, err)
	}
	if key, err := seal.OpenByPassphrase(sealed, []byte("open")); err != nil || key.Fingerprint() != sealtest.Key().Fingerprint() {
		t.Error(err)
	}
	if _, err := seal.OpenByPassphrase(sealed, []byte("opem")); !errors.Is(err, seal.ErrPassphrase) {
		t.Error(err)
	}
}

// What GnuPG 2.4 seals with --force-ocb, which that of Debian 12 can't make: to a key, which gpg opens, and by a passphrase, which nothing here does.
func TestWhatALaterGPGSealsIsKnownAsThat(t *testing.T) {
	sealed := func(file string) []byte {
		content, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	if w, err := seal.WayOf(sealed("gnupg-2.4-ocb-key.gpg")); err != nil || w.Passphrase || !slices.Equal(w.KeyIDs, []string{"C2F71968B2BD38C7"}) {
		t.Error(w, err)
	}
	byPassphrase := sealed("gnupg-2.4-ocb-passphrase.gpg")
	if w, err := seal.WayOf(byPassphrase); err == nil {
		t.Error(w)
	}
	if _, err := seal.OpenByPassphrase(byPassphrase, []byte("open")); err == nil || errors.Is(err, seal.ErrPassphrase) {
		t.Error(err)
	}
}

func TestAPassphraseOpensTheSecretKeyHereAndInGPG(t *testing.T) {
	g := sealtest.NewGPG(t)
	const passphrase = "correct horse\tbattery é"
	sealed, err := seal.SealSecretByPassphrase(sealtest.Key(), []byte(passphrase), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(file, []byte(passphrase+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	byGPG := g.Must(sealed, "--pinentry-mode", "loopback", "--passphrase-file", file, "--decrypt")
	if key, err := seal.ParseSecret(byGPG); err != nil || key.Fingerprint() != sealtest.Key().Fingerprint() {
		t.Error(err)
	}
	if key, err := seal.OpenByPassphrase(sealed, []byte(passphrase)); err != nil || key.Fingerprint() != sealtest.Key().Fingerprint() {
		t.Error(err)
	}
	for _, wrong := range []string{"", "correct horse", passphrase + "\n"} {
		if _, err := seal.OpenByPassphrase(sealed, []byte(wrong)); !errors.Is(err, seal.ErrPassphrase) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	sealed[len(sealed)-30] ^= 1
	if _, err := seal.OpenByPassphrase(sealed, []byte(passphrase)); err == nil || errors.Is(err, seal.ErrPassphrase) {
		t.Error("damage:", err)
	}
}

func TestKeysThatNothingCanBeSealedTo(t *testing.T) {
	g := sealtest.NewGPG(t)
	g.NewKey("expired@example.org", "ed25519/cv25519", "1d")
	g.NewKey("good@example.org", "ed25519/cv25519", "never")
	revoked := g.NewKey("revoked@example.org", "ed25519/cv25519", "never")
	g.Must(nil, "--passphrase", "", "--quick-gen-key", "signs@example.org", "ed25519", "sign", "never")
	certificate, err := os.ReadFile(filepath.Join(g.Home, "openpgp-revocs.d", revoked+".rev"))
	if err != nil {
		t.Fatal(err)
	}
	g.Must(bytes.ReplaceAll(certificate, []byte(":-----BEGIN"), []byte("-----BEGIN")), "--import")
	for _, c := range []struct {
		key  []byte
		now  time.Time
		want seal.RecipientProblem
	}{
		{g.Must(nil, "--export", "expired@example.org"), time.Now().AddDate(0, 0, 3), seal.KeyExpired},
		{g.Must(nil, "--export", "revoked@example.org"), time.Now(), seal.KeyRevoked},
		{g.Must(nil, "--export", "signs@example.org"), time.Now(), seal.KeyCannotEncrypt},
		{g.Must(nil, "--export"), time.Now(), seal.SeveralKeys},
		{[]byte("no key at all"), time.Now(), seal.NotAKey},
		{nil, time.Now(), seal.NotAKey},
	} {
		_, err := seal.ParseRecipient(c.key, c.now)
		var problem *seal.RecipientError
		if !errors.As(err, &problem) || problem.Why != c.want {
			t.Errorf("%d bytes, %v: %v", len(c.key), c.want, err)
		}
	}
	for _, armor := range []string{"--armor", "--no-armor"} {
		if _, err := seal.ParseRecipient(g.Must(nil, armor, "--export", "good@example.org"), time.Now()); err != nil {
			t.Error(armor, err)
		}
	}
}

func TestGPGListsAMessageAsOneOfTheFormThatFORMATsays(t *testing.T) {
	g := sealtest.NewGPG(t)
	secret, err := sealtest.Key().SecretArmored()
	if err != nil {
		t.Fatal(err)
	}
	g.Must(secret, "--import")
	sealed, _, err := sealtest.Keys().Seal(blockName, noise(1000))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("gpg", "--batch", "--list-packets", "--verbose")
	c.Env, c.Stdin = g.Env(), bytes.NewReader(sealed)
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{":pubkey enc packet: version 3, algo 18", ":encrypted data packet:", "mdc_method: 2", ":literal data packet:", "created 0, name=\"" + blockName + "\"", "raw data: 1000 bytes"} {
		if !strings.Contains(string(out), line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
	if !strings.Contains(string(out), "off=96 ctb=d2") {
		t.Errorf("the key packet has not 96 bytes:\n%s", out)
	}
}
