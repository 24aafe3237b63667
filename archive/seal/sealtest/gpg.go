// Package sealtest has what tests of sealed archives need: a gpg with a keyring of its own, and keys.
package sealtest

import (
	"bytes"
	"crypto/rand"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"dura/archive/seal"
)

// Time is when keys here are made.
var Time = time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)

// GPG is a gpg with its own keyring.
type GPG struct {
	t    testing.TB
	Home string // its GNUPGHOME
}

// NewGPG makes an empty keyring. Where there is no gpg the test is skipped, or fails if CI is true.
func NewGPG(t testing.TB) *GPG {
	t.Helper()
	if _, err := exec.LookPath("gpg"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("gpg is missing")
		}
		t.Skip("gpg is missing")
	}
	home, err := os.MkdirTemp("/tmp", "dura-gpg-") // the socket of its agent has to have a short name
	if err != nil {
		t.Fatal(err)
	}
	g := &GPG{t, home}
	t.Cleanup(func() {
		kill := exec.Command("gpgconf", "--homedir", home, "--kill", "all")
		if out, err := kill.CombinedOutput(); err != nil {
			t.Logf("%v: %s", err, out)
		}
		os.RemoveAll(home)
	})
	return g
}

// Env is the environment for a program that is to use this keyring.
func (g *GPG) Env() []string { return append(os.Environ(), "GNUPGHOME="+g.Home, "LC_ALL=C") }

// Run runs gpg with input, and gives what it printed.
func (g *GPG) Run(input []byte, args ...string) ([]byte, error) {
	c := exec.Command("gpg", append([]string{"--batch", "--quiet"}, args...)...)
	c.Env = g.Env()
	c.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		g.t.Logf("gpg %s: %v: %s", args, err, stderr.Bytes())
	}
	return out, err
}

// Must is Run for what must not fail.
func (g *GPG) Must(input []byte, args ...string) []byte {
	g.t.Helper()
	out, err := g.Run(input, args...)
	if err != nil {
		g.t.Fatalf("gpg %s: %v", args, err)
	}
	return out
}

// NewKey makes a key pair without a passphrase and gives its fingerprint: one that signs and one that encrypts, as "ed25519/cv25519".
func (g *GPG) NewKey(address, kind, expires string) string {
	g.t.Helper()
	signs, encrypts, _ := strings.Cut(kind, "/")
	g.Must(nil, "--passphrase", "", "--quick-gen-key", address, signs, "cert,sign", expires)
	g.Must(nil, "--passphrase", "", "--quick-add-key", g.Fingerprint(address), encrypts, "encr", expires)
	return g.Fingerprint(address)
}

// Fingerprint is that of a key in the keyring.
func (g *GPG) Fingerprint(of string) string {
	g.t.Helper()
	for line := range strings.Lines(string(g.Must(nil, "--with-colons", "--list-keys", of))) {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			return fields[9]
		}
	}
	g.t.Fatalf("no fingerprint of %s", of)
	return ""
}

// Key is a key pair that tests share, for making one takes time.
var Key = sync.OnceValue(func() *seal.SecretKey {
	k, err := seal.Generate(strings.Repeat("0123456789abcdef", 2), Time, rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

// Keys seal and open everything.
func Keys() *seal.Keys {
	return seal.NewKeys(seal.KeysOptions{Public: &Key().PublicKey, Secret: Key(), Chunker: Key().ChunkerKey(), Random: rand.Reader})
}
