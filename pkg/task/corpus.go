package task

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
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
)

// maxCorpus keeps a path such as "/" from filling the memory.
const maxCorpus = 2_000_000_000

var errTooLarge = fmt.Errorf("more than %d bytes, which is the most that is read into memory", maxCorpus)

// corpus is the bytes of each split and what they were read from. It is never written to after it was read.
type corpus struct {
	splits   [3][]byte
	manifest *Manifest
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

// readCorpus reads the corpus of a config.
func readCorpus(name Name, root string) (*corpus, error) {
	switch name {
	case GoSource:
		return readGoSource(root)
	case Text8, Enwik8:
		return readCut(name, root, hutterBytes, hutterTrain, hutterValid)
	}
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("path is %q: %w", root, plain(err))
	}
	if info.IsDir() {
		return readTree(Text, root, os.DirFS(root), visible, cutSplit)
	}
	n := int(min(info.Size(), maxCorpus))
	return readCut(Text, root, n, share(n, trainPercent), share(n, validPercent))
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
	c := &corpus{splits: cutBytes(data, trainBytes, validBytes)}
	c.manifest = &Manifest{Corpus: name, Root: file, Files: []File{describe(filepath.Base(file), data, cut)}}
	c.manifest.seal(&c.splits)
	return c, nil
}

// readTree reads every regular file of a tree that keep accepts, in the order of their paths, and appends it to the
// split that assign names, or cuts it into all three. Symbolic links below the root are not followed.
func readTree(name Name, root string, tree fs.FS, keep func(string, fs.DirEntry) bool, assign func(string) string,
) (*corpus, error) {
	files, err := listTree(tree, keep)
	if err != nil {
		return nil, fmt.Errorf("path is %q: %w", root, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("path is %q, which has no files to read, want the %s", root, wantedPath(name))
	}
	c := &corpus{manifest: &Manifest{Corpus: name, Root: root, Files: make([]File, 0, len(files))}}
	for i := range files {
		files[i].Split = assign(files[i].Path)
	}
	c.reserve(files)
	for _, f := range files {
		if err := c.add(tree, f.Path, f.Split); err != nil {
			return nil, fmt.Errorf("path is %q: file %q: %w", root, f.Path, err)
		}
	}
	c.manifest.seal(&c.splits)
	return c, nil
}

// listTree returns path and size of the regular files that keep accepts, sorted by path; keep also says which
// directories to enter.
func listTree(tree fs.FS, keep func(string, fs.DirEntry) bool) ([]File, error) {
	var files []File
	total := int64(0)
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("%q: %w", p, plain(err))
		case p == ".":
			return nil
		case d.IsDir() && !keep(p, d):
			return fs.SkipDir
		case !d.Type().IsRegular() || !keep(p, d):
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return fmt.Errorf("%q: %w", p, plain(err))
		}
		if total += info.Size(); total > maxCorpus {
			return errTooLarge
		}
		files = append(files, File{Path: p, Bytes: info.Size()})
		return nil
	})
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return files, err
}

// reserve makes room for the files, so that the splits do not grow by copying.
func (c *corpus) reserve(files []File) {
	var size [3]int
	for _, f := range files {
		n := int(f.Bytes)
		if f.Split != cut {
			size[slices.Index(splitNames[:], f.Split)] += n
			continue
		}
		for i, part := range [3]int{share(n, trainPercent), share(n, validPercent), n/10 + 1} {
			size[i] += part
		}
	}
	for i, n := range size {
		c.splits[i] = make([]byte, 0, n)
	}
}

// add reads the file and appends it to its split, or, cut, to all three.
func (c *corpus) add(tree fs.FS, p, split string) error {
	data, err := fs.ReadFile(tree, p)
	if err != nil {
		return plain(err)
	}
	c.manifest.Files = append(c.manifest.Files, describe(p, data, split))
	if split == cut {
		for i, part := range cutBytes(data, share(len(data), trainPercent), share(len(data), validPercent)) {
			c.splits[i] = append(c.splits[i], part...)
		}
		return nil
	}
	i := slices.Index(splitNames[:], split)
	c.splits[i] = append(c.splits[i], data...)
	return nil
}

func describe(p string, data []byte, split string) File {
	sum := sha256.Sum256(data)
	return File{Path: p, Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:]), Split: split}
}

// cutBytes cuts data into its first a bytes, the next b and the rest, none with room to grow into the next.
func cutBytes(data []byte, a, b int) [3][]byte {
	return [3][]byte{data[:a:a], data[a : a+b : a+b], data[a+b:]}
}

func share(n, percent int) int { return int(int64(n) * int64(percent) / 100) }

// visible keeps what a directory listing shows: no name that starts with a dot.
func visible(p string, _ fs.DirEntry) bool { return !strings.HasPrefix(path.Base(p), ".") }

func cutSplit(string) string { return cut }

// hashSplit assigns a file by the SHA-256 of its relative path: its first 8 bytes, big endian, mod 100, are below 90 for
// train, below 95 for valid. The same file is in the same split on every machine and in every Go release.
func hashSplit(p string) string {
	sum := sha256.Sum256([]byte(p))
	switch part := binary.BigEndian.Uint64(sum[:8]) % 100; {
	case part < trainPercent:
		return "train"
	case part < trainPercent+validPercent:
		return "valid"
	}
	return "test"
}

// plain drops what fs.PathError repeats of a path that the caller's message already names.
func plain(err error) error {
	if pe, ok := err.(*fs.PathError); ok {
		return pe.Err
	}
	return err
}
