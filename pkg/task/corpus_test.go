package task

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

func TestGoSourceManifest(t *testing.T) {
	root := goTree(t, 200)
	x := mustNew(t, Config{Name: GoSource, Path: root, Length: 16, Batch: 2, EvalBatches: 1}, 1)
	m := ManifestOf(x)
	if m.Corpus != GoSource || m.Root != root || m.Version != "go9.99" || len(m.Files) != 200 || m.Split != ByFamily || m.Skipped != nil {
		t.Fatalf("manifest is %+v", m)
	}
	if !slices.IsSortedFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) }) {
		t.Error("files are not sorted by path")
	}
	want := [3][]byte{}
	for _, f := range m.Files {
		data, err := os.ReadFile(filepath.Join(root, "src", filepath.FromSlash(f.Path)))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); f.SHA256 != hex.EncodeToString(sum[:]) || f.Bytes != int64(len(data)) {
			t.Errorf("%s: size or SHA-256 is wrong", f.Path)
		}
		i := slices.Index(splitNames[:], f.Split)
		want[i] = append(want[i], data...)
	}
	c := x.(*textTask).corpus
	for i, name := range splitNames {
		if !bytes.Equal(c.splits[i], want[i]) {
			t.Errorf("%s is not its files one after the other", name)
		}
		if bytes.Contains(c.splits[i], []byte("LEFTOUT")) {
			t.Errorf("%s holds a file that go-source leaves out", name)
		}
	}
	sizes := [3]int{len(want[0]), len(want[1]), len(want[2])}
	if got := [3]int{int(m.TrainBytes), int(m.ValidBytes), int(m.TestBytes)}; got != sizes {
		t.Errorf("byte counts are %d, want %d", got, sizes)
	}
	total := sizes[0] + sizes[1] + sizes[2]
	for _, i := range []int{valid, test} {
		if p := 100 * float64(sizes[i]) / float64(total); p < 4 || p > 5 { // a file is half a percent
			t.Errorf("%s has %.1f %% of the bytes, want at most 5 and nearly so", splitNames[i], p)
		}
	}
	line := fmt.Sprintf("go-source go9.99: 200 files, %d bytes train, %d valid, %d test, overlap with training valid 0.0 %%, test 0.0 %%, sha256 %s…",
		sizes[0], sizes[1], sizes[2], m.SHA256[:12])
	if m.String() != line {
		t.Errorf("String() = %q, want %q", m, line)
	}
}

func TestDigestSeesEveryChange(t *testing.T) {
	root := goTree(t, 200)
	digest := func() string {
		return ManifestOf(mustNew(t, Config{Name: GoSource, Path: root, Length: 4, Batch: 1, EvalBatches: 1}, 1)).SHA256
	}
	first := digest()
	if digest() != first || len(first) != 64 {
		t.Fatalf("digest %q is not stable", first)
	}
	extra := writeFile(t, filepath.Join(root, "src", "new.go"), "package new\n")
	added := digest()
	writeFile(t, extra, "package now\n")
	changed := digest()
	if err := os.Rename(extra, filepath.Join(root, "src", "now.go")); err != nil {
		t.Fatal(err)
	}
	renamed := digest()
	all := []string{first, added, changed, renamed}
	slices.Sort(all)
	if len(slices.Compact(all)) != 4 {
		t.Error("adding, changing or renaming a file left the digest as it was")
	}
	cfg := Config{Name: GoSource, Path: root, Length: 4, Batch: 1, EvalBatches: 1, Digest: renamed}
	mustNew(t, cfg, 1)
	cfg.Digest = first
	wantError(t, cfg, "has digest "+renamed+", want "+first)
	if err := os.Rename(root, root+"x"); err != nil {
		t.Fatal(err)
	}
	root += "x"
	if digest() != renamed {
		t.Error("the digest depends on where the corpus is")
	}
}

// The real thing, as this toolchain has it.
func TestRealGoSource(t *testing.T) {
	x, err := New(DefaultConfig(GoSource), 1)
	if err != nil {
		t.Skipf("no Go source tree here: %v", err) // a toolchain always has one; a bare test binary may not
	}
	m := ManifestOf(x)
	total := float64(m.TrainBytes + m.ValidBytes + m.TestBytes)
	if total < 20e6 || float64(m.TrainBytes) < 0.8*total || float64(m.ValidBytes) < 0.02*total || float64(m.TestBytes) < 0.02*total {
		t.Errorf("unexpected sizes: %v", m)
	}
	for _, f := range m.Files {
		if strings.HasPrefix(f.Path, "cmd/") || strings.Contains("/"+f.Path, "/testdata/") || !strings.HasSuffix(f.Path, ".go") {
			t.Errorf("%s is in the corpus", f.Path)
		}
	}
	funcs := 0
	for i := range 64 {
		b, _ := x.Eval("valid", i)
		funcs += bytes.Count(asBytes(b.Tokens), []byte("func "))
	}
	if funcs < 10 { // go1.26.8 has 79 of them there; sparse enough to allow for other releases
		t.Errorf("%d times func in 65,536 bytes of Go", funcs)
	}
}

func asBytes(tokens []int32) []byte {
	s := make([]byte, len(tokens))
	for i, v := range tokens {
		s[i] = byte(v)
	}
	return s
}

func TestTextIsCutPerFile(t *testing.T) {
	dir := t.TempDir()
	a := writeFile(t, filepath.Join(dir, "a", "x.txt"), strings.Repeat("a", 90)+"bbbbb"+"ccccc")
	writeFile(t, filepath.Join(dir, "a.txt"), strings.Repeat("é", 90)+strings.Repeat("v", 10)+strings.Repeat("\xe9", 10)) // é in Latin-1
	writeFile(t, filepath.Join(dir, ".hidden"), "LEFTOUT")
	writeFile(t, filepath.Join(dir, ".git", "config"), "LEFTOUT")
	writeFile(t, filepath.Join(dir, "empty"), "")
	if err := os.Symlink(a, filepath.Join(dir, "link")); err != nil {
		t.Log("no symbolic links here:", err)
	}
	x := mustNew(t, Config{Name: Text, Path: dir, Length: 4, Batch: 2, EvalBatches: 100}, 1)
	c := x.(*textTask).corpus
	for i, want := range []string{
		strings.Repeat("é", 90) + strings.Repeat("a", 90),
		strings.Repeat("v", 10) + "bbbbb",
		strings.Repeat("\xe9", 10) + "ccccc",
	} {
		if string(c.splits[i]) != want {
			t.Errorf("%s is %q, want %q", splitNames[i], c.splits[i], want)
		}
	}
	var paths []string
	for _, f := range c.manifest.Files {
		paths = append(paths, f.Path+" "+f.Split)
	}
	if got := strings.Join(paths, ", "); got != "a.txt cut, a/x.txt cut, empty cut" {
		t.Errorf("files are %s", got)
	}
	one := mustNew(t, Config{Name: Text, Path: a, Length: 4, Batch: 2, EvalBatches: 100}, 1)
	if m := ManifestOf(one); m.TrainBytes != 90 || m.ValidBytes != 5 || m.TestBytes != 5 || m.Files[0].Path != "x.txt" {
		t.Errorf("one file: %+v", m)
	}
}

// Targets are the next bytes; evaluation windows are whole, do not overlap and spread over the split.
func TestWindows(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "count"), string(counting(40_000)))
	cfg := Config{Name: Text, Path: path, Length: 7, Batch: 4, EvalBatches: 1000, EvalLengths: []int{50}}
	x := mustNew(t, cfg, 1)
	for _, split := range x.Spec().Splits {
		size, base := 2000, map[bool]int{true: 36_000, false: 38_000}[split == "valid"]
		var starts []int
		for i := 0; ; i++ {
			b, ok := x.Eval(split, i)
			if !ok {
				break
			}
			for row := range b.B {
				starts = append(starts, windowStart(t, b, row)-base)
			}
		}
		length := map[bool]int{true: 50, false: 7}[split == "test@50"]
		for k, s := range starts {
			if s != k*length {
				t.Fatalf("%s: window %d starts at %d, want %d", split, k, s, k*length)
			}
		}
		if want := (size - 1) / length; len(starts) != want {
			t.Errorf("%s: %d windows, want all %d", split, len(starts), want)
		}
	}
}

func TestFewWindowsSpreadOverTheSplit(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "count"), string(counting(40_000)))
	cfg := Config{Name: Text, Path: path, Length: 7, Batch: 4, EvalBatches: 3} // 12 of the 285 windows
	x := mustNew(t, cfg, 1)
	var starts []int
	for i := range 3 {
		b, _ := x.Eval("test", i)
		for row := range b.B {
			starts = append(starts, (windowStart(t, b, row)-38_000)/7)
		}
	}
	if want := []int{0, 23, 47, 71, 95, 118, 142, 166, 190, 213, 237, 261}; !slices.Equal(starts, want) { // ⌊k·285/12⌋
		t.Errorf("windows %v, want %v", starts, want)
	}
}

func TestTrainingWindowsStartAnywhere(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "count"), string(counting(40_000)))
	x := mustNew(t, Config{Name: Text, Path: path, Length: 7, Batch: 4, EvalBatches: 3}, 1)
	counts := map[int32]int{}
	for step := range 2000 {
		b := x.Train(step)
		for row := range b.B {
			counts[int32(windowStart(t, b, row)*10/(36_000-7))]++
		}
	}
	testUniform(t, "tenth of the split where a training window starts", counts, 0, 9)
}

// counting returns n bytes of which any seven in a row say where they are: two-byte numbers, each followed by 0xff.
func counting(n int) []byte {
	var data []byte
	for i := 0; len(data) < n; i++ {
		data = append(data, byte(i/128), byte(i%128), 0xff)
	}
	return data[:n]
}

// windowStart finds the offset of a window in counting and checks that it and its targets are what stands there.
func windowStart(t *testing.T, b *Batch, row int) int {
	t.Helper()
	x, y := asBytes(b.Tokens[row*b.L:(row+1)*b.L]), asBytes(b.Targets[row*b.L:(row+1)*b.L])
	mark := bytes.IndexByte(x, 0xff)
	after := x[mark+1:]
	start := (int(after[0])*128+int(after[1]))*3 - mark - 1
	if all := counting(start + len(x) + 1); !bytes.Equal(all[start:start+len(x)], x) || !bytes.Equal(all[start+1:], y) {
		t.Fatalf("window at %d is %v, targets %v", start, x, y)
	}
	return start
}

// The three splits share no byte: every window lies within its own part of the file.
func TestSplitsAreDisjoint(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "count"), string(counting(40_000)))
	x := mustNew(t, Config{Name: Text, Path: path, Length: 9, Batch: 8, EvalBatches: 50}, 1)
	inside := func(name string, b *Batch, lo, hi int) {
		for row := range b.B {
			if s := windowStart(t, b, row); s < lo || s+b.L+1 > hi {
				t.Fatalf("%s: window %d…%d outside %d…%d", name, s, s+b.L+1, lo, hi)
			}
		}
	}
	for i := range 25 {
		inside("train", x.Train(i), 0, 36_000)
		b, _ := x.Eval("valid", i)
		inside("valid", b, 36_000, 38_000)
		b, _ = x.Eval("test", i)
		inside("test", b, 38_000, 40_000)
	}
}

func TestText8Splits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text8")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, mark := range []struct {
		at   int64
		text string
	}{{0, "T"}, {90_000_000 - 1, "tV"}, {95_000_000 - 1, "vS"}, {100_000_000 - 1, "s"}} { // the rest is a hole: no disk
		if _, err := f.WriteAt([]byte(mark.text), mark.at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []Name{Text8, Enwik8} {
		x := mustNew(t, Config{Name: name, Path: file, Length: 16, Batch: 2, EvalBatches: 2}, 1)
		c := x.(*textTask).corpus
		var ends string
		for i, n := range []int{90_000_000, 5_000_000, 5_000_000} {
			if len(c.splits[i]) != n {
				t.Fatalf("%s has %d bytes, want %d", splitNames[i], len(c.splits[i]), n)
			}
			ends += string(c.splits[i][0]) + string(c.splits[i][n-1])
		}
		if ends != "TtVvSs" || x.Spec().Metric != BitsPerByte {
			t.Errorf("%s: split ends are %q, metric %s", name, ends, x.Spec().Metric)
		}
	}
}

func wantError(t *testing.T, c Config, want string) {
	t.Helper()
	_, err := New(c, 1)
	if err == nil || !strings.Contains(err.Error(), want) ||
		!strings.HasPrefix(err.Error(), "task "+string(c.Name)+": ") {
		t.Errorf("%+v: error is %v, want %q in it", c, err, want)
	}
}

func TestBadCorpora(t *testing.T) {
	dir := t.TempDir()
	base := Config{Length: 16, Batch: 2, EvalBatches: 1}
	with := func(name Name, path string) Config {
		c := base
		c.Name, c.Path = name, path
		return c
	}
	none, small := filepath.Join(dir, "none"), writeFile(t, filepath.Join(dir, "small", "file"), "twenty bytes of text")
	empty := filepath.Join(dir, "empty")
	if err := os.MkdirAll(filepath.Join(empty, "src"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []Name{Text, Text8, Enwik8} {
		wantError(t, with(name, none), fmt.Sprintf("path is %q: no such file or directory", none))
	}
	wantError(t, with(Text8, small), fmt.Sprintf("path is %q with 20 bytes, want 100000000: give the unpacked file text8", small))
	wantError(t, with(Enwik8, dir), "a directory, want the unpacked file enwik8 of 100000000 bytes")
	wantError(t, with(Text, small), `the valid split of`)
	wantError(t, with(Text, filepath.Dir(small)), `has 1 bytes, want more than the length 16: give a larger corpus or a smaller length`)
	wantError(t, with(Text, empty), "has no files to read")
	wantError(t, with(Text, os.DevNull), "not a regular file")
	wantError(t, with(GoSource, none), "has no directory src, want the GOROOT directory")
	wantError(t, with(GoSource, empty), "has no files to read")
	unreadable := writeFile(t, filepath.Join(dir, "secret", "file"), strings.Repeat("x", 1000))
	if err := os.Chmod(unreadable, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(unreadable); err != nil { // root reads everything
		wantError(t, with(Text, unreadable), "permission denied")
		wantError(t, with(Text, filepath.Dir(unreadable)), `file "file": permission denied`)
	}
	huge := filepath.Join(dir, "huge", "file")
	writeFile(t, huge, "")
	if err := os.Truncate(huge, maxCorpus+1); err == nil { // a hole: no disk
		wantError(t, with(Text, huge), "the most that is read into memory")
		wantError(t, with(Text, filepath.Dir(huge)), "the most that is read into memory")
	}
}

// brokenFS is a tree in which one file can't be read.
type brokenFS struct {
	fstest.MapFS
	bad string
}

func (b brokenFS) Open(name string) (fs.File, error) {
	if name == b.bad {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.MapFS.Open(name)
}

func (b brokenFS) ReadFile(name string) ([]byte, error) {
	if name == b.bad {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrPermission}
	}
	return b.MapFS.ReadFile(name)
}

func (b brokenFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == b.bad {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrPermission}
	}
	return b.MapFS.ReadDir(name)
}

// What TestBadCorpora can't show when it runs as root.
func TestUnreadableParts(t *testing.T) {
	tree := fstest.MapFS{"a/b": {Data: []byte("x")}, "c": {Data: []byte("y")}}
	for bad, want := range map[string]string{
		"c": `path is "/r": file "c": permission denied; hint: --set task.exclude=PATTERN leaves files out`,
		"a": `path is "/r": "a": permission denied; hint: --set task.exclude=PATTERN leaves files out`,
	} {
		cfg := Config{Name: Text, Path: "/r"}
		if _, err := readText(cfg, brokenFS{tree, bad}); err == nil || err.Error() != want {
			t.Errorf("%s: error is %v, want %s", bad, err, want)
		}
		cfg.Exclude = []string{bad}
		if c, err := readText(cfg, brokenFS{tree, bad}); err != nil || len(c.manifest.Files) != 1 {
			t.Errorf("%s: still refused when excluded: %v", bad, err)
		}
	}
}

func TestGoSourceWithoutGo(t *testing.T) {
	t.Setenv("GOROOT", "")
	t.Setenv("PATH", t.TempDir())
	cfg := DefaultConfig(GoSource)
	wantError(t, cfg, "no Go source tree: GOROOT is not set")
	wantError(t, cfg, "hint: install Go, or set path to a directory that holds its src/")
	root := goTree(t, 200)
	t.Setenv("GOROOT", root)
	cfg.Length = 16
	if m := ManifestOf(mustNew(t, cfg, 1)); m.Root != root {
		t.Errorf("read %s, want GOROOT %s", m.Root, root)
	}
}

// A cache reads once, also when many ask at once, and does not keep a failure.
func TestCache(t *testing.T) {
	path := textFile(t, 40_000)
	cfg := Config{Name: Text, Path: path, Length: 16, Batch: 2, EvalBatches: 1}
	cache := NewCache()
	var wg sync.WaitGroup
	tasks := make([]Task, 8)
	for i := range tasks {
		wg.Go(func() {
			x, err := cache.New(cfg, uint64(i))
			if err != nil {
				t.Error(err)
				return
			}
			tasks[i] = x
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, x := range tasks {
		if x.(*textTask).corpus != tasks[0].(*textTask).corpus {
			t.Fatal("the corpus was read more than once")
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.New(cfg, 9); err != nil {
		t.Errorf("not from the cache: %v", err)
	}
	fresh := NewCache()
	if _, err := fresh.New(cfg, 1); err == nil {
		t.Error("a fresh cache found a file that is gone")
	}
	writeFile(t, path, string(counting(4000)))
	if _, err := fresh.New(cfg, 1); err != nil {
		t.Errorf("the failure was kept: %v", err)
	}
}

func TestManifestOfGenerated(t *testing.T) {
	if m := ManifestOf(mustNew(t, DefaultConfig(Parity), 1)); m != nil {
		t.Errorf("parity has a manifest: %v", m)
	}
}
