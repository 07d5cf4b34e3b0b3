package task

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func sources(texts map[string]string) []source {
	var files []source
	for p, text := range texts {
		files = append(files, source{describe(p, []byte(text)), []byte(text)})
	}
	slices.SortFunc(files, func(a, b source) int { return strings.Compare(a.file.Path, b.file.Path) })
	return files
}

// familiesOf writes the families of more than one file, as in "a b, c d e".
func familiesOf(texts map[string]string, name func(string) string) string {
	files := sources(texts)
	members := make([][]string, len(files))
	for i, r := range families(files, name) {
		members[r] = append(members[r], files[i].file.Path)
	}
	var out []string
	for _, m := range members {
		if len(m) > 1 {
			out = append(out, strings.Join(m, " "))
		}
	}
	return strings.Join(out, ", ")
}

func noName(string) string { return "" }

func TestFamilies(t *testing.T) {
	a, b, licence := prose(1, 4000), prose(2, 4000), prose(3, 1500)
	for name, c := range map[string]struct {
		texts map[string]string
		want  string
	}{
		"strangers":         {map[string]string{"a": a, "b": b}, ""},
		"copies":            {map[string]string{"a": a, "b": b, "c": a}, "a c"},
		"short copies":      {map[string]string{"a": "x", "b": "x", "c": "y"}, "a b"},
		"two short texts":   {map[string]string{"a": licence[:180] + "x", "b": licence[:180] + "y"}, ""}, // their windows are left out
		"a part":            {map[string]string{"a": a, "b": b + a[1000:2500]}, "a b"},
		"a short part":      {map[string]string{"a": a, "b": b + a[1000:1060]}, ""},
		"from file to file": {map[string]string{"a": a, "b": a[2000:] + b[:2000], "c": b}, "a b c"},
		"other line ends":   {map[string]string{"a": a, "b": strings.ReplaceAll(a, "\n", "\r\n")}, "a b"},
		"indented":          {map[string]string{"a": a, "b": strings.ReplaceAll(a, "\n", "\n\t\t")}, "a b"},
		"other line breaks": {map[string]string{"a": a, "b": strings.ReplaceAll(a, " ", "\n")}, "a b"},
		"a byte order mark": {map[string]string{"a": a, "b": "\xef\xbb\xbf" + a}, "a b"},
		"one line":          {map[string]string{"a": strings.ReplaceAll(a, "\n", ""), "b": a}, "a b"},
		"one word changed":  {map[string]string{"a": a, "b": strings.ReplaceAll(a, "q", "k")}, "a b"},
	} {
		if got := familiesOf(c.texts, noName); got != c.want {
			t.Errorf("%s: families are %q, want %q", name, got, c.want)
		}
	}
	// A licence in many files makes no family, and fifty changed copies of one file are one all the same.
	texts := map[string]string{}
	var want []string
	for i := range 50 {
		texts[fmt.Sprintf("x%02d", i)] = licence + prose(uint64(100+i), 9000)
		copied := fmt.Sprintf("y%02d", i)
		texts[copied] = licence + a + prose(uint64(200+i), 500)
		want = append(want, copied)
	}
	if got := familiesOf(texts, noName); got != strings.Join(want, " ") {
		t.Errorf("families are %q, want the fifty copies", got)
	}
}

func TestGoFamily(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"syscall/zerrors_linux_amd64.go", "syscall/zerrors_darwin_arm64.go", true},
		{"syscall/zerrors_linux_amd64.go", "syscall/ztypes_linux_amd64.go", false},
		{"syscall/zerrors_linux_amd64.go", "internal/syscall/zerrors_linux_amd64.go", false},
		{"unicode/norm/tables9.0.0.go", "unicode/norm/tables15.0.0.go", true},
		{"fmt/print.go", "fmt/print_test.go", true},
		{"fmt/print.go", "fmt/printer.go", false},
		{"go/token/token.go", "go/token/token_string.go", true},
		{"runtime/defs1_linux.go", "runtime/defs2_linux.go", true},
		{"a/b.go", "a/b/c.go", false},
	} {
		if got := goFamily(c.a) == goFamily(c.b); got != c.same {
			t.Errorf("%s and %s are of one family: %v, want %v", c.a, c.b, got, c.same)
		}
		texts := map[string]string{c.a: prose(1, 500), c.b: prose(2, 500)}
		if got := familiesOf(texts, goFamily) != ""; got != c.same {
			t.Errorf("families puts %s and %s together: %v, want %v", c.a, c.b, got, c.same)
		}
	}
}

// Families stay whole, fill 5 % each of valid and test, and go where they go whatever the order of the files' bytes.
func TestSplitFamilies(t *testing.T) {
	texts := map[string]string{"large": prose(999, 30_000)} // a tenth of all: only train has room
	for i := range 300 {
		texts[fmt.Sprintf("%03d", i)] = prose(uint64(i), 500+i%7*200)
	}
	files := sources(texts)
	roots := make([]int, len(files))
	for i := range roots {
		roots[i] = i - i%3
	}
	splitFamilies(files, roots)
	size, total := map[string]int{}, 0
	for i, f := range files {
		if f.file.Split != files[roots[i]].file.Split {
			t.Errorf("%s is in %s, its family in %s", f.file.Path, f.file.Split, files[roots[i]].file.Split)
		}
		size[f.file.Split] += len(f.data)
		total += len(f.data)
	}
	for _, s := range []string{"valid", "test"} {
		if p := 100 * float64(size[s]) / float64(total); p > 5 || p < 4.5 {
			t.Errorf("%s has %.2f %% of the bytes", s, p)
		}
	}
	if last := files[len(files)-1]; last.file.Path != "large" || last.file.Split != "train" {
		t.Errorf("%s is in %s", last.file.Path, last.file.Split)
	}
}
