package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, "# nothing\n": nil, "alarms = []": {},
		"alarms = [\n  'source/denied:/proc/**=suppress', # a comment\n  \"block/corrupt=abort\",\n]\n": {"source/denied:/proc/**=suppress", "block/corrupt=abort"},
	} {
		if c, err := Parse([]byte(text)); err != nil || !slices.Equal(c.Alarms, want) {
			t.Errorf("%q: %q, %v", text, c.Alarms, err)
		}
	}
	for text, want := range map[string]string{
		"\nalarm = []":         `line 2: there is no setting "alarm"`,
		"[alarms]\nx = 1":      "line ",
		"alarms = 'one'":       "line 1: ",
		"alarms = [1]":         "line 1: ",
		"alarms = ['a'":        "line 1: ",
		"alarms = []\n\n}\n":   "line 3: ",
		"[a.b]\nc = 1":         `there is no setting "a`,
		"alarms=[]\nalarms=[]": "already defined",
	} {
		if c, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %+v, %v; want %s", text, c, err, want)
		}
	}
}

func TestLoadLooksWhereTheEnvironmentSays(t *testing.T) {
	home := t.TempDir()
	getenv := func(variables map[string]string) func(string) string {
		return func(name string) string { return variables[name] }
	}
	for i, c := range []struct {
		env  map[string]string
		name string
	}{
		{map[string]string{}, ""},
		{map[string]string{"HOME": home}, home + "/.config/dura/config.toml"},
		{map[string]string{"HOME": home, "XDG_CONFIG_HOME": home + "/x"}, home + "/x/dura/config.toml"},
		{map[string]string{"HOME": home, "XDG_CONFIG_HOME": "relative"}, home + "/.config/dura/config.toml"},
	} {
		name := Name(getenv(c.env))
		if name != c.name {
			t.Errorf("%v: %s", c.env, name)
		}
		if got, err := Load(getenv(c.env)); i < 3 && (err != nil || got.Alarms != nil) {
			t.Errorf("%v: %v, %v", c.env, got, err)
		}
		if name == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("alarms = ['"+name+"']"), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := Load(getenv(c.env)); err != nil || !slices.Equal(got.Alarms, []string{name}) {
			t.Errorf("%v: %v, %v", c.env, got, err)
		}
	}
	if err := os.WriteFile(home+"/x/dura/config.toml", []byte("\n\nnothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(getenv(map[string]string{"XDG_CONFIG_HOME": home + "/x"})); err == nil || !strings.Contains(err.Error(), home+"/x/dura/config.toml, line 3: ") {
		t.Error(err)
	}
	if _, err := Load(getenv(map[string]string{"XDG_CONFIG_HOME": home + "/x/dura/config.toml"})); err == nil || !strings.Contains(err.Error(), "can't be read") {
		t.Error(err)
	}
}

// FuzzParse: no text makes the reader fail in another way than with a sentence.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "alarms = ['a']", "alarm = 1", "[a.b]\nc = 1", "a = \x00", "alarms = [[]]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse([]byte(text))
		if err != nil && (c.Alarms != nil || strings.TrimSpace(err.Error()) == "") {
			t.Errorf("%+v, %v", c, err)
		}
	})
}
