package task

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// The splits of a corpus, and how many of a hundred parts each gets.
const (
	train = iota
	valid
	test
)

var splitNames = [3]string{"train", "valid", "test"}

const (
	cut          = "cut" // the split of a file that is cut into all three
	trainPercent = 90
	validPercent = 5
	testPercent  = 100 - trainPercent - validPercent
)

// maxCorpus keeps a path such as "/" from filling the memory.
const maxCorpus = 2_000_000_000

var errTooLarge = fmt.Errorf("more than %d bytes, which is the most that is read into memory", maxCorpus)

// corpus is the bytes of each split, what they were read from, and what of valid and test stands in train, too. It is
// never written to after it was read.
type corpus struct {
	splits   [3][]byte
	manifest *Manifest
	shared   [3]grams // none of train
}

// wantedPath says what Path must be, for errors.
func wantedPath(name Name) string {
	switch name {
	case GoSource:
		return "GOROOT directory, which holds src/"
	case Text8, Enwik8:
		return fmt.Sprintf("unpacked file %s of %d bytes", name, hutterBytes)
	}
	return "file or directory to read"
}

// readCorpus reads the corpus of a config and looks for what its splits share.
func readCorpus(cfg Config) (*corpus, error) {
	c, err := readSplits(cfg)
	if err == nil {
		c.manifest.seal(&c.splits)
		c.shared[valid], c.shared[test] = sharedGrams(c.splits[train], c.splits[valid], c.splits[test])
	}
	return c, err
}

func readSplits(cfg Config) (*corpus, error) {
	switch cfg.Name {
	case GoSource:
		return readGoSource(cfg.Path)
	case Text8, Enwik8:
		return readCut(cfg.Name, cfg.Path, hutterBytes, hutterTrain, hutterValid)
	}
	info, err := os.Stat(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("path is %q: %w", cfg.Path, plain(err))
	}
	if info.IsDir() {
		return readText(cfg, os.DirFS(cfg.Path))
	}
	if len(cfg.Include)+len(cfg.Exclude) > 0 {
		return nil, fmt.Errorf("path is %q, one file, and include and exclude choose among those of a directory: want none", cfg.Path)
	}
	n := int(min(info.Size(), maxCorpus))
	return readCut(Text, cfg.Path, n, share(n, trainPercent), share(n, validPercent))
}

// text8 and enwik8: 100 MB, of which the first 90 train, 5 validate, the last 5 test (Mahoney's files; the split of
// Al-Rfou et al. 2018 and everyone since).
const (
	hutterBytes = 100_000_000
	hutterTrain = 90_000_000
	hutterValid = 5_000_000
)

// readCut reads one file and cuts it into its first trainBytes, the next validBytes and the rest.
func readCut(name Name, file string, want, trainBytes, validBytes int) (*corpus, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, fmt.Errorf("path is %q: %w", file, plain(err))
	case info.IsDir():
		return nil, fmt.Errorf("path is %q, a directory, want the %s", file, wantedPath(name))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("path is %q, not a regular file, want the %s", file, wantedPath(name))
	case info.Size() > maxCorpus:
		return nil, fmt.Errorf("path is %q: %w", file, errTooLarge)
	case info.Size() != int64(want):
		return nil, fmt.Errorf("path is %q with %d bytes, want %d: give the %s", file, info.Size(), want, wantedPath(name))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("path is %q: %w", file, plain(err))
	}
	if len(data) != want {
		return nil, fmt.Errorf("path is %q: read %d bytes of %d: is somebody writing to it?", file, len(data), want)
	}
	f := describe(filepath.Base(file), data)
	f.Split = cut
	m := &Manifest{Corpus: name, Root: file, Files: []File{f}}
	if name == Text {
		m.NoText = noText(data)
	}
	return &corpus{splits: cutBytes(data, trainBytes, validBytes), manifest: m}, nil
}

// readText reads a directory: whole families to a split if they are many and small enough to fill valid and test by half
// at least, every file cut into the three otherwise.
func readText(cfg Config, tree fs.FS) (*corpus, error) {
	m := &Manifest{Corpus: Text, Root: cfg.Path}
	files, err := m.readTree(tree, sieveText(cfg.Include, cfg.Exclude), noText)
	if err != nil {
		return nil, err
	}
	splitFamilies(files, families(files, func(string) string { return "" }))
	var size [3]int
	total := 0
	for _, f := range files {
		size[slices.Index(splitNames[:], f.file.Split)] += len(f.data)
		total += len(f.data)
	}
	m.Split = ByFamily
	if size[valid] < share(total, validPercent)/2+1 || size[test] < share(total, testPercent)/2+1 {
		m.Split = ""
		for i := range files {
			files[i].file.Split = cut
		}
	}
	return m.join(files), nil
}

const treeHint = "hint: --set task.exclude=PATTERN leaves files out"

// readTree reads every file of a tree that the sieve passes and in whose bytes refuse, nil for none, finds no reason against
// it, in the order of their paths. An unreadable file is an error: a corpus that depends on who reads it is none.
func (m *Manifest) readTree(tree fs.FS, pass sieve, refuse func([]byte) string) ([]source, error) {
	listed, err := m.walk(tree, pass)
	if err != nil {
		return nil, fmt.Errorf("path is %q: %w; %s", m.Root, err, treeHint)
	}
	var files []source
	for _, f := range listed {
		data, err := fs.ReadFile(tree, f.file.Path)
		if err != nil {
			return nil, fmt.Errorf("path is %q: file %q: %w; %s", m.Root, f.file.Path, plain(err), treeHint)
		}
		if refuse != nil {
			if reason := refuse(data); reason != "" {
				m.skip(reason, f.file.Path, int64(len(data)))
				continue
			}
		}
		files = append(files, source{describe(f.file.Path, data), data})
	}
	if len(files) == 0 {
		err := fmt.Errorf("path is %q, which has no files to read, want the %s", m.Root, wantedPath(m.Corpus))
		if len(m.Skipped) > 0 {
			err = errors.Join(err, errors.New(m.skippedLine()))
		}
		return nil, err
	}
	return files, nil
}

// join appends the parts of every file to the splits, and lets go of the file's own bytes as it goes.
func (m *Manifest) join(files []source) *corpus {
	c := &corpus{manifest: m}
	var size [3]int
	for _, f := range files {
		m.Files = append(m.Files, f.file)
		for s, part := range f.parts() {
			size[s] += len(part)
		}
	}
	for s := range c.splits {
		c.splits[s] = make([]byte, 0, size[s])
	}
	for i := range files {
		for s, part := range files[i].parts() {
			c.splits[s] = append(c.splits[s], part...)
		}
		files[i].data = nil
	}
	return c
}

// parts is what each split gets of a file: all or nothing, or, cut, its share.
func (f source) parts() (parts [3][]byte) {
	if f.file.Split == cut {
		return cutBytes(f.data, share(len(f.data), trainPercent), share(len(f.data), validPercent))
	}
	parts[slices.Index(splitNames[:], f.file.Split)] = f.data
	return parts
}

func describe(p string, data []byte) File {
	sum := sha256.Sum256(data)
	return File{Path: p, Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
}

// cutBytes cuts data into its first a bytes, the next b and the rest, none with room to grow into the next.
func cutBytes(data []byte, a, b int) [3][]byte {
	return [3][]byte{data[:a:a], data[a : a+b : a+b], data[a+b:]}
}

func share(n, percent int) int { return int(int64(n) * int64(percent) / 100) }

// plain drops what fs.PathError repeats of a path that the caller's message already names.
func plain(err error) error {
	if pe, ok := err.(*fs.PathError); ok {
		return pe.Err
	}
	return err
}
