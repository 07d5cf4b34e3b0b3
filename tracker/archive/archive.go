package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// Contents says what happens to the contents of artifacts. Their names, sizes and hashes are always exported.
type Contents string

// The ways to export contents.
const (
	ContentsNone   Contents = ""       // leave them out
	ContentsInline Contents = "inline" // in the line of the artifact, as base64; at most MaxInline bytes each
	ContentsFolder Contents = "folder" // beside the file, in ExportOptions.Folder
)

// MaxInline bounds an artifact whose content is exported inline, in bytes.
const MaxInline = 64 << 20

// ExportOptions says what to export. The zero value means all runs that are not deleted.
type ExportOptions struct {
	// Runs are references as Store.Run takes them. Empty means all. ExportJSONL adds the parents of the runs named.
	Runs []string
	// Deleted adds deleted runs if Runs is empty.
	Deleted bool
	// Contents of artifacts; for ExportJSONL only.
	Contents Contents
	// Folder for ContentsFolder; it is made if there is none.
	Folder string
	// Progress, if set, is called after every run.
	Progress func(Progress)
}

// ImportOptions says how to import.
type ImportOptions struct {
	// File is the name that errors give to the input of ImportJSONL and ImportCSV.
	File string
	// Experiment that the runs belong to, for ImportCSV and ImportTensorBoard. Default "imported".
	Experiment string
	// Folder with the contents of artifacts that ExportJSONL wrote with ContentsFolder.
	Folder string
	// MissingContents accepts artifacts whose content is neither in the archive nor in the database: they are listed,
	// and reading them fails.
	MissingContents bool
	// SkipArtifacts leaves out the artifacts that MLflow's file store holds.
	SkipArtifacts bool
	// Progress, if set, is called after every run.
	Progress func(Progress)
}

// Progress says how far an export or import has come.
type Progress struct {
	Run    string // ID of the run just done
	Runs   int    // done so far, skipped ones included
	Total  int    // 0 if not known
	Points int64  // exported or imported so far
}

// Report says what was exported or imported.
type Report struct {
	Runs      int
	Skipped   int // runs that were there already with the same content
	Points    int64
	Objects   int64
	Artifacts int64
	Events    int64
	Warnings  []string // what could not be taken over, one sentence each
}

// Error says what was wrong with an input: where, which field, which value, and what to do about it.
type Error struct {
	File  string // "" if there is none
	Line  int    // counted from 1; 0 if it does not apply
	Field string
	Value string
	Msg   string
	Hint  string
	Err   error // cause, or nil
}

// Error gives `archive: FILE:LINE: FIELD "VALUE" MSG: CAUSE (hint: HINT)`.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("archive: ")
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		b.WriteString(": ")
	} else if e.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", e.Line)
	}
	if e.Field != "" {
		b.WriteString(e.Field + " ")
		if e.Value != "" {
			fmt.Fprintf(&b, "%.80q ", e.Value)
		}
	}
	b.WriteString(e.Msg)
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Hint != "" {
		b.WriteString(" (hint: " + e.Hint + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// selectRuns finds the runs to export, ordered by their integer id.
func selectRuns(ctx context.Context, s *tracker.Store, opts ExportOptions) ([]tracker.RunInfo, error) {
	var list []tracker.RunInfo
	for _, ref := range opts.Runs {
		info, err := s.Run(ctx, ref)
		if err != nil {
			return nil, err
		}
		list = append(list, info)
	}
	if len(opts.Runs) == 0 {
		for _, deleted := range []bool{false, true}[:1+btoi(opts.Deleted)] {
			some, err := s.Runs(ctx, tracker.Filter{Deleted: deleted})
			if err != nil {
				return nil, err
			}
			list = append(list, some...)
		}
	}
	slices.SortFunc(list, func(a, b tracker.RunInfo) int { return int(a.RowID - b.RowID) })
	return slices.CompactFunc(list, func(a, b tracker.RunInfo) bool { return a.RowID == b.RowID }), nil
}

// withParents adds the ancestors of the runs and puts every parent before its children.
func withParents(ctx context.Context, s *tracker.Store, runs []tracker.RunInfo) ([]tracker.RunInfo, error) {
	byID := map[string]tracker.RunInfo{}
	for _, r := range runs {
		byID[r.ID] = r
	}
	done := map[string]bool{}
	var out []tracker.RunInfo
	for _, r := range runs {
		var chain []tracker.RunInfo
		for {
			if done[r.ID] {
				break
			}
			done[r.ID] = true
			chain = append(chain, r)
			if r.Parent == "" {
				break
			}
			parent, known := byID[r.Parent]
			if !known {
				var err error
				if parent, err = s.Run(ctx, r.Parent); err != nil {
					return nil, err
				}
			}
			r = parent
		}
		slices.Reverse(chain)
		out = append(out, chain...)
	}
	return out, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// formatValue writes a metric's value: the shortest text that gives the same float64.
func formatValue(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// parseValue reads what formatValue writes, and what other tools write for numbers.
func parseValue(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return 0, errors.New("is no number that a float64 holds")
	}
	return v, nil
}

const isoMilli = "2006-01-02T15:04:05.000Z"

func isoTime(t time.Time) string { return t.UTC().Format(isoMilli) }

// deriveID makes a run id out of where a run comes from: the same origin gives the same id.
func deriveID(origin ...string) string {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz" // as in the tracker's ids
	sum := sha256.Sum256([]byte(strings.Join(origin, "\x00")))
	id := make([]byte, 10)
	for i := range id {
		id[i] = alphabet[sum[i]%32]
	}
	id[0] = alphabet[10+int(sum[0])%22]
	return string(id)
}
