package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/table"
)

// Tables lists the tables of a study's report.
func (r *StudyResult) Tables() []*table.Table {
	var out []*table.Table
	for _, t := range []*table.Table{r.Table(), r.FactorialTable(), r.LengthTable()} {
		if t != nil {
			out = append(out, t)
		}
	}
	return out
}

// FileName is a study's name as that of its files.
func (r *StudyResult) FileName() string { return strings.ReplaceAll(r.Config.Name, "/", "-") }

// markdown is a study's tables, and its figures as links to files beside it.
func (r *StudyResult) markdown() string {
	var b strings.Builder
	for _, t := range r.Tables() {
		b.WriteString(t.Markdown() + "\n")
	}
	for _, f := range r.Figures() {
		fmt.Fprintf(&b, "![%s](%s%s.svg)\n\n", f.Alt, r.FileName(), f.Suffix)
	}
	return b.String()
}

// Publish writes the report of a ladder into a folder, all of it from the record:
// ladder-PRESET.json (the record), ladder-PRESET.md (tables and links to figures),
// and for each study a CSV of its numbers and its figures as PNG and SVG. The same
// record gives the same bytes.
func (l LadderRecord) Publish(dir string) error {
	if !recordName.MatchString(l.Preset) {
		return fmt.Errorf("lab: record: preset is %q, want small letters, digits and -", l.Preset)
	}
	results, err := l.Results()
	if err != nil {
		return err
	}
	if l.SHA256, err = l.digest(); err != nil {
		return fmt.Errorf("lab: record: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	raw, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("lab: record: %w", err)
	}
	write := func(name string, data []byte) {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), data, 0o644))
	}
	write("ladder-"+l.Preset+".json", append(raw, '\n'))
	write("ladder-"+l.Preset+".md", []byte(l.markdown(results)))
	for _, r := range results {
		write(r.FileName()+".csv", []byte(r.Data().CSV()))
		for _, f := range r.Figures() {
			drawn, ferr := f.Draw()
			if ferr == nil {
				ferr = drawn.Save(filepath.Join(dir, r.FileName()+f.Suffix))
			}
			if ferr != nil {
				err = errors.Join(err, fmt.Errorf("lab: figure %s%s: %w", r.FileName(), f.Suffix, ferr))
			}
		}
	}
	return err
}

func (l LadderRecord) markdown(results []*StudyResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# The ladder, preset %s\n\n", l.Preset)
	fmt.Fprintf(&b, "%d runs on %s cores of %s, kernels %s, %s", l.Runs, l.Machine["cores"], l.Machine["cpu"], l.Machine["kernels"], l.Machine["go"])
	if l.Reused == 0 {
		fmt.Fprintf(&b, ", in %.0f s", l.Seconds)
	}
	b.WriteString(".\n")
	for _, r := range results {
		fmt.Fprintf(&b, "\n## %s\n\n%s", r.heading(), r.markdown())
	}
	return b.String()
}

// heading is the task, with what is held equal if it is not the parameters.
func (r *StudyResult) heading() string {
	name := string(r.Config.Arms[0].Experiment.Task.Name)
	if r.Config.About != "" && r.Config.About != "equal "+string(EqualParameters) {
		name += ", " + r.Config.About
	}
	return name
}

// ReadLadder reads the record that Publish has written.
func ReadLadder(path string) (LadderRecord, error) {
	var l LadderRecord
	raw, err := os.ReadFile(path)
	if err != nil {
		return l, fmt.Errorf("lab: record: %w", err)
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return l, fmt.Errorf("lab: %s is no record of a ladder: %w", path, err)
	}
	if len(l.Studies) == 0 {
		return l, fmt.Errorf("lab: %s is no record of a ladder: it holds no study", path)
	}
	if _, err := l.Results(); err != nil {
		return l, fmt.Errorf("%s: %w", path, err)
	}
	want, err := l.digest()
	if err == nil && l.SHA256 != want {
		err = fmt.Errorf("lab: %s: its SHA-256 is %.12s…, want %.12s…: a number in it was changed", path, l.SHA256, want)
	}
	return l, err
}
