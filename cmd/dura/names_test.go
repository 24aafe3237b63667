package main

import (
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMessagesShowOddNamesOnOneLine(t *testing.T) {
	for name, want := range map[string]string{
		"/etc/shadow": "/etc/shadow", "a b": "a b", "grün": "grün", "a\nb": `a\nb`, "\x1b[31m": `\x1b[31m`, "\xff": `\xff`,
		"\u202e": `\u202e`, "": "",
	} {
		if got := shown(name); got != want {
			t.Errorf("shown(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestTerminalsShowNamesQuotedForTheShell(t *testing.T) {
	for name, want := range map[string]string{
		"plain.txt": "plain.txt", "a b": "'a b'", "it's": `'it'\''s'`, "a\nb": `'a'$'\n''b'`, "\x1b[31m": `$'\033''[31m'`, "~x": "'~x'",
		"a~": "a~", "": "''", "\xff\xfe": `$'\377\376'`, "$(rm)": "'$(rm)'",
	} {
		if got := shellQuoted(name); got != want {
			t.Errorf("shellQuoted(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestWhatIsShownHoldsNoControlCharacters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := string(rapid.SliceOf(rapid.Byte()).Draw(t, "name"))
		for _, text := range []string{shown(name), shellQuoted(name)} {
			if !isPrintable(text) {
				t.Fatalf("%q is shown as %q", name, text)
			}
		}
	})
}

func TestBashReadsQuotedNamesBack(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash")
	}
	var names []string
	for c := 1; c < 256; c++ {
		names = append(names, string([]byte{byte(c)}), "a"+string([]byte{byte(c)})+"1")
	}
	names = append(names, "grün", "a\u202eb", "\n\n", "''", "", "-n")
	var script strings.Builder
	script.WriteString("printf '%s\\0'")
	for _, name := range names {
		script.WriteString(" " + shellQuoted(name))
	}
	out, err := exec.Command(bash, "-c", script.String()).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if len(got) != len(names) {
		t.Fatalf("bash read %d names of %d", len(got), len(names))
	}
	for i := range names {
		if got[i] != names[i] {
			t.Errorf("bash reads %s as %q, not as %q", shellQuoted(names[i]), got[i], names[i])
		}
	}
}
