package writer_test

import (
	"context"
	"crypto/rand"
	"testing"

	"dura/archive/alarm"
	"dura/archive/format"
	"dura/archive/seal"
	"dura/archive/seal/sealtest"
	"dura/writer/source/sourcetest"
)

// forge puts an object there that somebody sealed who has the public key, and knows what the object that he replaces says.
func (p *place) forge(name string) {
	p.t.Helper()
	ctx := context.Background()
	stored := objects(p.t, p.storage)[format.StoredName(name, true)]
	content, err := sealtest.Keys().Open(name, stored)
	if err != nil {
		p.t.Fatal(name, err)
	}
	attacker := seal.NewKeys(seal.KeysOptions{Public: &sealtest.Key().PublicKey, Random: rand.Reader})
	sealed, _, err := attacker.Seal(name, content)
	if err == nil {
		err = p.storage.Delete(ctx, format.StoredName(name, true))
	}
	if err == nil {
		err = p.storage.Create(ctx, format.StoredName(name, true), sealed)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// Whoever reads with the archive's key can't tell a head or a tail that somebody else has sealed. The machine that wrote the band can: it names
// it, and builds on what it has sealed itself alone.
func TestAMachineKnowsWhatItDidNotSeal(t *testing.T) {
	for _, scheme := range []string{"16+2", "none"}[:fewer(2, 1)] {
		for _, kind := range []func(format.BandID) string{format.HeadName, format.TailName} {
			p := newSealedPlace(t, paritySettings(scheme), t.TempDir())
			items := movingItems()
			p.now = later(1)
			first := p.backup(sourcetest.New(items...))
			victim := kind(first.Band)
			p.forge(victim)
			p.now = later(2)
			second := p.backup(sourcetest.New(items...))
			if len(p.raised) != 1 || p.raised[0].Filename != victim || p.raised[0].Condition != alarm.Mismatch || p.raised[0].Area != alarm.Band {
				t.Errorf("%s %s: %v", scheme, victim, p.raised)
			}
			wants := scheme != "none" || victim == format.TailName(first.Band) // or else nothing says what the band is of
			if shares := second.Totals.Unchanged > 0; shares != wants {
				t.Errorf("%s %s: %+v", scheme, victim, second)
			}
			sameTree(t, p.read(), items)
		}
	}
}
