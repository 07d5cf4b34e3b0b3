package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/tracker"
)

// show prints a study's tables: above the bar where there is one, so that neither
// tears the other apart.
func (l *ladderRun) show(r *lab.StudyResult) {
	for _, t := range r.Tables() {
		if l.p.bars != nil && width(l.app.Out) > 0 {
			l.p.say("\n%s", fit(t, width(l.app.Out)))
		} else {
			l.app.print(t)
		}
	}
}

// finish writes the report and says what to do next.
func (l *ladderRun) finish(ctx context.Context, preset lab.Preset) error {
	env := l.book.Environment("cpu").Values()
	rec := lab.LadderRecord{Preset: preset.Name, Seconds: math.Round(time.Since(l.start).Seconds()), Runs: l.ended, Reused: l.reused,
		Machine: map[string]string{"cpu": env["cpu.model"], "cores": env["cpu.cores"], "go": env["go.version"], "kernels": env["extra.kernels"]}}
	for _, r := range l.results {
		rec.Studies = append(rec.Studies, r.Record())
	}
	if err := rec.Publish(l.flags.out); err != nil {
		return err
	}
	for _, note := range l.book.Notes() {
		fmt.Fprintf(l.app.Err, "note: %s\n", note)
	}
	fmt.Fprintf(l.app.Out, "%d runs in %s", l.ended, clock(time.Since(l.start)))
	if l.reused > 0 {
		fmt.Fprintf(l.app.Out, ", %d of them found in %s", l.reused, l.app.db)
	}
	fmt.Fprintf(l.app.Out, ". Tables and figures: %s\n", filepath.Join(l.flags.out, "ladder-"+preset.Name+".md"))
	return l.whatNext(ctx)
}

// renderLadder makes tables and figures from a record.
func (a *App) renderLadder(cmd *cobra.Command, f ladderFlags) error {
	for _, other := range []string{"preset", "task", "rung", "equal", "seeds", "first-seed", "steps", "workers", "checkpoint-every", "fresh"} {
		if cmd.Flags().Changed(other) {
			return usage(cmd, errors.New("--render makes what a record says: it takes no --"+other))
		}
	}
	rec, results, err := readLadder(f.render)
	if err != nil {
		return err
	}
	if cmd.Flags().Changed("against") {
		_, others, err := readLadder(f.against)
		if err != nil {
			return err
		}
		t, err := lab.Stability(results, others)
		if err == nil {
			a.print(t)
		}
		return err
	}
	if err := errors.Join(writableDir(f.out), rec.Publish(f.out)); err != nil {
		return err
	}
	for _, r := range results {
		for _, t := range r.Tables() {
			a.print(t)
		}
	}
	_, err = fmt.Fprintf(a.Out, "Tables and figures: %s\n", filepath.Join(f.out, "ladder-"+rec.Preset+".md"))
	return err
}

// readLadder reads a record and the studies in it.
func readLadder(path string) (lab.LadderRecord, []*lab.StudyResult, error) {
	rec, err := lab.ReadLadder(path)
	if err != nil {
		return rec, nil, hinted(err, "a ladder writes one beside its tables: out/ladder-quick.json")
	}
	results, err := rec.Results()
	return rec, results, err
}

// whatNext prints commands that lead on, with the best runs' ids in them.
func (l *ladderRun) whatNext(ctx context.Context) error {
	say := func(words string, args ...any) {
		fmt.Fprintf(l.app.Out, "  %s\n", l.app.command(fmt.Sprintf(words, args...)))
	}
	fmt.Fprintf(l.app.Out, "\nWhat next:\n")
	for i, r := range l.results {
		id, err := l.bestRun(ctx, r, l.runsOf[i])
		if err != nil {
			return err
		}
		if i == 0 {
			say("runs list --experiment %s --best %s", l.runsOf[i], r.Key())
			say("runs show %s", id)
			say("replay %s", id)
		}
		if byteLevel(r.Config.Arms[0].Experiment.Task.Name) {
			say("generate %s --prompt 'func '", id)
		}
	}
	return nil
}

// bestRun returns the id of the run with the best result of a study, whose runs
// are in a collection.
func (l *ladderRun) bestRun(ctx context.Context, r *lab.StudyResult, collection string) (string, error) {
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
	runs, err := l.store.Runs(ctx, tracker.Filter{Experiment: collection, Group: group})
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
	for _, name := range []string{"the one change", "curve", "tokens/s", "diverged", "expected", "state", "params", "lr", "exact", "step", "p"} {
		if columns == 0 || tableWidth(t) <= columns {
			break
		}
		t = t.Without(name)
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
