// Package damage crosses every kind of object with every kind of damage, and holds what readers, verification, repair and the next backup
// make of it against a table. All of it runs in this process, on archives in memory.
package damage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"dura/archive"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/seal/sealtest"
	"dura/archive/storage"
)

// damages are what may happen to an object; other is another valid object of the same kind, or of another where there is none.
var damages = []struct {
	name string
	do   func(object, other []byte) []byte // nil: it is gone
}{
	{"deleted", func(_, _ []byte) []byte { return nil }},
	{"truncated", func(object, _ []byte) []byte { return object[:len(object)*2/3] }},
	{"one bit flipped", func(object, _ []byte) []byte {
		object[len(object)/3] ^= 0x10
		return object
	}},
	{"a sector zeroed", func(object, _ []byte) []byte {
		start := len(object) / 2 / 4096 * 4096
		clear(object[start:min(start+4096, len(object))])
		return object
	}},
	{"replaced", func(_, other []byte) []byte { return other }},
	{"random", func(object, _ []byte) []byte {
		for i := range object {
			object[i] = byte(i*i*31 + i>>3)
		}
		return object
	}},
	{"emptied", func(_, _ []byte) []byte { return []byte{} }},
}

// outcome is what is expected where an object of a kind is damaged.
type outcome struct {
	reads   loss // what ls, restore and the mount lack
	byHand  loss // what recover.py lacks, which does without parity, and takes from blocks what the index has lost
	heals   bool // repair has all that was lost, and nothing is damaged behind it
	unknown bool // nothing tells whether it is as it was stored, as long as it can be read
}

type loss int

const (
	nothing  loss = iota
	contents      // some files, whose names are there
	entries       // some names
)

// kinds are the objects that are damaged, one of each kind, and the table of what is expected without and with parity.
var kinds = []struct {
	name          string
	is            func(name string) bool
	without, with outcome
}{
	{"DURA-ARCHIVE", named("DURA-ARCHIVE"), outcome{heals: true, unknown: true}, outcome{heals: true, unknown: true}},
	{"README.txt", named("README.txt"), outcome{heals: true, unknown: true}, outcome{heals: true, unknown: true}},
	{"dura.proto", named("dura.proto"), outcome{heals: true, unknown: true}, outcome{heals: true, unknown: true}},
	{"head", kind(format.HeadObject), outcome{heals: true}, outcome{heals: true}},
	{"tail", kind(format.TailObject), outcome{heals: true}, outcome{heals: true}},
	{"sums", kind(format.SumsObject), outcome{heals: true}, outcome{heals: true}},
	{"alarms", kind(format.AlarmsObject), outcome{}, outcome{heals: true}},
	{"fence", kind(format.FenceObject), outcome{heals: true}, outcome{heals: true}},
	{"hunk", kind(format.HunkObject), outcome{reads: entries, heals: true}, outcome{heals: true}},
	{"span list", kind(format.SpansObject), outcome{reads: contents, heals: true}, outcome{heals: true}},
	{"block", kind(format.BlockObject), outcome{reads: contents, byHand: contents}, outcome{heals: true, byHand: contents}},
	{"parity", kind(format.ParityObject), outcome{heals: true}, outcome{heals: true}},
	{"public key", named(format.PublicKeyName), outcome{heals: true, unknown: true}, outcome{heals: true, unknown: true}},
}

func named(want string) func(string) bool { return func(name string) bool { return name == want } }

func kind(want format.ObjectKind) func(string) bool {
	return func(name string) bool {
		_, kind, _, err := format.ParseObjectName(strings.TrimSuffix(name, format.SealedSuffix))
		return err == nil && kind == want
	}
}

// column is the kind of archive that objects are damaged in.
type column struct {
	name   string
	scheme string
	keys   *seal.Keys    // nil: it is not encrypted
	gpg    *sealtest.GPG // with the archive's key; nil: it is not encrypted, or there is no gpg
}

// columns are those of the matrix.
func columns(t *testing.T) []column {
	t.Helper()
	secret, err := sealtest.Key().SecretArmored()
	if err != nil {
		t.Fatal(err)
	}
	var gpg *sealtest.GPG
	if _, err := exec.LookPath("gpg"); err == nil || os.Getenv("CI") == "true" {
		gpg = sealtest.NewGPG(t)
		gpg.Must(secret, "--import")
	} else {
		t.Log("no recover.py of encrypted archives:", err)
	}
	return []column{
		{"none", "none", nil, nil}, {"16+2", "16+2", nil, nil},
		{"none, sealed", "none", sealtest.Keys(), gpg}, {"16+2, sealed", "16+2", sealtest.Keys(), gpg},
	}
}

func (c column) options() archive.Options {
	if c.keys == nil {
		return archive.Options{}
	}
	return archive.Options{Unlock: func(context.Context, storage.Storage, format.ArchiveHead) (*seal.Keys, error) { return c.keys, nil }}
}

func (c column) expected(without, with outcome) outcome {
	if c.scheme != "none" {
		return with
	}
	return without
}

// of reports whether there are such objects in the archives of a column.
func (c column) of(kind string) bool {
	switch kind {
	case "parity":
		return c.scheme != "none"
	case "public key":
		return c.keys != nil
	}
	return true
}

// TestDamageMatrix has each damage to each kind of object in archives that are not encrypted. To what takes longer it goes by chance, by a seed
// that it logs: to encrypted archives with two of seven damages to each kind, and with recover.py into one of seven. DURA_DAMAGE=all has all of
// them, and DURA_DAMAGE_SEED=N those of a run that failed.
func TestDamageMatrix(t *testing.T) {
	chance := newChance(t)
	for _, c := range columns(t) {
		good := stored(t, makeArchive(t, c))
		for _, k := range kinds {
			victims := names(good, k.is)
			if len(victims) == 0 && c.of(k.name) {
				t.Fatalf("%s: the archive has no %s", c.name, k.name)
			}
			if len(victims) == 0 {
				continue
			}
			want := c.expected(k.without, k.with)
			some, one := chance.pick(2), chance.pick(1)
			for i, d := range damages {
				if testing.Short() && (i+len(k.name))%7 != 0 || c.keys != nil && !some[i] && !one[i] {
					continue
				}
				victim := victims[i%len(victims)]
				t.Run(fmt.Sprint(c.name, "/", k.name, "/", d.name), func(t *testing.T) {
					cell := &cell{T: t, column: c, victim: victim, want: want, st: damaged(t, good, victim, k.is, d.do), byHand: one[i] && (c.gpg != nil || c.keys == nil)}
					cell.check()
				})
			}
		}
	}
}

// chance picks which damages are tried.
type chance struct {
	all    bool
	random *rand.Rand
}

func newChance(t *testing.T) chance {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("DURA_DAMAGE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("DURA_DAMAGE_SEED=%d", seed)
	return chance{os.Getenv("DURA_DAMAGE") == "all", rand.New(rand.NewPCG(seed, 0))}
}

// pick says of each damage whether it is one of n that are tried.
func (c chance) pick(n int) []bool {
	picked := make([]bool, len(damages))
	for i, at := range c.random.Perm(len(damages)) {
		picked[at] = i < n || c.all
	}
	return picked
}
