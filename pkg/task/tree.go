package task

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Why an entry of a directory is not read. A reason of "" reads a file and enters a directory.
const (
	skipHidden   = "hidden"
	skipLink     = "symbolic link"
	skipOdd      = "no regular file"
	skipName     = "name is not UTF-8"
	skipExcluded = "excluded"
	skipOther    = "not included"
	skipBinary   = "binary"
	skipUTF16    = "UTF-16, want UTF-8"
	notCounted   = "not part of the corpus" // what the definition of go-source leaves out
)

// sieve says of an entry of a tree why it is skipped, "" if it is not.
type sieve func(p string, d fs.DirEntry) (reason string)

// walk lists the regular files of a tree that the sieve passes, sorted by path, and notes in m what it skips. Symbolic links
// are not followed: they could lead out of the tree, in circles, or to a file that is there already.
func (m *Manifest) walk(tree fs.FS, pass sieve) ([]source, error) {
	var files []source
	total := int64(0)
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("%q: %w", p, plain(err))
		}
		if p == "." {
			return nil
		}
		reason := entryReason(p, d, pass)
		if reason == "" && d.IsDir() {
			return nil
		}
		size := int64(0)
		if d.Type().IsRegular() && reason != notCounted {
			info, err := d.Info()
			if err != nil {
				return fmt.Errorf("%q: %w", p, plain(err))
			}
			size = info.Size()
		}
		if reason != "" {
			m.skip(reason, p, size)
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if total += size; total > maxCorpus {
			return errTooLarge
		}
		files = append(files, source{file: File{Path: p, Bytes: size}})
		return nil
	})
	slices.SortFunc(files, func(a, b source) int { return cmp.Compare(a.file.Path, b.file.Path) })
	return files, err
}

// entryReason is why an entry is skipped, first of all because it cannot be read as a file of a tree.
func entryReason(p string, d fs.DirEntry, pass sieve) string {
	reason := pass(p, d)
	switch {
	case reason != "":
		return reason
	case !utf8.ValidString(d.Name()): // package io/fs refuses such paths
		return skipName
	case d.Type()&fs.ModeSymlink != 0:
		return skipLink
	case !d.IsDir() && !d.Type().IsRegular():
		return skipOdd
	}
	return ""
}

// sieveText takes what a directory listing shows, no name that starts with a dot, and what the patterns allow.
func sieveText(include, exclude []string) sieve {
	return func(p string, d fs.DirEntry) string {
		switch {
		case strings.HasPrefix(path.Base(p), "."):
			return skipHidden
		case matchAny(exclude, p):
			return skipExcluded
		case !d.IsDir() && len(include) > 0 && !matchAny(include, p):
			return skipOther
		}
		return ""
	}
}

// noText says why bytes are no text, "" if they are: they have a byte 0, or more than invalidPercent of them are no
// UTF-8. UTF-16 is full of zeros, too, but can be told by its byte order mark. Text in Latin-1 and its kin passes.
func noText(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return skipUTF16
	case bytes.IndexByte(data, 0) >= 0:
		return skipBinary
	case utf8.Valid(data):
		return ""
	}
	invalid := 0
	for rest := data; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 {
			invalid++
		}
		rest = rest[n:]
	}
	if invalid*100 > len(data)*invalidPercent {
		return skipBinary
	}
	return ""
}

// invalidPercent lies between Western text in one byte a letter (below 10 % of it outside ASCII) and compressed data
// (about 45 %: half of all bytes are 128 or more, and hardly two of them make a valid pair).
const invalidPercent = 30
