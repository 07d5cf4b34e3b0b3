package task

import (
	"strings"
	"testing"
)

func TestMatchGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, yes, no string // paths, separated by blanks
	}{
		{"*.md", "a.md x/y/a.md .md", "a.mdx md"},
		{"vendor", "vendor vendor/a/b.go x/vendor/c", "vendors x/avendor"},
		{"docs/*.txt", "docs/a.txt", "a.txt docs/x/a.txt x/docs/a.txt"},
		{"docs/**", "docs/a docs/x/y docs", "x/docs/a docsx/a"},
		{"docs/**/*.txt", "docs/a.txt docs/x/a.txt docs/x/y/a.txt", "docs/a.md a.txt"}, // "**" stands for no directory, too
		{"**/docs", "docs docs/a x/docs x/y/docs/a", "xdocs"},
		{"**/x/**/y", "x/y a/x/y a/x/b/c/y a/x/b/y/z", "y/x x/yy"},
		{"**", "a a/b", ""},
		{"a/b", "a/b a/b/c", "b x/a/b a"},
		{"[a-c]?/x", "b1/x", "d1/x b/x"},
		{"*", "a a/b ü/ß", ""},
		{"a**b", "ab axxb", "a/b"}, // within a name "**" is "*"
	} {
		if !goodGlob(c.pattern) {
			t.Errorf("%q is refused", c.pattern)
		}
		for want, paths := range map[bool]string{true: c.yes, false: c.no} {
			for p := range strings.FieldsSeq(paths) {
				if matchGlob(c.pattern, p) != want {
					t.Errorf("%q matches %q: %v, want %v", c.pattern, p, !want, want)
				}
			}
		}
	}
}
