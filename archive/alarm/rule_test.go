package alarm

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

func TestRuleMatchesFilename(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"/proc/**", "/proc/1/mem", true},
		{"/proc/**", "/proc", true},
		{"/proc/**", "/processes", false},
		{"/proc/**", "/home/proc/x", false},
		{"/proc/**", "proc/1", true}, // a path in a band has no leading slash
		{"proc/**", "/proc/1", true},
		{"*.sock", "/run/deep/down/a.sock", true},
		{"*.sock", "a.sock", true},
		{"*.sock", "/run/a.sock/b", false},
		{"/*.sock", "/run/a.sock", false},
		{"/*.sock", "a.sock", true},
		{"home/*/x", "home/a/b/x", false},
		{"home/**/x", "home/a/b/x", true},
		{"home/**/x", "home/x", true},
		{"**", "/any/thing", true},
		{"**", "", true},
		{"a:b=c", "x/a:b=c", true},
		{`\*`, "*", true},
		{`\*`, "x", false},
		{"{a,b}.txt", "b.txt", true},
		{"line\nbreak", "dir/line\nbreak", true},
		{"\xff", "\xff", true},
		{"\xff", "\xfe", false},
		{"\xff*", "\xff\xfe", true},
		{"?", "\xfe", true},
		{"?", "é", true},
		{"[\xf0-\xff]", "\xfe", true},
		{"[\xf0-\xff]", "\xe0", false},
	} {
		m, err := Rule{Filename: c.pattern}.compile()
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
		} else if got := m.match(Alarm{Filename: c.name}); got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
}

func TestRuleMatchesMessage(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "anything/at all", true},
		{"*xattr*", "can't set xattr user.a/b", true},
		{"*xattr", "xattr set", false},
		{"a?c", "aéc", true},
		{"a?c", "a\xffc", true},
		{"a?c", "ac", false},
		{`a\*`, "a*", true},
		{`a\*`, "ab", false},
		{`a\?\\`, `a?\`, true},
		{"a*b*c", "aXbXbc", true},
		{"a*b*c", "aXcXb", false},
		{"exact", "exact", true},
		{"exact", "exact ", false},
		{"*", "", true},
	} {

		m, err := Rule{Message: c.pattern}.compile()
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
		} else if got := m.match(Alarm{Message: c.text}); got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.pattern, c.text, got, c.want)
		}
	}
}

func TestRuleNeverLooksAtErrorText(t *testing.T) {
	m, err := Rule{Message: "*permission*"}.compile()
	if err != nil {
		t.Fatal(err)
	}
	if m.match(Alarm{Err: &AbortError{Alarm: Alarm{Message: "permission"}}}) {
		t.Error("a message pattern matched the text of Err")
	}
}

func TestMalformedPatternsAreRefused(t *testing.T) {
	for _, r := range []Rule{
		{Filename: "[a"}, {Filename: "{a"}, {Filename: "a}"}, {Filename: `a\`}, {Filename: "[]"},
		{Filename: strings.Repeat("x", maxPatternBytes+1)},
		{Filename: strings.Repeat("{a,b}", 11)},
		{Filename: strings.Repeat("{a,", 11) + "x" + strings.Repeat("}", 11)},
		{Message: `a\`}, {Message: `a\\\`}, {Message: strings.Repeat("x", maxPatternBytes+1)},
		{Area: "sauce"}, {Area: "*"}, {Condition: "lost"}, {Action: 4}, {Action: -1},
	} {
		if _, err := r.compile(); err == nil {
			t.Errorf("%.60v was taken", r)
		}
	}
	for _, r := range []Rule{
		{Filename: strings.Repeat("x", maxPatternBytes)},
		{Filename: "{" + strings.Repeat("a,", 500) + "a}"},
		{Filename: strings.Repeat("{a,b}", 10)},
		{Message: `a\\`},
	} {
		if _, err := r.compile(); err != nil {
			t.Errorf("%.60v: %v", r, err)
		}
	}
}

// Every brace pattern that compile lets through expands to no more than the bound, and doublestar's work is in proportion
// to that. Without the bound the first two of these take longer than the test may run.
func TestHostilePatternsEnd(t *testing.T) {
	tame := 0
	for _, c := range []struct{ pattern, name string }{
		{strings.Repeat("{a,a}", 40) + "b", strings.Repeat("a", 40)},
		{strings.Repeat("{,a}", 40) + "b", strings.Repeat("a", 40)},
		{strings.Repeat("{a,a}", 10) + "b", strings.Repeat("a", 4000)},
		{strings.Repeat("*{,a}", 10) + "b", strings.Repeat("a", 4000)},
		{strings.Repeat("*a", 2000) + "b", strings.Repeat("a", 40_000)},
		{strings.Repeat("**/a*/", 600) + "b", strings.Repeat("aaaa/", 8000)},
		{strings.Repeat("{", 1000) + strings.Repeat("}", 1000), strings.Repeat("a", 4000)},
		{"**/" + strings.Repeat("*a", 500) + "b", strings.Repeat(strings.Repeat("a", 255)+"/", 150)},
	} {
		m, err := Rule{Filename: c.pattern}.compile()
		if err != nil {
			continue
		}
		tame++
		if m.match(Alarm{Filename: c.name}) {
			t.Errorf("%.40q matches a name without a b", c.pattern)
		}
	}
	if tame != 6 {
		t.Errorf("%d patterns were taken, want 6", tame)
	}
	if matchMessage(strings.Repeat("*a", 2000)+"b", strings.Repeat("a", 10_000)) {
		t.Error("matched a message without a b")
	}
}

func TestListsNameEveryConstant(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "alarm.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]int{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Type != nil && len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				word, _ := strconv.Unquote(lit.Value)
				declared[spec.Type.(*ast.Ident).Name+" "+word]++
			}
		}
		return true
	})
	listed := 0
	for _, area := range Areas() {
		listed += declared["Area "+string(area)]
	}
	for _, condition := range Conditions() {
		listed += declared["Condition "+string(condition)]
	}
	if listed != len(declared) || listed < 12 {
		t.Errorf("alarm.go declares %v; Areas and Conditions name %d of them", declared, listed)
	}
}
