package integration

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dura/archive/format"
	"dura/archive/seal/sealtest"
)

// sealedByHand backs the tree that is read by hand up into an archive that one key and a passphrase open. What runs in this test has the
// keyring of that key.
func sealedByHand(t *testing.T) (src, archive string) {
	t.Helper()
	g := sealtest.NewGPG(t)
	g.NewKey("me@example.org", "ed25519/cv25519", "never")
	t.Setenv("GNUPGHOME", g.Home)
	t.Setenv("DURA_PASSPHRASE", "correct horse")
	src = byHandSource(t)
	archive = filepath.Join(scratch(t), "archive")
	dura(t, "init", archive, "--encrypt-to", "me@example.org", "--passphrase")
	t.Setenv("DURA_PASSPHRASE", "")
	cmd := command("dura", "backup", archive, ".")
	cmd.Dir = src
	if o := run(t, cmd); o.status != 0 {
		t.Fatal(o.stderr)
	}
	return src, archive
}

func TestTheReadmeOfAnEncryptedArchiveGetsEverythingBack(t *testing.T) {
	for _, tool := range []string{"gpg", "zstd", "tar", "protoc", "sha256sum"} {
		need(t, tool)
	}
	src, archive := sealedByHand(t)
	want := contents(t, src)
	readme, err := os.ReadFile(filepath.Join(archive, format.ReadmeName))
	if err != nil || !bytes.Equal(readme, format.SealedReadme) {
		t.Fatal("README.txt is another one", err)
	}
	follow := func(heading, dest string) string {
		return shell(t, archive, strings.ReplaceAll(commandsIn(t, readme, heading), "/tmp/restored", dest))
	}
	if out := follow("Is the archive whole?", ""); out != "" {
		t.Error("sha256sum says:", out)
	}
	follow("Open the archive", "")
	dest := filepath.Join(scratch(t), "restored")
	follow("Get every file back", dest)
	got := contents(t, dest)
	for path, sum := range want {
		if got[path] != sum {
			t.Errorf("%q is not what it was", path)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files, not %d", len(got), len(want))
	}
	dest = filepath.Join(scratch(t), "one")
	follow("Get one file back", dest)
	if got := contents(t, dest); len(got) != 1 || got["/home/me/letter.txt"] != want["/home/me/letter.txt"] {
		t.Errorf("one file: %d came back", len(got))
	}
	if out := follow("What is in a block, or in all", ""); !strings.Contains(out, "home/me/letter.txt") {
		t.Error(out)
	}
	out := follow("Read an index", "")
	for _, want := range []string{`path: "home/me/letter.txt"`, "hunks {", "session_key: ", `sources: "."`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in the index", want)
		}
	}
	key := shell(t, archive, "sed -n 's/^key_fingerprint: //p' DURA-ARCHIVE | tr -d '\"\\n'")
	if known := shell(t, archive, "gpg --list-secret-keys "+key); !strings.Contains(known, "Dura archive") {
		t.Error(known)
	}
	follow("Forget the archive's key again", "")
	if out := shell(t, archive, "! gpg --list-keys "+key+" 2>&1"); !strings.Contains(out, "No public key") {
		t.Error(out)
	}
}

func TestAnEncryptedArchiveIsRestoredAndShowsNothing(t *testing.T) {
	need(t, "gpg")
	src, archive := sealedByHand(t)
	dest := filepath.Join(scratch(t), "restored")
	dura(t, "restore", archive, dest)
	got, want := contents(t, dest), contents(t, src)
	for path, sum := range want {
		if got[path] != sum {
			t.Errorf("%q is not what it was", path)
		}
	}
	if o := dura(t, "verify", archive, "--files"); !strings.Contains(o.stdout, "none") {
		t.Error(o.stdout)
	}
	for path := range contents(t, archive) {
		if strings.HasSuffix(path, format.ReadmeName) || strings.HasSuffix(path, format.SchemaName) || strings.HasSuffix(path, format.RecoverName) {
			continue
		}
		stored, err := os.ReadFile(archive + path)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"letter", "linked", "doubled", "odd names", "dear reader", "large", "sparse", "ustar", "symlink"} {
			if bytes.Contains(stored, []byte(secret)) || strings.Contains(path, secret) {
				t.Errorf("%s has %q", path, secret)
			}
		}
	}
}
