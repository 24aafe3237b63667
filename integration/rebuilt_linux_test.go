package integration

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dura/integration/awkward"
)

// What an archive without parity has lost of its index, `dura repair` makes anew of the blocks: a restore behind it gives all that they hold, and
// what it lacks was told. recover.py gets as much out of it.
func TestARebuiltIndexGivesTheAwkwardTreeBack(t *testing.T) {
	needRoot(t)
	dir := scratch(t)
	src, archive := filepath.Join(dir, "src"), filepath.Join(dir, "archive")
	if _, err := awkward.Make(src, awkward.Options{Seed: 1, ManyEntries: 1500}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { awkward.Remove(src) })
	dura(t, "init", archive, "--parity", "none")
	storeTree(t, archive, src, ".")
	for what, lose := range map[string]string{
		"hunk":         "rm bands/*/index/000/000001.hunk.zst || rm bands/*/index/000/000000.hunk.zst",
		"hunks":        "rm bands/*/index/*/*.hunk.zst",
		"fence":        "rm bands/*/index/000000.fence.zst",
		"fences":       "rm bands/*/index/*.fence.zst bands/*/index/000/000000.hunk.zst",
		"tail":         "rm bands/*.tail",
		"head":         "rm bands/*.head",
		"DURA-ARCHIVE": "rm DURA-ARCHIVE",
		"all":          "rm DURA-ARCHIVE bands/*.head bands/*.tail; rm -r bands/*/index",
	} {
		t.Run(what, func(t *testing.T) {
			broken := filepath.Join(dir, what)
			dest, byHand := filepath.Join(dir, what+"-restored"), filepath.Join(dir, what+"-by-hand")
			shell(t, dir, "cp -a archive "+what)
			shell(t, broken, lose)
			o := run(t, command("dura", "repair", broken))
			sockets := regexp.MustCompile(`(?m)^lost in band .*: \d+ (entry|entries) from`).MatchString(o.stdout)
			if o.status != 0 && !sockets {
				t.Fatal(o.status, o.stderr, o.stdout)
			}
			if o := run(t, command("dura", "verify", broken, "--files")); o.status != 0 {
				t.Fatal(o.status, o.stderr, o.stdout)
			}
			if o := run(t, command("dura", "repair", broken)); o.status != 0 || strings.Contains(o.stdout, "repaired") {
				t.Fatal(o.status, o.stderr, o.stdout)
			}
			t.Cleanup(func() { awkward.Remove(dest); awkward.Remove(byHand) })
			if o := run(t, command("dura", "restore", broken, dest)); o.status != 0 {
				t.Fatal(o.status, o.stderr)
			}
			sameAsTarHolds(t, src, dest)
			if what != "DURA-ARCHIVE" && what != "all" {
				return
			}
			recovered(t, 0, broken, "restore", "latest", byHand)
			sameAsTarHolds(t, src, byHand)
		})
	}
}

// Of an encrypted archive, too, with its key; what is new are messages that gpg opens for recover.py.
func TestAnEncryptedArchiveIsRebuilt(t *testing.T) {
	need(t, "gpg")
	src, archive := sealedByHand(t)
	for what, lose := range map[string]string{
		"hunks": "rm bands/*/index/*/*.hunk.zst.gpg",
		"all":   "rm DURA-ARCHIVE bands/*.head.gpg bands/*.tail.gpg; rm -r bands/*/index",
	} {
		t.Run(what, func(t *testing.T) {
			dir := scratch(t)
			broken := filepath.Join(dir, "broken")
			shell(t, dir, "cp -a "+archive+" broken && rm -rf broken/bands/*/parity")
			shell(t, broken, lose)
			if o := run(t, command("dura", "repair", broken)); o.status != 0 {
				t.Fatal(o.status, o.stderr, o.stdout)
			}
			if o := run(t, command("dura", "verify", broken, "--files")); o.status != 0 {
				t.Fatal(o.status, o.stderr, o.stdout)
			}
			if o := run(t, command("dura", "restore", broken, dir+"/restored")); o.status != 0 {
				t.Fatal(o.status, o.stderr)
			}
			sameAsTarHolds(t, src, dir+"/restored")
			recovered(t, 0, broken, "restore", "latest", dir+"/by-hand")
			sameAsTarHolds(t, src, dir+"/by-hand")
		})
	}
}
