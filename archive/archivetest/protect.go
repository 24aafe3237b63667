package archivetest

import (
	"context"
	"strings"
	"testing"

	"dura/archive/format"
	"dura/archive/parity"
	"dura/archive/storage"
)

// Protect makes the parity of everything that a band has, as it is stored.
func Protect(t testing.TB, st storage.Storage, band format.BandID, s parity.Scheme) {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var encoders [parity.Classes]*parity.Encoder
	var numbers [parity.Classes]uint64
	end := func(c parity.Class) {
		g, shards := encoders[c].Close(band, parity.GroupNumber(c, numbers[c]))
		numbers[c]++
		objects, err := g.Objects(shards)
		must(err)
		for _, o := range objects {
			must(st.Create(ctx, o.Name, o.Parts...))
		}
	}
	for c := range encoders {
		var err error
		encoders[c], err = parity.NewEncoder(s)
		must(err)
	}
	for info, err := range st.List(ctx, format.BandsPrefix+string(band), storage.Deep) {
		must(err)
		name := strings.TrimSuffix(info.Name, format.SealedSuffix)
		_, kind, _, _ := format.ParseObjectName(name)
		c, is := parity.ClassOf(kind)
		if !is {
			continue
		}
		object, err := st.Read(ctx, info.Name, 0, int(info.SizeBytes))
		must(err)
		must(encoders[c].Add(name, format.SumBytes(object), object))
		if encoders[c].Full() {
			end(c)
		}
	}
	for c := range encoders {
		if encoders[c].Members() > 0 {
			end(parity.Class(c))
		}
	}
}
