package storage_test

import (
	"path"
	"strings"
	"testing"

	"dura/archive/storage"

	"pgregory.net/rapid"
)

func TestValidNameKnowsTheNamesOfAnArchive(t *testing.T) {
	component := strings.Repeat("c", storage.MaxComponentBytes)
	long := strings.Repeat("0123456/", storage.MaxNameBytes/8-1) + "01234567"
	for name, want := range map[string]bool{
		"DURA-ARCHIVE":                       true,
		"README.txt":                         true,
		"dura.proto":                         true,
		"recover.py":                         true,
		"keys/archive.sec.0.gpg":             true,
		"bands/2026-11-23-101500-4f2a9c":     true,
		"bands/b/data/000/000000.tar.zst":    true,
		"bands/b/parity/000/000000-0.rs":     true,
		"a":                                  true,
		"a.":                                 true,
		"a..b":                               true,
		"-":                                  true,
		"_":                                  true,
		component:                            true,
		"a/" + component:                     true,
		component + "c":                      false,
		long:                                 true,
		long + "8":                           false,
		"":                                   false,
		".":                                  false,
		"..":                                 false,
		"/":                                  false,
		"/a":                                 false,
		"a/":                                 false,
		"a//b":                               false,
		"a/.":                                false,
		"a/../b":                             false,
		"../a":                               false,
		".tmp-1":                             false,
		"a/.tmp-1":                           false,
		".nfs0123":                           false,
		"._dura.proto":                       false,
		"A":                                  false,
		"bands/A":                            false,
		"dura-archive":                       false,
		"dura-archive/a":                     false,
		"readme.txt":                         false,
		"a/readme.txt":                       true,
		"Readme.txt":                         false,
		"DURA-ARCHIVE/a":                     false,
		"a/DURA-ARCHIVE":                     false,
		"README.txt/":                        false,
		"a b":                                false,
		"a\x00":                              false,
		"a\n":                                false,
		"a\\b":                               false,
		"a:b":                                false,
		"a+b":                                false,
		"ä":                                  false,
		"a\xff":                              false,
		storage.TemporaryPrefix + "anything": false,
	} {
		if got := storage.ValidName(name); got != want {
			t.Errorf("ValidName(%q) = %v, want %v", name, got, want)
		}
	}
}

// FuzzValidName holds every name that passes to what the rest of Dura builds on.
func FuzzValidName(f *testing.F) {
	for _, seed := range []string{"DURA-ARCHIVE", "bands/b.head", "a/../b", ".tmp-1", "a//b", "README.txt", "a/.", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !storage.ValidName(name) {
			return
		}
		if name == "" || len(name) > storage.MaxNameBytes {
			t.Errorf("%q: %d bytes", name, len(name))
		}
		if path.Clean("/"+name) != "/"+name {
			t.Errorf("%q is not its own shortest path", name)
		}
		if strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
			t.Errorf("%q has a component that begins with a dot", name)
		}
		if lower := strings.ToLower(name); lower != name && storage.ValidName(lower) {
			t.Errorf("%q and %q are both valid", name, lower)
		}
		for parent := path.Dir(name); parent != "."; parent = path.Dir(parent) {
			if !storage.ValidName(parent) {
				t.Errorf("%q is valid and its folder %q is not", name, parent)
			}
		}
	})
}

func TestValidNamesStayDistinctWhereCaseIsIgnored(t *testing.T) {
	name := rapid.StringMatching(`([A-Za-z0-9._-]{1,4}/){0,2}[A-Za-z0-9._-]{1,4}|DURA-ARCHIVE|README\.txt|dura-archive`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		if rapid.Bool().Draw(t, "same but for case") {
			b = strings.ToLower(a)
		}
		if a != b && strings.EqualFold(a, b) && storage.ValidName(a) && storage.ValidName(b) {
			t.Fatalf("%q and %q are both valid", a, b)
		}
	})
}
