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

// What is not a message is no part of an encrypted archive: whoever may write to the storage can put anything there without any key.
func TestRecoverPyTakesNoPlainObjectsInEncryptedArchives(t *testing.T) {
	need(t, "gpg")
	src, archive := sealedByHand(t)
	dir := scratch(t)
	forged, plain := filepath.Join(dir, "forged"), filepath.Join(dir, "plain")
	if err := os.Mkdir(forged, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(forged, "letter"), []byte("not what was written"), 0o644); err != nil {
		t.Fatal(err)
	}
	storeTree(t, plain, forged, ".")
	mine := strings.TrimSpace(shell(t, archive, "basename bands/*.tail.gpg .tail.gpg"))
	theirs := strings.TrimSpace(shell(t, plain, "basename bands/*.tail .tail"))
	shell(t, plain, "cp -r bands/* "+archive+"/bands")
	shell(t, plain, "cd bands && for f in "+theirs+".*; do cp $f "+archive+"/bands/"+mine+".${f##*.}.plain; done")
	shell(t, archive, "cd bands && for kind in head tail; do mv "+mine+".$kind.plain "+mine+".$kind; done; rm *.plain; cp -r "+theirs+"/. "+mine)
	recovered(t, 0, archive, "restore", mine, dir+"/mine")
	same(t, src, dir+"/mine")
	o := recoverPy(t, archive, "restore", theirs, dir+"/theirs")
	if left := contents(t, dir); left["/theirs/letter"] != [32]byte{} || o.status == 0 {
		t.Errorf("what was put there is served: exit status %d", o.status)
	}
}
