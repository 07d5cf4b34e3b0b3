package task

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// File is one file of a corpus.
type File struct {
	Path   string `json:"path"` // relative to the corpus, with slashes; the name itself when the corpus is one file
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Split  string `json:"split"` // "train", "valid", "test"; "cut" when the file is cut into the three
}

// Skipped counts what was found below a corpus's directory and not read, for one reason.
type Skipped struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"` // entries; a directory counts as one, with all that is in it
	Bytes  int64  `json:"bytes"` // of the files among them
	First  string `json:"first"` // path of the first
}

// ByFamily is the Manifest.Split of a corpus that is split by families of like files. Its number rises when the rule
// changes.
const ByFamily = "families/1"

// Manifest says exactly which bytes a corpus task reads. The lab stores it with the run.
type Manifest struct {
	Corpus     Name      `json:"corpus"`
	Root       string    `json:"root"`              // where it was found on this machine; not part of SHA256
	Version    string    `json:"version,omitempty"` // go-source: first line of GOROOT/VERSION; not part of SHA256
	Split      string    `json:"split,omitempty"`   // ByFamily; "" where every file is cut into three
	Files      []File    `json:"files"`             // sorted by path
	Skipped    []Skipped `json:"skipped,omitempty"` // sorted by reason; not part of SHA256
	NoText     string    `json:"no_text,omitempty"` // why a single file is no text, which is read all the same: "binary"
	TrainBytes int64     `json:"train_bytes"`
	ValidBytes int64     `json:"valid_bytes"`
	TestBytes  int64     `json:"test_bytes"`
	Overlap    *Overlap  `json:"overlap,omitempty"` // with training; not part of SHA256
	SHA256     string    `json:"sha256"`            // over all files: path, size, SHA-256 and split of each
}

// Overlap says how much of the evaluation data stands verbatim in the training data.
type Overlap struct {
	Valid SplitOverlap `json:"valid"`
	Test  SplitOverlap `json:"test"`
}

// SplitOverlap is the Overlap of one split. Shares are 0 to 1, and upper bounds: doc.go says how they are measured. A
// window is Config.Length bytes and its last target, one more.
type SplitOverlap struct {
	Bytes64 float64 `json:"bytes64"`            // share of the windows of 64 bytes, one behind the other, that occur in training
	Whole   float64 `json:"whole"`              // share of the task's windows that occur in training
	Part    float64 `json:"part"`               // share of them that hold 64 bytes or more that occur in training, Whole included
	Windows int     `json:"windows"`            // in the split
	LeftOut int     `json:"left_out,omitempty"` // windows that are never evaluated because they count in Part: ByFamily
	Scored  float64 `json:"scored"`             // Part of the windows that are evaluated
}

// String says what the corpus is in a line.
func (m *Manifest) String() string {
	version, skipped, overlap := "", "", ""
	if m.Version != "" {
		version = " " + m.Version
	}
	if n := m.skippedCount(); n > 0 {
		skipped = fmt.Sprintf(", %d skipped", n)
	}
	if m.Overlap != nil {
		overlap = ", overlap with training " + m.Overlap.String()
	}
	return fmt.Sprintf("%s%s: %d files, %d bytes train, %d valid, %d test%s%s, sha256 %.12s…",
		m.Corpus, version, len(m.Files), m.TrainBytes, m.ValidBytes, m.TestBytes, skipped, overlap, m.SHA256)
}

// String gives the shares of the evaluated windows that hold 64 bytes or more of training: "valid 0.0 %, test 1.6 %".
func (o *Overlap) String() string {
	return fmt.Sprintf("valid %s, test %s", percent(o.Valid.Scored), percent(o.Test.Scored))
}

// Lines tells a reader before training what was read, what was skipped, and how far the test can be trusted, in a few
// short lines.
func (m *Manifest) Lines() []string {
	lines := []string{fmt.Sprintf("%s from %s, %s", m.Corpus, m.Root, m.splitLine())}
	if len(m.Skipped) > 0 {
		lines = append(lines, m.skippedLine())
	}
	if m.NoText != "" {
		lines = append(lines, fmt.Sprintf("warning: %q is no text (%s), and is read byte by byte all the same; hint: unpack or convert it",
			m.Files[0].Path, m.NoText))
	}
	if m.Overlap == nil {
		return lines
	}
	for i, o := range [2]SplitOverlap{m.Overlap.Valid, m.Overlap.Test} {
		line := fmt.Sprintf("%s shares with training %s of its 64-byte windows; of the task's windows %s whole, %s in part",
			splitNames[valid+i], percent(o.Bytes64), percent(o.Whole), percent(o.Part))
		if m.Split == ByFamily {
			line += fmt.Sprintf("; these %d of %d are left out", o.LeftOut, o.Windows)
		}
		lines = append(lines, line)
	}
	if o := m.Overlap.Test.Scored; o > warnOverlap {
		lines = append(lines, fmt.Sprintf("warning: %s of the test windows hold 64 bytes or more that stand in the training text, "+
			"so the test rewards memory; hint: leave copies out (--set task.exclude=PATTERN) or give a directory of more files",
			percent(o)))
	}
	return lines
}

// warnOverlap is the share of test windows from which on a reader should doubt the test.
const warnOverlap = 0.01

// splitLine says how many files and bytes each split has.
func (m *Manifest) splitLine() string {
	if m.Split != ByFamily {
		return fmt.Sprintf("%s, each cut: %d bytes train, %d valid, %d test", countFiles(len(m.Files)), m.TrainBytes, m.ValidBytes, m.TestBytes)
	}
	var n [3]int
	for _, f := range m.Files {
		n[slices.Index(splitNames[:], f.Split)]++
	}
	return fmt.Sprintf("whole files by family: train %s, %d bytes; valid %s, %d bytes; test %s, %d bytes",
		countFiles(n[train]), m.TrainBytes, countFiles(n[valid]), m.ValidBytes, countFiles(n[test]), m.TestBytes)
}

// skippedLine is what was skipped and why.
func (m *Manifest) skippedLine() string {
	parts := make([]string, len(m.Skipped))
	for i, s := range m.Skipped {
		more := ""
		if s.Count > 1 {
			more = ", …"
		}
		parts[i] = fmt.Sprintf("%d %s (%d bytes: %q%s)", s.Count, s.Reason, s.Bytes, s.First, more)
	}
	return fmt.Sprintf("skipped %d: %s", m.skippedCount(), strings.Join(parts, "; "))
}

func (m *Manifest) skippedCount() int {
	n := 0
	for _, s := range m.Skipped {
		n += s.Count
	}
	return n
}

// skip counts one entry that is not read.
func (m *Manifest) skip(reason, p string, bytes int64) {
	if reason == notCounted {
		return
	}
	i, found := slices.BinarySearchFunc(m.Skipped, reason, func(s Skipped, r string) int { return cmp.Compare(s.Reason, r) })
	if !found {
		m.Skipped = slices.Insert(m.Skipped, i, Skipped{Reason: reason, First: p})
	}
	m.Skipped[i].Count++
	m.Skipped[i].Bytes += bytes
}

func countFiles(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// ManifestOf returns the manifest of a corpus task and nil for any other. Its Overlap is that of the task's length.
func ManifestOf(t Task) *Manifest {
	if c, ok := t.(*textTask); ok {
		return c.manifest
	}
	return nil
}

// seal sets the byte counts and the digest: SHA-256 over a line "split" with the rule, if there is one, and a line
// "sha256 bytes split path" for each file, the path quoted as Go quotes strings, so that no file name can imitate two.
func (m *Manifest) seal(splits *[3][]byte) {
	m.TrainBytes, m.ValidBytes, m.TestBytes = int64(len(splits[train])), int64(len(splits[valid])), int64(len(splits[test]))
	h := sha256.New()
	if m.Split != "" {
		fmt.Fprintf(h, "split %s\n", m.Split)
	}
	for _, f := range m.Files {
		fmt.Fprintf(h, "%s %d %s %q\n", f.SHA256, f.Bytes, f.Split, f.Path)
	}
	m.SHA256 = hex.EncodeToString(h.Sum(nil))
}
