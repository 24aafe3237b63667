package file

import "testing"

func TestAFolderIsAnchoredUntilItIsForgotten(t *testing.T) {
	var f folders
	anchor := func(names ...string) {
		for _, name := range names {
			f.setAnchored(name, f.era())
		}
	}
	want := func(when string, anchored bool, names ...string) {
		t.Helper()
		for _, name := range names {
			if f.isAnchored(name) != anchored {
				t.Errorf("%s, %q is anchored: %v", when, name, !anchored)
			}
		}
	}
	want("at first", true, "")
	want("at first", false, "a", "a/b")
	anchor("a", "a/b", "a/b/c", "a/bc")
	want("once it was noted", true, "", "a", "a/b", "a/b/c", "a/bc")
	f.forget("a/b")
	want("after a/b was forgotten", true, "", "a", "a/bc")
	want("after a/b was forgotten", false, "a/b", "a/b/c")
}

func TestWhatWasForgottenMeanwhileIsNotAnchored(t *testing.T) {
	var f folders
	era := f.era()
	f.forget("a/b")
	f.setAnchored("a/b", era)
	if f.isAnchored("a/b") {
		t.Error("a folder is anchored that may have been removed since it was seen")
	}
	f.setAnchored("a/b", f.era())
	if !f.isAnchored("a/b") {
		t.Error("a folder is not anchored that was seen since")
	}
}

func TestCallsInOneFolderShareAGroup(t *testing.T) {
	var f folders
	a := f.group("a")
	if f.group("a") != a || f.group("b") == a {
		t.Error("groups are not one for each folder")
	}
}
