package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/tracker"
)

// fileName turns a study's name into that of its files.
func fileName(study string) string { return strings.ReplaceAll(study, "/", "-") }

// show prints a study's tables and writes its files.
func (l *ladderRun) show(r *lab.StudyResult, name string) error {
	l.app.print(r.Table())
	l.app.print(r.LengthTable())
	if err := errors.Join(
		writeFile(l.flags.out, name+".md", markdown(r, name)),
		writeFile(l.flags.out, name+".csv", r.Table().CSV())); err != nil {
		return err
	}
	metric := "valid/" + string(r.Spec.Metric)
	return errors.Join(
		l.save(name, r.BarFigure),
		l.save(name+"-loss", func() (*figure.Figure, error) { return r.CurveFigure(lab.KeyTrainLoss, r.LossBin()) }),
		l.save(name+"-valid", func() (*figure.Figure, error) { return r.CurveFigure(metric, 1) }))
}

// save writes a figure as PNG and SVG.
func (l *ladderRun) save(name string, draw func() (*figure.Figure, error)) error {
	f, err := draw()
	if err != nil {
		return fmt.Errorf("figure %s: %w", name, err)
	}
	return f.Save(filepath.Join(l.flags.out, name))
}

// markdown is a study's tables and figures.
func markdown(r *lab.StudyResult, name string) string {
	var b strings.Builder
	b.WriteString(r.Table().Markdown() + "\n")
	if t := r.LengthTable(); t != nil {
		b.WriteString(t.Markdown() + "\n")
	}
	for _, f := range []struct{ file, alt string }{{name, "the ladder"}, {name + "-loss", "training loss"}, {name + "-valid", "validation"}} {
		fmt.Fprintf(&b, "![%s](%s.svg)\n", f.alt, f.file)
	}
	return b.String()
}

// finish writes the file about all studies and says what to do next.
func (l *ladderRun) finish(ctx context.Context, preset lab.Preset) error {
	env := l.book.Environment("cpu").Values()
	var b strings.Builder
	fmt.Fprintf(&b, "# The ladder, preset %s\n\n", preset.Name)
	fmt.Fprintf(&b, "%s, %s cores, kernels %s, %s. Runs in `%s`.\n", env["cpu.model"], env["cpu.cores"], env["extra.kernels"],
		env["go.version"], filepath.Base(l.app.db))
	for i, r := range l.results {
		fmt.Fprintf(&b, "\n## %s\n\n%s", r.Config.Arms[0].Experiment.Task.Name, markdown(r, l.names[i]))
	}
	if err := errors.Join(writeFile(l.flags.out, "ladder.md", b.String()), l.record(preset, env)); err != nil {
		return err
	}
	for _, note := range l.book.Notes() {
		fmt.Fprintf(l.app.Err, "note: %s\n", note)
	}
	fmt.Fprintf(l.app.Out, "%d runs in %s", l.ended, clock(time.Since(l.start)))
	if l.reused > 0 {
		fmt.Fprintf(l.app.Out, ", %d of them found in %s", l.reused, l.app.db)
	}
	fmt.Fprintf(l.app.Out, ". Tables and figures: %s\n", filepath.Join(l.flags.out, "ladder.md"))
	return l.whatNext(ctx)
}

// record writes every number of the ladder as JSON.
func (l *ladderRun) record(preset lab.Preset, env map[string]string) error {
	rec := lab.LadderRecord{Preset: preset.Name, Seconds: time.Since(l.start).Seconds(), Runs: l.ended, Reused: l.reused,
		Machine: map[string]string{"cpu": env["cpu.model"], "cores": env["cpu.cores"], "go": env["go.version"], "kernels": env["extra.kernels"]}}
	for _, r := range l.results {
		rec.Studies = append(rec.Studies, r.Record())
	}
	data, err := json.MarshalIndent(rec, "", " ")
	if err != nil {
		return err
	}
	return writeFile(l.flags.out, "ladder.json", string(data)+"\n")
}

// whatNext prints commands that lead on, with the best runs' ids in them.
func (l *ladderRun) whatNext(ctx context.Context) error {
	say := func(words string, args ...any) {
		fmt.Fprintf(l.app.Out, "  %s\n", l.app.command(fmt.Sprintf(words, args...)))
	}
	fmt.Fprintf(l.app.Out, "\nWhat next:\n")
	for i, r := range l.results {
		id, err := l.bestRun(ctx, r)
		if err != nil {
			return err
		}
		if i == 0 {
			say("runs list --experiment %s --best %s", r.Config.Name, r.Key())
			say("runs show %s", id)
			say("replay %s", id)
		}
		if byteLevel(r.Config.Arms[0].Experiment.Task.Name) {
			say("generate %s --prompt 'func '", id)
		}
	}
	return nil
}

// bestRun returns the id of the run with the best result of a study.
func (l *ladderRun) bestRun(ctx context.Context, r *lab.StudyResult) (string, error) {
	best, at := math.Inf(-1), ""
	var group string
	for _, a := range r.Arms {
		for i, v := range a.Values(r.Key()) {
			if !r.Spec.Metric.HigherIsBetter() {
				v = -v
			}
			if v > best {
				best, at, group = v, a.Runs[i].Experiment.Hash(), a.Name
			}
		}
	}
	runs, err := l.store.Runs(ctx, tracker.Filter{Experiment: r.Config.Name, Group: group})
	for _, run := range runs {
		if run.ConfigSHA256 == at {
			return run.ID, nil
		}
	}
	return "RUN", err // every run has diverged
}

// print writes a table, nil for none, as wide as the terminal allows.
func (a *App) print(t *table.Table) {
	if t != nil {
		fmt.Fprintf(a.Out, "\n%s\n", fit(t, width(a.Out)))
	}
}

// fit drops columns, the least needed first, until a table fits the terminal.
// The files in --out have all of them.
func fit(t *table.Table, columns int) *table.Table {
	whole := t
	for _, name := range []string{"the one change", "curve", "p", "tokens/s", "expected", "step", "params", "diverged", "lr"} {
		if columns == 0 || tableWidth(t) <= columns {
			break
		}
		for i, c := range t.Columns {
			if c == name {
				t = without(t, i)
				break
			}
		}
	}
	if t == whole {
		return t
	}
	t.Notes = append(slices.Clone(t.Notes), fmt.Sprintf("%d of %d columns, for the width of the terminal; the files have all.", len(t.Columns), len(whole.Columns)))
	return t
}

// tableWidth is the length of the rule below a table's header.
func tableWidth(t *table.Table) int {
	bare := table.Table{Columns: t.Columns, Align: t.Align, Rows: t.Rows}
	w := 0
	for line := range strings.Lines(bare.String()) {
		w = max(w, utf8.RuneCountInString(strings.TrimRight(line, "\n")))
	}
	return w
}

// without returns a copy of a table that lacks one column.
func without(t *table.Table, i int) *table.Table {
	out := table.New(t.Title)
	out.Notes = t.Notes
	cut := func(row []string) []string {
		if i >= len(row) {
			return row
		}
		return append(append([]string(nil), row[:i]...), row[i+1:]...)
	}
	out.Columns = cut(t.Columns)
	for k, a := range t.Align {
		if k != i {
			out.Align = append(out.Align, a)
		}
	}
	for _, row := range t.Rows {
		out.Rows = append(out.Rows, cut(row))
	}
	return out
}
