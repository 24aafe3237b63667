package main

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"dura/archive/format"
)

func TestEveryJSONFieldIsNamedAndDescribed(t *testing.T) {
	snake := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	var check func(reflect.Type)
	check = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			inner := f.Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				check(inner)
			}
			if f.Anonymous {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !snake.MatchString(name) || f.Tag.Get("about") == "" {
				t.Errorf("%v.%s: json %q, about %q", typ, f.Name, name, f.Tag.Get("about"))
			}
		}
	}
	for _, d := range documents {
		check(reflect.TypeOf(d.doc))
	}
}

func TestNamesThatAreNotUTF8AreGivenExactly(t *testing.T) {
	line, err := json.Marshal(entryLineOf(&format.Entry{Path: "d/\xff", Kind: format.Symlink, Target: "\xfe<&>", LinkTo: "e/\xfd"}))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{"path": "d/\xff", "target": "\xfe<&>", "link_to": "e/\xfd"} {
		exact, err := base64.StdEncoding.DecodeString(got[field+"_base64"].(string))
		if err != nil || string(exact) != want || got[field] != strings.ToValidUTF8(want, "\uFFFD") {
			t.Errorf("%s is %q, exactly %q", field, got[field], exact)
		}
	}
}

func TestTimesBeyondWhatStandardLibrariesTakeAreWritten(t *testing.T) {
	for seconds, want := range map[int64]string{
		-1: "1969-12-31T23:59:59.5Z", 9223372036 + 86400*365: "2263-04-11T23:47:16.5Z", 0: "1970-01-01T00:00:00.5Z",
	} {
		if got := jsonTime(format.Time{Seconds: seconds, Nanos: 500000000}.Std()); got != want {
			t.Errorf("%d: %s, want %s", seconds, got, want)
		}
	}
}
