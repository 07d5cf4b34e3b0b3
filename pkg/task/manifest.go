package task

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// File is one file of a corpus.
type File struct {
	Path   string `json:"path"` // relative to the corpus, with slashes; the name itself when the corpus is one file
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Split  string `json:"split"` // "train", "valid", "test"; "cut" when the file is cut into the three
}

// Manifest says exactly which bytes a corpus task reads. The lab stores it with the run.
type Manifest struct {
	Corpus     Name   `json:"corpus"`
	Root       string `json:"root"`              // where it was found on this machine; not part of SHA256
	Version    string `json:"version,omitempty"` // go-source: first line of GOROOT/VERSION; not part of SHA256
	Files      []File `json:"files"`             // sorted by path
	TrainBytes int64  `json:"train_bytes"`
	ValidBytes int64  `json:"valid_bytes"`
	TestBytes  int64  `json:"test_bytes"`
	SHA256     string `json:"sha256"` // over all files: path, size, SHA-256 and split of each
}

// String says what the corpus is in a line.
func (m *Manifest) String() string {
	version := ""
	if m.Version != "" {
		version = " " + m.Version
	}
	return fmt.Sprintf("%s%s: %d files, %d bytes train, %d valid, %d test, sha256 %.12s…",
		m.Corpus, version, len(m.Files), m.TrainBytes, m.ValidBytes, m.TestBytes, m.SHA256)
}

// ManifestOf returns the manifest of a corpus task and nil for any other.
func ManifestOf(t Task) *Manifest {
	if c, ok := t.(*textTask); ok {
		return c.corpus.manifest
	}
	return nil
}

// seal sets the byte counts and the digest: SHA-256 over a line "sha256 bytes split path" for each file, the path
// quoted as Go quotes strings, so that no file name can imitate two.
func (m *Manifest) seal(splits *[3][]byte) {
	m.TrainBytes, m.ValidBytes, m.TestBytes = int64(len(splits[train])), int64(len(splits[valid])), int64(len(splits[test]))
	h := sha256.New()
	for _, f := range m.Files {
		fmt.Fprintf(h, "%s %d %s %q\n", f.SHA256, f.Bytes, f.Split, f.Path)
	}
	m.SHA256 = hex.EncodeToString(h.Sum(nil))
}
