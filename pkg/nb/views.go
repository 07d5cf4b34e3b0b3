package nb

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// isNil reports whether x is nil or holds a nil pointer, map, slice or the like.
func isNil(x any) bool {
	if x == nil {
		return true
	}
	v := reflect.ValueOf(x)
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Chan:
		return v.IsNil()
	}
	return false
}

// drawn is a figure, or what kept it from being drawn.
func drawn(f *figure.Figure, err error) output {
	if err != nil {
		return textOutput(err.Error())
	}
	return figureOutput(f)
}

// number is a value for a table with four digits, or all those before the point
// where a power of ten would be harder to read; "–" if there is none.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "–"
	case a >= 1e4 && a < 1e9:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}

// nameOf is how a run is called where it has no other name.
func nameOf(e lab.Experiment) string {
	return fmt.Sprintf("%s on %s, seed %d", e.Model.Mixer.Label(), e.Task.Name, e.Seed)
}

// resultOutputs shows a run: how it ended and its last values, and its losses by
// step.
func resultOutputs(r *lab.Result) []output {
	t := table.New(nameOf(r.Experiment), "metric", "last value")
	for _, key := range slices.Sorted(maps.Keys(r.Final)) {
		t.Add(key, number(r.Final[key]))
	}
	t.Note(r.String())
	out := []output{tableOutput(t)}
	var series []figure.Series
	for _, key := range slices.Sorted(maps.Keys(r.Curves)) {
		if c := r.Curves[key]; strings.HasSuffix(key, "/loss") && len(c.Steps) > 1 {
			series = append(series, seriesOf(key, c))
		}
	}
	if len(series) == 0 {
		return out
	}
	return append(out, drawn(figure.Curves(figure.Config{Title: nameOf(r.Experiment), XLabel: "step", YLabel: lossLabel(r.Experiment)}, series)))
}

// lossLabel is the loss with its unit.
func lossLabel(e lab.Experiment) string {
	if task.SpecOf(e.Task).Regression {
		return "mean squared error"
	}
	return "loss (nats)"
}

// seriesOf thins a curve as a Plot does.
func seriesOf(name string, c lab.Curve) figure.Series {
	p := Plot{lines: []*line{{name: name, x: floats(c.Steps), y: c.Values}}}
	return p.series()[0]
}

func floats(steps []int64) []float64 {
	out := make([]float64, len(steps))
	for i, s := range steps {
		out[i] = float64(s)
	}
	return out
}

func curveOutput(c lab.Curve) output {
	if len(c.Steps) == 0 || len(c.Steps) != len(c.Values) {
		return textOutput(fmt.Sprintf("a curve of %d steps and %d values", len(c.Steps), len(c.Values)))
	}
	return drawn(figure.Curves(figure.Config{XLabel: "step"}, []figure.Series{seriesOf("value", c)}))
}

func studyOutputs(r *lab.StudyResult) []output {
	out := []output{tableOutput(r.Table())}
	if t := r.LengthTable(); t != nil {
		out = append(out, tableOutput(t))
	}
	for _, f := range r.Figures() {
		if slices.Contains([]string{"", "-loss"}, f.Suffix) {
			out = append(out, drawn(f.Draw()))
		}
	}
	return out
}

func scalingOutputs(r *lab.ScalingResult) []output {
	return []output{tableOutput(r.Table()), drawn(r.Figure())}
}

// Compare shows runs against each other: a table of what differs in their
// experiments and of their last values, and the metric key by step.
func Compare(key string, runs ...*lab.Result) {
	for _, out := range comparison(key, runs) {
		display(out)
	}
}

func comparison(key string, runs []*lab.Result) []output {
	runs = slices.DeleteFunc(slices.Clone(runs), func(r *lab.Result) bool { return r == nil })
	if len(runs) == 0 {
		return []output{textOutput("nothing to compare: no run")}
	}
	names := runNames(runs)
	out := []output{tableOutput(compareTable(key, names, runs))}
	var series []figure.Series
	for i, r := range runs {
		if c := r.Curves[key]; len(c.Steps) > 0 {
			series = append(series, seriesOf(names[i], c))
		}
	}
	if len(series) == 0 {
		return append(out, textOutput(fmt.Sprintf("no run has logged %q; there are %s", key, strings.Join(keysOf(runs), ", "))))
	}
	return append(out, drawn(figure.Curves(figure.Config{Title: key, XLabel: "step", YLabel: key}, series)))
}

// runNames are the mixers, with a number where two are the same.
func runNames(runs []*lab.Result) []string {
	names := make([]string, len(runs))
	seen := map[string]int{}
	for i, r := range runs {
		names[i] = r.Experiment.Model.Mixer.Label()
		if seen[names[i]]++; seen[names[i]] > 1 {
			names[i] = fmt.Sprintf("%s #%d", names[i], seen[names[i]])
		}
	}
	return names
}

// compareTable has a column a run; the rows are the fields in which not all
// experiments agree, then how the runs ended and their metrics.
func compareTable(key string, names []string, runs []*lab.Result) *table.Table {
	t := table.New(fmt.Sprintf("%d runs, %s and more", len(runs), key), append([]string{""}, names...)...)
	t.Align = []table.Align{table.Left}
	for range runs {
		t.Align = append(t.Align, table.Right)
	}
	add := func(head string, cell func(r *lab.Result) string) {
		row := []string{head}
		for _, r := range runs {
			row = append(row, cell(r))
		}
		t.Add(row...)
	}
	for _, f := range differing(runs) {
		add(f, func(r *lab.Result) string { return strings.Trim(lab.Flatten(r.Experiment.JSON())[f], `"`) })
	}
	add("status", func(r *lab.Result) string { return string(r.Status) })
	add("steps", func(r *lab.Result) string { return fmt.Sprint(r.Steps) })
	add("parameters", func(r *lab.Result) string { return fmt.Sprint(r.Params) })
	for _, m := range keysOf(runs) {
		add(m, func(r *lab.Result) string { return number(lastOf(r, m)) })
	}
	return t
}

// differing lists the fields in which not all experiments agree.
func differing(runs []*lab.Result) []string {
	fields := map[string]bool{}
	for _, r := range runs {
		for _, c := range lab.Diff(runs[0].Experiment, r.Experiment) {
			fields[c.Field] = true
		}
	}
	return slices.Sorted(maps.Keys(fields))
}

// keysOf lists the metrics of runs that say how good they are.
func keysOf(runs []*lab.Result) []string {
	keys := map[string]bool{}
	for _, r := range runs {
		for k := range r.Final {
			if k == lab.KeyTrainLoss || !strings.HasPrefix(k, "train/") {
				keys[k] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

func experimentTable(e lab.Experiment) *table.Table {
	leaves := lab.Flatten(e.JSON())
	t := table.New(nameOf(e), "field", "value")
	t.Align = []table.Align{table.Left, table.Left}
	for _, f := range slices.Sorted(maps.Keys(leaves)) {
		t.Add(f, strings.Trim(leaves[f], `"`))
	}
	return t
}

func armsTable(arms []lab.Arm) *table.Table {
	t := table.New("", "arm", "the one change", "mixer", "parameters")
	for _, a := range arms {
		change, params := a.Change, "–"
		if r, err := lab.RungNamed(a.Name); err == nil && change == "" {
			change = r.Change
		}
		if n, err := a.CountParams(); err == nil {
			params = fmt.Sprint(n)
		}
		name := a.Label
		if name == "" {
			name = a.Name
		}
		t.Add(name, change, a.Experiment.Model.Mixer.Label(), params)
	}
	t.Align = []table.Align{table.Left}
	return t
}

func rungsTable(rungs []lab.Rung) *table.Table {
	t := table.New("", "rung", "name", "the one change", "what follows from it", "from", "expected")
	t.Align = []table.Align{table.Left, table.Left, table.Left, table.Left, table.Left}
	for _, r := range rungs {
		t.Add(r.Number, r.Name, r.Change, r.Follows, r.From, string(r.Expect))
	}
	return t
}

func changesTable(changes []lab.Change) *table.Table {
	t := table.New("", "field", "from", "to")
	t.Align = []table.Align{table.Left, table.Left, table.Left}
	for _, c := range changes {
		t.Add(c.Field, c.From, c.To)
	}
	if len(changes) == 0 {
		t.Note("The experiments are the same.")
	}
	return t
}

// batchRows is how many sequences of a batch are shown.
const batchRows = 3

func batchOutput(b *task.Batch) output {
	var text strings.Builder
	for row := range min(b.B, batchRows) {
		text.WriteString(b.Show(row))
	}
	return preOutput(b.String(), strings.TrimRight(text.String(), "\n"))
}
