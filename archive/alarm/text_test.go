package alarm

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseRule(t *testing.T) {
	for _, c := range []struct {
		text string
		want Rule
	}{
		{"*/*=continue", Rule{}},
		{"block/corrupt=abort", Rule{Area: Block, Condition: Corrupt, Action: Abort}},
		{"source/*=ask", Rule{Area: Source, Action: Ask}},
		{"*/denied=suppress", Rule{Condition: Denied, Action: Suppress}},
		{"source/denied:/proc/**=suppress", Rule{Area: Source, Condition: Denied, Filename: "/proc/**", Action: Suppress}},
		{"*/*:a:b=c=d=abort", Rule{Filename: "a:b=c=d", Action: Abort}},
		{"*/*:=abort=abort", Rule{Filename: "=abort", Action: Abort}},
		{"*/*::=abort", Rule{Filename: ":", Action: Abort}},
		{"*/*:~user/x=abort", Rule{Filename: "~user/x", Action: Abort}},
		{`*/*:say "hi"=abort`, Rule{Filename: `say "hi"`, Action: Abort}},
		{`*/*:"a\nb\xff"=abort`, Rule{Filename: "a\nb\xff", Action: Abort}},
		{`restore/*:~"*a=b:~\"c*"=suppress`, Rule{Area: Restore, Message: `*a=b:~"c*`, Action: Suppress}},
		{`restore/*:*.x:~"m"=suppress`, Rule{Area: Restore, Filename: "*.x", Message: "m", Action: Suppress}},
		{`restore/*:"q":~"m"=suppress`, Rule{Area: Restore, Filename: "q", Message: "m", Action: Suppress}},
		{"*/*=ask until 2027-01-31", Rule{Action: Ask, Until: date(2027, 1, 31)}},
		{"*/*:a=b until x=suppress until 2028-02-29", Rule{Filename: "a=b until x", Action: Suppress, Until: date(2028, 2, 29)}},
		{"*/*:\n\xff=abort", Rule{Filename: "\n\xff", Action: Abort}},
	} {
		got, err := ParseRule(c.text)
		if err != nil || got != c.want {
			t.Errorf("%s: got %#v, %v; want %#v", c.text, got, err, c.want)
		}
	}
}

func TestParseRuleRefuses(t *testing.T) {
	for _, text := range []string{
		"", "=", "=abort", "source", "source/denied", "source/denied=", "source/denied=stop", "source/denied=Abort",
		"source/denied= abort", "source=abort", "/=abort", "source/=abort", "/denied=abort", "sauce/denied=abort",
		"source/lost=abort", " source/denied=abort", "source/denied/x=abort",
		"source/denied:=abort", `source/denied:""=abort`, `source/denied:~""=abort`, `source/denied::~"m"=abort`,
		`source/denied:"a=abort`, `source/denied:"a"b=abort`, `source/denied:~"a=abort`, `source/denied:~"a"b=abort`,
		`source/denied:~"a":~"b"=abort`, `source/denied:"\q"=abort`, "source/denied:[=abort", "*/*=ask until", "*/*=ask until ", "*/*=ask until 2027-02-29",
		"*/*=ask until 31.1.2027", "*/*=ask  until 2027-01-31", "*/*=ask until 2027-01-31 ", "*/*=until 2027-01-31", "*/*=ask until 0001-01-01", `source/denied:~"\\"=abort`,
	} {
		if r, err := ParseRule(text); err == nil {
			t.Errorf("%s was taken as %#v", text, r)
		} else if !strings.Contains(err.Error(), "alarm rule") || r != (Rule{}) {
			t.Errorf("%s: got %#v and the error %v", text, r, err)
		}
	}
}

func TestRuleTextIsQuotedOnlyWhereItMustBe(t *testing.T) {
	for want, r := range map[string]Rule{
		"*/*=continue":                        {},
		"source/denied:/proc/**=suppress":     {Area: Source, Condition: Denied, Filename: "/proc/**", Action: Suppress},
		`*/*:a\b "c" é~=ask`:                  {Filename: `a\b "c" é~`, Action: Ask},
		`*/*:"\"a"=ask`:                       {Filename: `"a`, Action: Ask},
		`*/*:"~\"a\""=ask`:                    {Filename: `~"a"`, Action: Ask},
		`*/*:"a:~\"b"=ask`:                    {Filename: `a:~"b`, Action: Ask},
		`*/*:"a\tb"=ask`:                      {Filename: "a\tb", Action: Ask},
		`block/corrupt:x:~"*=\xff*"=suppress`: {Area: Block, Condition: Corrupt, Filename: "x", Message: "*=\xff*", Action: Suppress},
		"*/*=ask until 2027-01-31":            {Action: Ask, Until: date(2027, 1, 31)},
	} {
		if got := r.String(); got != want {
			t.Errorf("%#v: got %s, want %s", r, got, want)
		}
	}
}

func date(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

func drawRule(t *rapid.T) Rule {
	var until time.Time
	if rapid.Bool().Draw(t, "dated") {
		until = date(1970, 1, 1+rapid.IntRange(0, 100_000).Draw(t, "days"))
	}
	piece := rapid.SampledFrom([]string{"a", "*", "**/", "/", "?", `\\`, `\*`, "[ab]", "{a,b}", ":", "=", "~", `"`, `:~"`,
		"=abort", "\n", "\xff", "é", " "})
	glob := func(label string) string {
		return strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, label), "")
	}
	return Rule{
		Area:      rapid.SampledFrom(append(Areas(), "")).Draw(t, "area"),
		Condition: rapid.SampledFrom(append(Conditions(), "")).Draw(t, "condition"),
		Filename:  glob("filename"),
		Message:   glob("message"),
		Action:    rapid.SampledFrom(actions()).Draw(t, "action"),
		Until:     until,
	}
}

func TestEveryRuleReadsBackFromItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRule(t)
		got, err := ParseRule(r.String())
		if err != nil || got != r {
			t.Fatalf("%#v as %s: got %#v, %v", r, r, got, err)
		}
	})
}

func FuzzParseRule(f *testing.F) {
	for _, text := range []string{
		"*/*=continue", "source/denied:/proc/**=suppress", `restore/*:~"message glob"=ask`, `*/*:"a\n:~\"":~"b"=abort`,
		"*/*:a:b=c=d=abort", `*/*:"`, `*/*:~"=abort`, "*/*=ask until 2027-01-31", "*/*:{{{,}}}=ask", "*/*:[\xff-\xfe]=ask",
	} {
		f.Add(text, "some/file\xff", "message")
	}
	f.Fuzz(func(t *testing.T, text, filename, message string) {
		r, err := ParseRule(text)
		if err != nil {
			return
		}
		again, err := ParseRule(r.String())
		if err != nil || again != r {
			t.Fatalf("%q is %#v, its text %s reads as %#v, %v", text, r, r, again, err)
		}
		m, err := r.compile()
		if err != nil {
			t.Fatalf("%q parses and doesn't compile: %v", text, err)
		}
		m.match(Alarm{Area: r.Area, Condition: r.Condition, Filename: filename, Message: message})
	})
}
