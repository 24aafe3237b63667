package main

import (
	"slices"
	"testing"
)

func TestHelperWordsAreThoseOfMount8(t *testing.T) {
	for _, c := range []struct {
		said, words []string
		fake        bool
	}{
		{said: []string{"/a", "/m"}, words: []string{"/a", "/m"}},
		{said: []string{"/a", "/m", "-n", "-o", "ro,noauto"}, words: []string{"/a", "/m", "-o", "ro,noauto"}},
		{said: []string{"/a", "/m", "-sfnv", "-o", "rw"}, words: []string{"/a", "/m", "-o", "rw"}, fake: true},
		{said: []string{"/a", "/m", "-v", "-N", "/proc/1/ns/mnt", "-t", "fuse.dura-mount"}, words: []string{"/a", "/m"}},
		{said: []string{"-o", "-f", "/a", "/m"}, words: []string{"-o", "-f", "/a", "/m"}}, // a value
		{said: []string{"/a", "/m", "--log-file", "/l", "-x"}, words: []string{"/a", "/m", "--log-file", "/l", "-x"}},
		{said: []string{"/a", "-", "--"}, words: []string{"/a", "-", "--"}},
	} {
		words, fake := helperWords(c.said)
		if !slices.Equal(words, c.words) || fake != c.fake {
			t.Errorf("%q become %q (fake: %v)", c.said, words, fake)
		}
	}
	if !isHelper("/sbin/mount.fuse.dura-mount") || isHelper("/usr/bin/dura-mount") || isHelper("/mount.d/dura-mount") {
		t.Error("it is not known who calls")
	}
}
