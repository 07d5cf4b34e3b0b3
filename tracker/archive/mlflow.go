package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gophersnake/gophersnake/tracker"
)

// ImportMLflow reads the folder of MLflow's file store, usually named mlruns. Params become the config (numbers, true
// and false as such, the rest as text), tags stay tags, mlflow.run_id among them, and the files under artifacts become
// artifacts. A run that MLflow calls RUNNING or SCHEDULED comes in as interrupted.
func ImportMLflow(ctx context.Context, s *tracker.Store, dir string, opts ImportOptions) (Report, error) {
	metas, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*", "*", "meta.yaml"))
	if err != nil {
		return Report{}, err
	}
	if len(metas) == 0 {
		return Report{}, &Error{File: dir, Msg: "holds no runs of MLflow's file store",
			Hint: "name the folder whose subfolders are experiments with <run>/meta.yaml"}
	}
	experiments := map[string]string{}
	var runs []*mlflowRun
	for _, meta := range metas {
		folder := filepath.Dir(meta)
		m, err := readMeta(meta)
		if err != nil {
			return Report{}, err
		}
		if m["run_id"] == "" && m["run_uuid"] == "" {
			continue // not a run: models and traces lie here as well
		}
		run, err := readMLflowRun(folder, m)
		if err != nil {
			return Report{}, err
		}
		if run.experiment, err = mlflowExperiment(experiments, filepath.Dir(folder)); err != nil {
			return Report{}, err
		}
		runs = append(runs, run)
	}
	return addMLflow(ctx, s, runs, opts)
}

// mlflowRun is a run as MLflow describes it.
type mlflowRun struct {
	source           string
	id, name, status string
	experiment       string
	start, end       int64 // ms; end is 0 if there is none
	deleted          bool
	params, tags     map[string]string
	points           func(add func(tracker.Point) error) error
	artifacts        []foreignFile
}

// addMLflow imports runs, parents first.
func addMLflow(ctx context.Context, s *tracker.Store, runs []*mlflowRun, opts ImportOptions) (Report, error) {
	var report Report
	slices.SortStableFunc(runs, func(a, b *mlflowRun) int {
		return cmpOr(int(a.start-b.start), strings.Compare(a.id, b.id))
	})
	byID := map[string]*mlflowRun{}
	for _, r := range runs {
		byID[r.id] = r
	}
	done := map[string]bool{}
	var add func(r *mlflowRun) error
	add = func(r *mlflowRun) error {
		if done[r.id] {
			return nil
		}
		done[r.id] = true
		parent := r.tags["mlflow.parentRunId"]
		if parent != "" {
			if p := byID[parent]; p == nil || done[parent] && p.awaits(r, byID) {
				report.Warnings = append(report.Warnings, fmt.Sprintf("run %s comes without its parent %s, which is not there", r.id, parent))
				parent = ""
			} else if err := add(p); err != nil {
				return err
			}
		}
		f, err := r.foreign(parent)
		if err != nil {
			return err
		}
		return addForeign(ctx, s, f, opts, &report, len(runs))
	}
	for _, r := range runs {
		if err := add(r); err != nil {
			return report, err
		}
	}
	return report, nil
}

// awaits reports whether r is an ancestor of p: a loop of parents.
func (p *mlflowRun) awaits(r *mlflowRun, byID map[string]*mlflowRun) bool {
	for range byID {
		if p == r {
			return true
		}
		if p = byID[p.tags["mlflow.parentRunId"]]; p == nil {
			return false
		}
	}
	return true
}

func cmpOr(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}

// mlflowStatus translates a status, given by name or by MLflow's number.
func mlflowStatus(status string) (tracker.Status, string, bool) {
	switch status {
	case "FINISHED", "3":
		return tracker.StatusFinished, "", true
	case "FAILED", "4":
		return tracker.StatusFailed, "", true
	case "KILLED", "5":
		return tracker.StatusInterrupted, "killed", true
	case "RUNNING", "1", "SCHEDULED", "2":
		return tracker.StatusInterrupted, "was running when it was imported", true
	}
	return "", "", false
}

func (r *mlflowRun) foreign(parent string) (*foreignRun, error) {
	config, err := configOf(r.params)
	if err != nil {
		return nil, err
	}
	status, detail, ok := mlflowStatus(r.status)
	if !ok {
		return nil, &Error{File: r.source, Field: "status", Value: r.status,
			Msg: "is not known, allowed are RUNNING, SCHEDULED, FINISHED, FAILED and KILLED"}
	}
	tags := map[string]string{"source": "mlflow", "mlflow.run_id": r.id}
	for k, v := range r.tags {
		if k != "mlflow.note.content" {
			tags[k] = v
		}
	}
	if parent != "" {
		parent = deriveID("mlflow", parent)
	}
	end := r.start
	if r.end > 0 {
		end = r.end
	}
	return &foreignRun{source: r.source, points: r.points, artifacts: r.artifacts, rec: tracker.RunRecord{Config: config, Tags: tags,
		Info: tracker.RunInfo{ID: deriveID("mlflow", r.id), Name: firstOf(r.name, r.tags["mlflow.runName"], r.id),
			Experiment: r.experiment, Parent: parent, Status: status, StatusDetail: detail, Created: time.UnixMilli(r.start),
			Finished: time.UnixMilli(end), Heartbeat: time.UnixMilli(end), Note: r.tags["mlflow.note.content"], Deleted: r.deleted}}}, nil
}

// mlflowExperiment reads the name of the experiment in a folder.
func mlflowExperiment(known map[string]string, folder string) (string, error) {
	if name, ok := known[folder]; ok {
		return name, nil
	}
	m, err := readMeta(filepath.Join(folder, "meta.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		m, err = map[string]string{"name": filepath.Base(folder)}, nil
	}
	known[folder] = firstOf(m["name"], filepath.Base(folder))
	return known[folder], err
}

// readMLflowRun reads the folder of a run; its metrics are read when they are imported.
func readMLflowRun(folder string, m map[string]string) (*mlflowRun, error) {
	r := &mlflowRun{source: folder, id: firstOf(m["run_id"], m["run_uuid"]), name: m["run_name"], status: m["status"],
		deleted: m["lifecycle_stage"] == "deleted"}
	for field, into := range map[string]*int64{"start_time": &r.start, "end_time": &r.end} {
		if text := m[field]; text != "" && text != "null" {
			v, err := strconv.ParseInt(text, 10, 64)
			if err != nil || v < minMS || v > maxMS {
				return nil, &Error{File: filepath.Join(folder, "meta.yaml"), Field: field, Value: text, Msg: "is no time in milliseconds"}
			}
			*into = v
		}
	}
	var err error
	if r.params, err = readTexts(filepath.Join(folder, "params")); err != nil {
		return nil, err
	}
	if r.tags, err = readTexts(filepath.Join(folder, "tags")); err != nil {
		return nil, err
	}
	err = eachFile(filepath.Join(folder, "artifacts"), func(name, path string) error {
		r.artifacts = append(r.artifacts, foreignFile{name, path, time.UnixMilli(r.start)})
		return nil
	})
	r.points = func(add func(tracker.Point) error) error {
		return eachFile(filepath.Join(folder, "metrics"), func(key, path string) error { return readMetricFile(key, path, add) })
	}
	return r, err
}

// eachFile calls visit for every file below a folder, in lexical order, with its name relative to it.
func eachFile(folder string, visit func(name, path string) error) error {
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(name), path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		if _, missing := os.Stat(folder); missing != nil {
			return nil
		}
	}
	return err
}

// readTexts reads a folder of files that hold one text each.
func readTexts(folder string) (map[string]string, error) {
	texts := map[string]string{}
	err := eachFile(folder, func(name, path string) error {
		b, err := os.ReadFile(path)
		texts[name] = string(b)
		return err
	})
	return texts, err
}

// readMetricFile reads lines "time value [step]".
func readMetricFile(key, path string, add func(tracker.Point) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		p, err := parseMetricLine(lines.Text())
		if err != nil {
			err.File, err.Line = path, n
			return err
		}
		p.Key = key
		if err := add(p); err != nil {
			return err
		}
	}
	return lines.Err()
}

func parseMetricLine(line string) (tracker.Point, *Error) {
	var p tracker.Point
	parts := strings.Fields(line)
	if len(parts) < 2 || len(parts) > 5 { // newer versions add a data set's name and digest
		return p, &Error{Field: "line", Value: line, Msg: `is not "time value step"`}
	}
	ts, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || ts < minMS || ts > maxMS {
		return p, &Error{Field: "time", Value: parts[0], Msg: "is no time in milliseconds"}
	}
	p.Time = time.UnixMilli(ts)
	if p.Value, err = parseValue(parts[1]); err != nil {
		return p, &Error{Field: "value", Value: parts[1], Msg: err.Error()}
	}
	if len(parts) > 2 {
		if p.Step, err = strconv.ParseInt(parts[2], 10, 64); err != nil {
			return p, &Error{Field: "step", Value: parts[2], Msg: "is no whole number that 64 bits hold"}
		}
	}
	return p, nil
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(path)
}

// readMeta reads a flat YAML file as MLflow writes it: "field: value" lines, values plain or quoted. A value of several
// lines (none of the fields read here has one) keeps its first.
func readMeta(path string) (map[string]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, e := parseMeta(string(b))
	if e != nil {
		e.File = path
		return nil, e
	}
	return m, nil
}

func parseMeta(text string) (map[string]string, *Error) {
	m := map[string]string{}
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r")
		if line == "" || line[0] == ' ' || line[0] == '#' || line[0] == '-' {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, &Error{Line: n + 1, Field: "line", Value: line, Msg: `is not "field: value"`}
		}
		value = strings.TrimSpace(value)
		switch {
		case len(value) >= 2 && value[0] == '\'' && value[len(value)-1] == '\'':
			value = strings.ReplaceAll(value[1:len(value)-1], "''", "'")
		case len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"':
			plain, err := strconv.Unquote(value)
			if err == nil && !utf8.ValidString(plain) { // YAML's \xf6 is a code point, Go's is a byte
				plain, err = strconv.Unquote(strings.ReplaceAll(value, `\x`, `\u00`))
			}
			if err != nil {
				return nil, &Error{Line: n + 1, Field: key, Value: value, Msg: "is no quoted text"}
			}
			value = plain
		}
		m[key] = value
	}
	return m, nil
}
