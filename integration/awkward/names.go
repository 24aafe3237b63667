package awkward

import "strings"

// oddNames are names that shells, terminals, tar, globs and careless code stumble over.
func oddNames() []string {
	return []string{
		"-", "--", "-rf", "--delete", "-n", "~", "~root", "~x", "#", "#x#", "x~", " ", "  two  ", "trailing ", " leading",
		"\t", "\n", "\n\n", "line\nbreak", "\r", "a\r\nb", "\x01", "\x7f", "\x1b[31mred\x1b[0m", "\a\b",
		`\`, `a\b`, `\n`, `\000`, `\\`, "'", "''", `"`, "`id`", "$(id)", "$HOME", "${x}", "%s%n", "%2f", "%00", "&", "&&", ";", "|",
		">", "<", "*", "**", "?", "[a]", "[", "]", "{a,b}", "{", "}", "!", "!x", "^", "=", "a=b", ":", "a:b", "host:file", "@", "@x",
		",", "+", "(", ")", "...", "....", "..x", "x..", "x.", ".hidden", ".-", "..-", ". ", ".. ", " .", "0", "00", "-1", "1e9",
		"con", "nul", "COM1", "a?b", "x.lnk", "lost+found", ".nfs0001", ".Trash", ".git", "desktop.ini",
		"\u202egpj.exe", "\ufeffbom", "\u200bzero", "\u2028", "\u00a0", "x", "日本語", "עברית", "𝄞", "👩‍👩‍👧", "ﬁ",
		"\xff", "\xfe\xff", "\xc0\xaf", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4", "caf\xe9", "\x80", "a\xffb", "\xef\xbf\xbd",
	}
}

// foldedNames are groups of names of which some system takes all for one.
func foldedNames() []string {
	return []string{
		"case", "Case", "CASE", "cASE", "straße", "strasse", "STRASSE", "istanbul", "İstanbul", "ISTANBUL", "ıstanbul",
		"\u00e9", "e\u0301", "\u00c9", "\u00c5", "A\u030a", "\u212b", "ﬁn", "fin", "\u03a9", "\u2126", "\u03ac", "\u1f71", "\ud55c", "\u1112\u1161\u11ab",
		"σ", "ς", "Σ", "a.", "a", "a ",
	}
}

// reservedNames are names that tar programs or Dura use for their own ends.
func reservedNames() []string {
	return []string{
		"x.dura-part", "x.dura-part.dura-part", ".dura-part", ".dura-restore", ".dura-restore-0", ".dura-restore.tmp", ".dura",
		"DURA-ARCHIVE", "dura.proto", "000000.tar.zst", "000000.hunk.zst", "2026-11-23-101500-4f2a9c", "2026-11-23-101500-4f2a9c.tail",
		"PaxHeader", "PaxHeaders", "PaxHeaders.0", "@PaxHeader", "@LongLink", "GNUSparseFile.0", "pax_global_header",
		"SCHILY.xattr.user.x", "._appledouble", ".DS_Store", ".rsync-filter", ".x.Ab12Cd", "CACHEDIR.TAG.", ".nobackup",
	}
}

// longNames are names around the limits of file systems, 255 bytes, and of tar headers, 100 bytes.
func longNames() []string {
	list := []string{strings.Repeat("é", 127) + "x", strings.Repeat("日", 85), strings.Repeat("\xff", 255), strings.Repeat(" ", 255),
		strings.Repeat(".", 255), strings.Repeat("\n", 255), "-" + strings.Repeat("x", 254)}
	for _, size := range []int{98, 99, 100, 101, 154, 155, 156, 254, 255} {
		list = append(list, strings.Repeat("n", size-4)+".end")
	}
	return list
}
