package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dura/archive/format"
	"dura/archive/seal/sealtest"
)

// An encrypted archive comes back by recover.py, with a key in gpg's keyring or with a passphrase, and where its index is lost, too.
func TestRecoverPyOpensEncryptedArchives(t *testing.T) {
	need(t, "gpg")
	src, archive := sealedByHand(t)
	dir := scratch(t)
	passphrase := filepath.Join(dir, "passphrase")
	if err := os.WriteFile(passphrase, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := recovered(t, 0, archive, "list").stdout; !strings.Contains(out, "complete") {
		t.Error(out)
	}
	recovered(t, 0, archive, "restore", "latest", dir+"/by-key")
	same(t, src, dir+"/by-key")

	t.Setenv("GNUPGHOME", sealtest.NewGPG(t).Home) // without any key
	if o := recovered(t, 1, archive, "restore", "latest", dir+"/locked"); !strings.Contains(o.stderr, "passphrase-file") {
		t.Error(o.stderr)
	}
	recovered(t, 0, archive, "--passphrase-file", passphrase, "restore", "latest", dir+"/by-passphrase")
	same(t, src, dir+"/by-passphrase")

	shell(t, archive, "rm -f "+format.ArchiveName+" bands/*.head.gpg bands/*.tail.gpg; rm -r bands/*/index")
	recovered(t, 3, archive, "--passphrase-file", passphrase, "restore", "latest", dir+"/by-tar")
	sameAsTarHolds(t, src, dir+"/by-tar")
}
