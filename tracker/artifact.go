package tracker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"mime"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Artifact is a file that belongs to a run. Its content lies in <db>.artifacts under its SHA-256.
type Artifact struct {
	Name      string // as logged, with slashes: "plots/loss.png"
	Version   int    // 1 for the first content logged under the name, then counting
	Kind      string // "file", "checkpoint", "diff", …
	MediaType string
	Step      int64 // meaningful if HasStep
	HasStep   bool
	Time      time.Time
	Size      int64
	SHA256    string
	Path      string // where the content lies; do not change it
}

// ArtifactSpec says what AddArtifact stores.
type ArtifactSpec struct {
	// Name in the run, with slashes; required. The same name again makes a new version.
	Name string
	// Path of the file to copy; or leave it empty and set Data.
	Path string
	Data []byte
	// Kind for readers. Default "file".
	Kind string
	// MediaType. Default: by the name's extension.
	MediaType string
	// Step that the artifact belongs to, if HasStep: TruncateAfter removes later ones.
	Step    int64
	HasStep bool
}

// LogArtifact stores a copy of a file under a name; LogDir takes a whole folder. When it returns, file and record are synced to the disk.
func (r *Run) LogArtifact(name, path string) (Artifact, error) {
	return r.AddArtifact(ArtifactSpec{Name: name, Path: path})
}

// LogArtifactBytes stores data under a name.
func (r *Run) LogArtifactBytes(name string, data []byte) (Artifact, error) {
	return r.AddArtifact(ArtifactSpec{Name: name, Data: data})
}

// LogDir stores a copy of every file in a folder and below it, under name and its path in the folder. All of them become
// visible together. Symbolic links to files are followed; other links, pipes and the like are errors.
func (r *Run) LogDir(name, dir string) ([]Artifact, error) {
	const op = "log artifact"
	var specs []ArtifactSpec
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		specs = append(specs, ArtifactSpec{Name: path.Join(name, filepath.ToSlash(rel)), Path: file})
		return nil
	})
	if err != nil {
		return nil, explain(op, dir, err)
	}
	if len(specs) == 0 {
		return nil, &Error{Op: op, Path: dir, Err: ErrInvalid, Msg: "holds no file", Hint: "name a folder with files in it"}
	}
	return r.AddArtifacts(specs)
}

// AddArtifact stores what spec says. Equal contents are stored once. A content already there is read and compared with
// its hash, and replaced if it has been damaged.
func (r *Run) AddArtifact(spec ArtifactSpec) (Artifact, error) {
	list, err := r.AddArtifacts([]ArtifactSpec{spec})
	if err != nil {
		return Artifact{}, err
	}
	return list[0], nil
}

// AddArtifacts stores several artifacts: all of them become visible together, or none.
func (r *Run) AddArtifacts(specs []ArtifactSpec) ([]Artifact, error) {
	const op = "log artifact"
	if err := r.store.checkOpen(op, true); err != nil {
		return nil, err
	}
	specs = append([]ArtifactSpec(nil), specs...)
	for i := range specs {
		if err := specs[i].complete(); err != nil {
			return nil, err
		}
	}
	list := make([]Artifact, len(specs))
	for try := 0; ; try++ {
		for i, spec := range specs {
			var err error
			if list[i], err = r.storeContent(spec); err != nil {
				return nil, err
			}
		}
		err := r.store.change(op, func(tx *writeTx) error { return tx.insertArtifacts(r.rowID, list) })
		if try < 3 && errors.Is(err, errContentGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return list, nil
	}
}

// storeContent puts the content of an artifact into its place.
func (r *Run) storeContent(spec ArtifactSpec) (Artifact, error) {
	const op = "log artifact"
	var content io.Reader = bytes.NewReader(spec.Data)
	if spec.Path != "" {
		if err := r.store.refuseOwnFiles(spec.Path); err != nil {
			return Artifact{}, err
		}
		f, err := os.Open(spec.Path)
		if err != nil {
			return Artifact{}, explain(op, spec.Path, err)
		}
		defer f.Close()
		content = f
	}
	sum, size, err := r.store.putBlob(content)
	if err != nil {
		return Artifact{}, explain(op, r.store.paths.artifacts, err)
	}
	return Artifact{Name: spec.Name, Kind: spec.Kind, MediaType: spec.MediaType, Step: spec.Step, HasStep: spec.HasStep,
		Time: time.UnixMilli(r.now().UnixMilli()), Size: size, SHA256: sum, Path: r.store.blobPath(sum)}, nil
}

// refuseOwnFiles: opening and closing the live database in this process would drop SQLite's POSIX locks on it.
func (s *Store) refuseOwnFiles(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return explain("log artifact", path, err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if own, err := os.Stat(s.paths.db + suffix); err == nil && os.SameFile(own, info) {
			return &Error{Op: "log artifact", Path: path, Err: ErrInvalid, Msg: "is the live database itself",
				Hint: "make a copy first, e.g. by VACUUM INTO"}
		}
	}
	if !info.Mode().IsRegular() {
		return &Error{Op: "log artifact", Path: path, Err: ErrInvalid, Msg: "is no regular file",
			Hint: "name a file; LogDir stores a folder"}
	}
	return nil
}

// complete checks the spec and fills defaults in.
func (spec *ArtifactSpec) complete() error {
	const op = "log artifact"
	if msg := checkName(spec.Name); msg != "" {
		return invalid(op, "name %q %s", spec.Name, msg)
	}
	if clean := path.Clean(spec.Name); clean != spec.Name || path.IsAbs(clean) || clean == "." || clean == ".." ||
		strings.HasPrefix(clean, "../") || strings.Contains(clean, `\`) {
		return &Error{Op: op, Err: ErrInvalid, Msg: fmt.Sprintf("name %q is no clean relative path with slashes", spec.Name),
			Hint: "allowed are names such as loss.png or plots/loss.png"}
	}
	if spec.Path != "" && spec.Data != nil {
		return invalid(op, "both Path and Data of %q are set; set one", spec.Name)
	}
	if spec.Kind == "" {
		spec.Kind = "file"
	}
	if spec.MediaType == "" {
		spec.MediaType = mime.TypeByExtension(path.Ext(spec.Name))
	}
	if msg := checkName(spec.Kind); msg != "" {
		return invalid(op, "Kind %q of %q %s", spec.Kind, spec.Name, msg)
	}
	if msg := checkText(spec.MediaType, MaxNameLength); msg != "" {
		return invalid(op, "MediaType %q of %q %s", spec.MediaType, spec.Name, msg)
	}
	return nil
}

// errContentGone: GC removed a content that no run had between its arrival and the transaction that refers to it.
var errContentGone = errors.New("the content was removed meanwhile")

func (tx *writeTx) insertArtifacts(run int64, list []Artifact) error {
	for i := range list {
		if _, err := os.Stat(list[i].Path); errors.Is(err, fs.ErrNotExist) {
			return errContentGone
		}
		var err error
		if list[i].Version, err = tx.insertArtifact(run, list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (tx *writeTx) insertArtifact(run int64, a Artifact) (version int, err error) {
	blob, err := tx.getOrInsert("SELECT id FROM blobs WHERE sha256 = ?", []any{a.SHA256},
		"INSERT INTO blobs (sha256, size, created_ms) VALUES (?, ?, ?)", a.SHA256, a.Size, a.Time.UnixMilli())
	if err != nil {
		return 0, err
	}
	if err := tx.scan("SELECT coalesce(max(version), 0) + 1 FROM artifacts WHERE run_id = ? AND name = ?",
		[]any{run, a.Name}, &version); err != nil {
		return 0, err
	}
	_, err = tx.exec(`INSERT INTO artifacts (run_id, name, version, kind, media_type, step, ts_ms, blob_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, run, a.Name, version, a.Kind, a.MediaType, nullIf(a.Step, !a.HasStep),
		a.Time.UnixMilli(), blob)
	return version, err
}

// blobPath is the place of a content: the first two digits spread the files over 256 folders.
func (s *Store) blobPath(sum string) string { return filepath.Join(s.paths.artifacts, sum[:2], sum) }

// putBlob writes a content under its hash: to a temporary file, synced, renamed, folder synced. A crash leaves
// a temporary file or a whole content, never half of one.
func (s *Store) putBlob(content io.Reader) (sum string, size int64, err error) {
	if err := os.MkdirAll(s.paths.artifacts, 0o755); err != nil {
		return "", 0, err
	}
	tmp, err := os.CreateTemp(s.paths.artifacts, "incoming-*")
	if err != nil {
		return "", 0, err
	}
	defer os.Remove(tmp.Name()) // fails after the rename, as it should
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(tmp, h), content)
	if err == nil {
		err = tmp.Chmod(0o444)
	}
	sum = hex.EncodeToString(h.Sum(nil))
	target := s.blobPath(sum)
	if err == nil && verifyFile(target, sum) == nil {
		return sum, size, tmp.Close()
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return "", 0, err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return "", 0, err
	}
	if err := os.Rename(tmp.Name(), target); err != nil {
		return "", 0, err
	}
	return sum, size, errors.Join(syncDir(filepath.Dir(target)), syncDir(s.paths.artifacts))
}

// verifyFile reads a stored content and compares it with its hash.
func verifyFile(path, sum string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	return compareSum(path, sum, h)
}

func compareSum(path, sum string, h hash.Hash) error {
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return &Error{Op: "verify", Path: path, Err: ErrCorrupt, Msg: "the content has SHA-256 " + got + ", want " + sum,
			Hint: "log the artifact again, or restore the file from a copy"}
	}
	return nil
}

// ReadArtifact returns the content of the newest version of an artifact, checked against its hash.
func (s *Store) ReadArtifact(ctx context.Context, ref, name string) ([]byte, error) {
	artifacts, err := s.Artifacts(ctx, ref)
	if err != nil {
		return nil, err
	}
	var found *Artifact
	var names []string
	for i := range artifacts {
		if artifacts[i].Name == name {
			found = &artifacts[i] // versions ascend
		} else {
			names = append(names, artifacts[i].Name)
		}
	}
	if found == nil {
		return nil, &NotFoundError{Kind: "artifact", Ref: name, Within: "run " + ref, Near: nearest(name, unique(names))}
	}
	data, err := os.ReadFile(found.Path)
	if err != nil {
		return nil, explain("read artifact", found.Path, missingContent(found.Path, err))
	}
	h := sha256.New()
	h.Write(data)
	return data, compareSum(found.Path, found.SHA256, h)
}

// missingContent says that a file which the database knows of is gone.
func missingContent(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &Error{Op: "read artifact", Path: path, Msg: "the content is missing", Err: ErrCorrupt,
			Hint: "restore the file from a copy"}
	}
	return err
}

// VerifyArtifacts reads every stored content and returns one error for each that is missing or damaged. err is about
// the check itself.
func (s *Store) VerifyArtifacts(ctx context.Context) (problems []error, err error) {
	rows, err := s.rdb.QueryContext(ctx, "SELECT sha256 FROM blobs ORDER BY id")
	if err != nil {
		return nil, explain("verify", s.paths.db, err)
	}
	defer rows.Close()
	for rows.Next() {
		var sum string
		if err := rows.Scan(&sum); err != nil {
			return problems, explain("verify", s.paths.db, err)
		}
		if err := verifyFile(s.blobPath(sum), sum); err != nil {
			problems = append(problems, explain("verify", s.blobPath(sum), missingContent(s.blobPath(sum), err)))
		}
	}
	return problems, explain("verify", s.paths.db, rows.Err())
}

func unique(names []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}
