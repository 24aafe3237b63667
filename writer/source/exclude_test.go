package source_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"

	"dura/archive/format"
	"dura/writer/source"
)

// excludeTree is what the table below is about, in path order.
var excludeTree = []string{
	".cache/", "a.o", "a.txt", "home/", "me", "tmp/",
	".cache/x", "home/me/", "home/tmp/", "home/you",
	"home/me/a.o", "home/me/b[1].txt", "home/me/keep.o", "home/me/me/", "home/me/tmp", "home/me/tmp2", "home/me/ünder",
	"home/me/me/tmp/", "home/me/me/tmp/deep",
	"home/tmp/keep/", "home/tmp/keep/file", "tmp/old",
}

func TestExclusion(t *testing.T) {
	t.Chdir(makeTree(t, excludeTree...))
	for _, c := range []struct {
		name     string
		patterns string // by blanks
		out      string // what else is left out, by blanks, what is below it not named
	}{
		{"nothing", "", ""},
		{"a name at any depth", "tmp", "tmp/ home/tmp/ home/me/tmp home/me/me/tmp/"},
		{"directories alone", "tmp/", "tmp/ home/tmp/ home/me/me/tmp/"},
		{"from the top", "/tmp", "tmp/"},
		{"from the top, deeper", "/home/me/tmp", "home/me/tmp"},
		{"from the top, a directory", "/home/me/tmp/", ""},
		{"the end of a path", "me/tmp", "home/me/tmp home/me/me/tmp/"},
		{"the end of a path, a directory", "me/tmp/", "home/me/me/tmp/"},
		{"the end of a name", "*.o", "a.o home/me/a.o home/me/keep.o"},
		{"the end of a name, from the top", "/*.o", "a.o"},
		{"the start of a name", "tmp*", "tmp/ home/tmp/ home/me/tmp home/me/tmp2 home/me/me/tmp/"},
		{"the start of a name with a dot", ".*", ".cache/"},
		{"taken back", "*.o !keep.o", "a.o home/me/a.o"},
		{"taken back and excluded", "*.o !keep.o keep.o", "a.o home/me/a.o home/me/keep.o"},
		{"taken back, from the top", "me !/home/me", "me home/me/me/"},
		{"taken back, directories alone", "me !me/", "me"},
		{"what is below stays out", "/home/tmp !/home/tmp/keep", "home/tmp/"},
		{"what is in a directory", "/home/tmp/* !/home/tmp/keep", ""},
		{"all in a directory", "/home/me/**", "home/me/a.o home/me/b[1].txt home/me/keep.o home/me/me/ home/me/tmp home/me/tmp2 home/me/ünder"},
		{"all in directories of that name", "tmp/**", "home/tmp/keep/ home/me/me/tmp/deep tmp/old"},
		{"any number of directories", "/home/**/tmp", "home/tmp/ home/me/tmp home/me/me/tmp/"},
		{"any directories ahead", "**/tmp", "tmp/ home/tmp/ home/me/tmp home/me/me/tmp/"},
		{"any directories ahead, from the top", "/**/me/tmp", "home/me/tmp home/me/me/tmp/"},
		{"wildcards in a path", "/h*/m?/*.o", "home/me/a.o home/me/keep.o"},
		{"a class", "tmp[0-9]", "home/me/tmp2"},
		{"one of several", "{you,keep}", "home/you home/tmp/keep/"},
		{"without meaning", `b\[1\].txt`, "home/me/b[1].txt"},
		{"other letters", "?nder", "home/me/ünder"},
		{"everything", "*", ".cache/ a.o a.txt home/ me tmp/"},
		{"everything but", "* !home !you !home/**", ".cache/ a.o a.txt me tmp/"},
		{"cases differ", "TMP", ""},
	} {
		t.Run(c.name, func(t *testing.T) { checkExclusion(t, strings.Fields(c.patterns), strings.Fields(c.out)) })
	}
}

func checkExclusion(t *testing.T, patterns, out []string) {
	var told []string
	src, alarms := local(t, source.Options{Exclude: patterns, Skipped: func(p format.Path, why source.Why) {
		told = append(told, string(p))
		if why.Reason != source.Excluded || !slices.Contains(patterns, why.Pattern) {
			t.Errorf("%q: %+v", p, why)
		}
	}}, ".")
	var got []string
	for _, e := range walk(t, src)[1:] {
		name := string(e.Path)
		if e.Kind == format.Directory {
			name += "/"
		}
		got = append(got, name)
	}
	want := slices.DeleteFunc(slices.Clone(excludeTree), func(name string) bool {
		return slices.ContainsFunc(out, func(o string) bool {
			return name == o || strings.HasSuffix(o, "/") && strings.HasPrefix(name, o)
		})
	})
	slices.SortFunc(want, func(a, b string) int {
		return format.Compare(format.Path(strings.TrimSuffix(a, "/")), format.Path(strings.TrimSuffix(b, "/")))
	})
	equal(t, got, want)
	slices.Sort(told)
	for i := range out {
		out[i] = strings.TrimSuffix(out[i], "/")
	}
	slices.Sort(out)
	equal(t, told, out)
	if n := src.Totals().Excluded; n != int64(len(out)) {
		t.Errorf("%d counted", n)
	}
	equal(t, alarms.take(""), nil)
}

func TestRootsAreNotExcluded(t *testing.T) {
	dir := makeTree(t, "tmp/tmp", "tmp/a")
	t.Chdir(dir)
	src, _ := local(t, source.Options{Exclude: []string{"tmp", "/*"}}, "tmp")
	equal(t, pathsBelow(t, src, "tmp"), []string{"a"})
}

func TestParseExcludes(t *testing.T) {
	got, err := source.ParseExcludes(strings.NewReader("# comment\n\n*.o\r\n  \n!keep.o  \n\\#odd\n/home/me/tmp/\nwith\\ "))
	must(t, err)
	equal(t, got, []string{"*.o", "!keep.o", `\#odd`, "/home/me/tmp/", `with\ `})
	for text, line := range map[string]int{"a\n[": 2, "!": 1, "\n\n/": 3, "a/[b": 1, "{a": 1, "!//": 1} {
		_, err := source.ParseExcludes(strings.NewReader(text))
		var bad *source.PatternError
		if !errors.As(err, &bad) || bad.Line != line {
			t.Errorf("%q: %v", text, err)
		}
	}
	_, err = source.Local([]string{"."}, source.Options{Exclude: []string{"a", "["}})
	if !errors.Is(err, doublestar.ErrBadPattern) {
		t.Errorf("a bad pattern: %v", err)
	}
}

const cacheTag = "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag.\n"

func TestCacheDirectoriesKeepTheirTag(t *testing.T) {
	dir := makeTree(t, "true/a", "true/b/c", "true/CACHEDIR.TAG/", "false/CACHEDIR.TAG", "false/a", "link/CACHEDIR.TAG -> ../tag", "link/a",
		"short/CACHEDIR.TAG", "short/a", "dir/CACHEDIR.TAG/x")
	must(t, removeAndWrite(dir+"/true/CACHEDIR.TAG", cacheTag))
	must(t, removeAndWrite(dir+"/tag", cacheTag))
	must(t, removeAndWrite(dir+"/short/CACHEDIR.TAG", cacheTag[:42]))
	for _, bytes := range []int64{0, 1} {
		var told []string
		src, alarms := local(t, source.Options{ExcludeCaches: true, MaxNameBytes: bytes, Skipped: func(p format.Path, why source.Why) {
			told = append(told, string(p)+" "+why.Reason.String())
		}}, dir)
		equal(t, pathsBelow(t, src, dir), []string{
			"dir/", "false/", "link/", "short/", "tag", "true/",
			"dir/CACHEDIR.TAG/", "dir/CACHEDIR.TAG/x", "false/CACHEDIR.TAG", "false/a", "link/CACHEDIR.TAG", "link/a",
			"short/CACHEDIR.TAG", "short/a", "true/CACHEDIR.TAG",
		})
		equal(t, told, []string{dir[1:] + "/true cache directory"})
		if n := src.Totals().CacheDirectories; n != 1 {
			t.Errorf("%d counted", n)
		}
		equal(t, alarms.take(dir), nil)
	}
	src, _ := local(t, source.Options{}, dir+"/true")
	equal(t, pathsBelow(t, src, dir+"/true"), []string{"CACHEDIR.TAG", "a", "b/", "b/c"})
}
