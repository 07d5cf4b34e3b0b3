package task

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

func TestNoText(t *testing.T) {
	noise := make([]byte, 200) // as in an encrypted file too short to hold a zero
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range noise {
		noise[i] = byte(1 + rng.IntN(255))
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":                     {"", ""},
		"ASCII":                     {"plain text\n", ""},
		"UTF-8":                     {strings.Repeat("ü€𝛼", 99), ""},
		"byte order mark":           {"\xef\xbb\xbfText\n", ""},
		"carriage returns":          {"a\r\nb\rc\n", ""},
		"Unicode line breaks":       {"a\u2028b\u2029c\u0085d\f", ""},
		"a letter over byte 8192":   {strings.Repeat("x", 8191) + "€", ""},
		"French in Latin-1":         {strings.Repeat("\xe9t\xe9 fran\xe7ais, d\xe9j\xe0 vu et voil\xe0; ", 9), ""},
		"a broken letter":           {strings.Repeat("text ", 99) + "\xe2\x82", ""},
		"gzip":                      {zipped(prose(1, 5000)), skipBinary},
		"PNG":                       {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", skipBinary},
		"a zero at the end":         {strings.Repeat("text ", 9999) + "\x00", skipBinary},
		"UTF-16, little":            {"\xff\xfeT\x00e\x00x\x00t\x00", skipUTF16},
		"UTF-16, big":               {"\xfe\xff\x00T\x00e", skipUTF16},
		"UTF-16 without a mark":     {"T\x00e\x00x\x00t\x00", skipBinary},
		"noise":                     {string(noise), skipBinary},
		"Russian in KOI8-R":         {strings.Repeat("\xd2\xd5\xd3\xd3\xcb\xc9\xca \xd1\xda\xd9\xcb ", 9), skipBinary},
		"just below the share":      {strings.Repeat("\xff", 30) + strings.Repeat("x", 70), ""},
		"just above it":             {strings.Repeat("\xff", 31) + strings.Repeat("x", 69), skipBinary},
		"a letter with one bad end": {strings.Repeat("x", 97) + "\xf0\x9f\x98", ""},
	} {
		if got := noText([]byte(c.text)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Everything below the directory is either a file of the corpus or counted with its reason.
func TestSkippedIsCounted(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	tree := fstest.MapFS{
		"a.txt":              file("text"),
		"empty.txt":          file(""),
		"docs/deep/b.md":     file("mark"),
		"docs/x.png":         file("\x89PNG\x00"),
		"docs/y.gz":          file(zipped("y")),
		"docs/wide.txt":      file("\xff\xfew\x00"),
		".git/config":        file("hidden"),
		"docs/.notes.txt":    file("hid"),
		"link":               {Mode: fs.ModeSymlink, Data: []byte("a.txt")},
		"pipe":               {Mode: fs.ModeNamedPipe},
		"disk":               {Mode: fs.ModeDevice},
		"vendor/c.txt":       file("not ours"),
		"docs/vendor/d.txt":  file("nor that"),
		"code.go":            file("package x"),
		"draft-1/part/a.txt": file("draft"),
		"odd\n\"name\".txt":  file("odd"),
	}
	cfg := Config{Name: Text, Path: "/r", Include: []string{"*.txt", "docs/**", "link", "pipe", "disk"}, Exclude: []string{"vendor", "draft-*/part/**"}}
	c, err := readText(cfg, tree)
	if err != nil {
		t.Fatal(err)
	}
	want := []Skipped{
		{skipUTF16, 1, 4, "docs/wide.txt"},
		{skipBinary, 2, 5 + int64(len(zipped("y"))), "docs/x.png"},
		{skipExcluded, 3, 0, "docs/vendor"},
		{skipHidden, 2, 3, ".git"},
		{skipOdd, 2, 0, "disk"},
		{skipOther, 1, 9, "code.go"},
		{skipLink, 1, 0, "link"},
	}
	slices.SortFunc(want, func(a, b Skipped) int { return strings.Compare(a.Reason, b.Reason) })
	if !reflect.DeepEqual(c.manifest.Skipped, want) {
		t.Errorf("skipped are %+v\nwant %+v", c.manifest.Skipped, want)
	}
	var read []string
	for _, f := range c.manifest.Files {
		read = append(read, f.Path)
	}
	if want := []string{"a.txt", "docs/deep/b.md", "empty.txt", "odd\n\"name\".txt"}; !slices.Equal(read, want) {
		t.Errorf("read %q, want %q", read, want)
	}
	const line = `skipped 12: 1 UTF-16, want UTF-8 (4 bytes: "docs/wide.txt"); 2 binary`
	if got := c.manifest.skippedLine(); !strings.HasPrefix(got, line) || strings.Contains(got, "\n") {
		t.Errorf("%q, want it to begin with %q", got, line)
	}
	if s := c.manifest.String(); !strings.Contains(s, "4 files, ") || !strings.Contains(s, ", 12 skipped, ") {
		t.Errorf("String() = %q", s)
	}
	cfg.Include = []string{"nothing"}
	if _, err := readText(cfg, tree); err == nil || !strings.Contains(err.Error(), "has no files to read") ||
		!strings.Contains(err.Error(), "not included") {
		t.Errorf("without any file: error is %v, want it to say what was skipped", err)
	}
}

// A file whose name is no UTF-8 cannot be opened through package io/fs; nor can a directory.
func TestNamesOfOtherEncodings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".corpus") // a hidden root is what its reader asked for
	writeFile(t, filepath.Join(dir, "good.txt"), prose(1, 2000))
	for _, bad := range []string{"caf\xe9.txt", "d\xff/a.txt"} {
		p := filepath.Join(dir, bad)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Skipf("this system has no such names: %v", err)
		}
		if err := os.WriteFile(p, []byte("text"), 0o644); err != nil {
			t.Skipf("this system has no such names: %v", err)
		}
	}
	m := ManifestOf(mustNew(t, Config{Name: Text, Path: dir, Length: 16, Batch: 1, EvalBatches: 1}, 1))
	want := []Skipped{{skipName, 2, 4, "caf\xe9.txt"}}
	if len(m.Files) != 1 || !reflect.DeepEqual(m.Skipped, want) {
		t.Errorf("files %v, skipped %+v, want %+v", m.Files, m.Skipped, want)
	}
	if line := m.Lines()[1]; !strings.Contains(line, `"caf\xe9.txt", …`) {
		t.Errorf("%q does not quote the name", line)
	}
}

// No byte of a text is changed: no mark stripped, no line end made another, nothing put between files.
func TestTextIsKeptAsItIs(t *testing.T) {
	dir := t.TempDir()
	text := "\xef\xbb\xbfone\r\ntwo\rthree\u2029four\n\n  five \x0c\xe9" + prose(1, 40)
	writeFile(t, filepath.Join(dir, "a"), text)
	file := writeFile(t, filepath.Join(dir, "b"), text)
	for path, want := range map[string]string{dir: text[:len(text)*90/100] + text[:len(text)*90/100], file: text[:len(text)*90/100]} {
		c := mustNew(t, Config{Name: Text, Path: path, Length: 1, Batch: 1, EvalBatches: 1}, 1).(*textTask).corpus
		if string(c.splits[train]) != want {
			t.Errorf("train is %q, want %q", c.splits[train], want)
		}
	}
}

// A single file is read whatever it is, for its reader named it, but a reader of the run is told.
func TestSingleBinaryIsNamed(t *testing.T) {
	for content, want := range map[string]string{zipped(prose(1, 5000)): skipBinary, prose(1, 5000): ""} {
		path := writeFile(t, filepath.Join(t.TempDir(), "corpus"), content)
		m := ManifestOf(mustNew(t, Config{Name: Text, Path: path, Length: 16, Batch: 1, EvalBatches: 1}, 1))
		if m.NoText != want || m.Files[0].Bytes != int64(len(content)) {
			t.Errorf("NoText is %q, want %q", m.NoText, want)
		}
		if warned := strings.Contains(strings.Join(m.Lines(), "\n"), `warning: "corpus" is no text (binary)`); warned != (want != "") {
			t.Errorf("warned: %v\n%s", warned, strings.Join(m.Lines(), "\n"))
		}
	}
}

// Few files are cut, many are kept whole.
func TestManyFilesAreKeptWhole(t *testing.T) {
	for n, want := range map[int]string{1: "", 3: "", 10: "", 60: ByFamily, 400: ByFamily} {
		dir := t.TempDir()
		for i := range n {
			writeFile(t, filepath.Join(dir, fmt.Sprint(i%7), fmt.Sprint(i)), prose(uint64(i), 2000))
		}
		m := ManifestOf(mustNew(t, Config{Name: Text, Path: dir, Length: 32, Batch: 2, EvalBatches: 1}, 1))
		if m.Split != want || len(m.Files) != n {
			t.Errorf("%d files are split by %q, want %q", n, m.Split, want)
		}
		for _, f := range m.Files {
			if (f.Split == cut) != (want == "") {
				t.Errorf("%d files: %s is in %s", n, f.Path, f.Split)
			}
		}
		lines := m.Lines()
		if kind := map[bool]string{true: "each cut: ", false: "whole files by family: "}[want == ""]; !strings.Contains(lines[0], kind) {
			t.Errorf("%q does not say %q", lines[0], kind)
		}
	}
	// What is left beside large files fills neither of the small splits, or only one of them.
	for name, c := range map[string]struct{ large, small int }{"neither": {1, 20}, "one": {19, 40}} {
		dir := t.TempDir()
		for i := range c.large {
			writeFile(t, filepath.Join(dir, fmt.Sprint("large", i)), prose(uint64(1000+i), 400_000/c.large))
		}
		for i := range c.small {
			writeFile(t, filepath.Join(dir, fmt.Sprint(i)), prose(uint64(i), 500))
		}
		if m := ManifestOf(mustNew(t, Config{Name: Text, Path: dir, Length: 32, Batch: 2, EvalBatches: 1}, 1)); m.Split != "" {
			t.Errorf("with files that fill %s of valid and test: split as %q", name, m.Split)
		}
	}
}

// A cut corpus has the digest that it always had, so that what was recorded with it can be replayed; go-source as it was
// split before is refused.
func TestDigestsOfEarlierRuns(t *testing.T) {
	path := textFile(t, 5000)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	cfg := Config{Name: Text, Path: path, Length: 16, Batch: 2, EvalBatches: 1}
	cfg.Digest = hash(fmt.Sprintf("%s 5000 cut %q\n", hash(string(data)), "sample.txt"))
	mustNew(t, cfg, 1)

	root := goTree(t, 200)
	cfg = Config{Name: GoSource, Path: root, Length: 16, Batch: 2, EvalBatches: 1}
	m := ManifestOf(mustNew(t, cfg, 1))
	var lines strings.Builder
	for _, f := range m.Files {
		fmt.Fprintf(&lines, "%s %d %s %q\n", f.SHA256, f.Bytes, f.Split, f.Path)
	}
	cfg.Digest = hash(lines.String()) // the same files in the same splits, but another rule
	wantError(t, cfg, "another rule of splitting")
	cfg.Digest = hash("split " + ByFamily + "\n" + lines.String())
	mustNew(t, cfg, 1)
}

// Texts glued together from the same sentences leave nothing to test with, and the error says so.
func TestNothingLeftToEvaluate(t *testing.T) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		var s strings.Builder
		for range 8 {
			s.WriteString(prose(uint64(rng.IntN(100)), 100))
		}
		writeFile(t, filepath.Join(dir, fmt.Sprint(i)), s.String())
	}
	cfg := Config{Name: Text, Path: dir, Length: 250, Batch: 2, EvalBatches: 1}
	wantError(t, cfg, "every window of valid at")
	wantError(t, cfg, "--set task.exclude=PATTERN")
}

func TestPatternsNeedADirectory(t *testing.T) {
	cfg := Config{Name: Text, Path: textFile(t, 5000), Length: 16, Batch: 2, EvalBatches: 1, Include: []string{"*.txt"}}
	wantError(t, cfg, "one file, and include and exclude choose among those of a directory")
}

// Another choice of files is another corpus in the cache.
func TestCacheKnowsPatterns(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "a.txt"), prose(1, 2000))
	writeFile(t, filepath.Join(dir, "b.md"), prose(2, 2000))
	cache := NewCache()
	for _, c := range []struct {
		include, exclude []string
		want             string
	}{{nil, nil, "a.txt b.md"}, {[]string{"*.txt"}, nil, "a.txt"}, {nil, []string{"*.txt"}, "b.md"}} {
		x, err := cache.New(Config{Name: Text, Path: dir, Include: c.include, Exclude: c.exclude, Length: 16, Batch: 2, EvalBatches: 1}, 1)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range ManifestOf(x).Files {
			got = append(got, f.Path)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("include %q, exclude %q: %q, want %q", c.include, c.exclude, got, c.want)
		}
	}
}
