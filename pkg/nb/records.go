package nb

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/tracker"
)

// trackerOutputs is the part of the switch that is about the tracker, nil for
// others.
func trackerOutputs(x any) []output {
	switch x := x.(type) {
	case *Book:
		return []output{textOutput(x.String())}
	case *tracker.RunInfo:
		return []output{tableOutput(runsTable([]tracker.RunInfo{*x}))}
	case tracker.RunInfo:
		return []output{tableOutput(runsTable([]tracker.RunInfo{x}))}
	case []tracker.RunInfo:
		return []output{tableOutput(runsTable(x))}
	case []tracker.Experiment:
		return []output{tableOutput(experimentsTable(x))}
	case []tracker.Summary:
		return []output{tableOutput(summariesTable(x))}
	case []tracker.Param:
		return []output{tableOutput(paramsTable(x))}
	case []tracker.Artifact:
		return []output{tableOutput(artifactsTable(x))}
	case []tracker.Event:
		return []output{tableOutput(eventsTable(x))}
	case []tracker.Point:
		return []output{pointsOutput(x)}
	case *tracker.Table:
		return []output{tableOutput(answerTable(x))}
	}
	return nil
}

// answerTable is the answer to a question, with what its reader should know.
func answerTable(x *tracker.Table) *table.Table {
	t := table.New("", x.Header()...)
	t.Rows, t.Notes = x.Rows(), x.Notes
	return noted(t, "Nothing.")
}

// moment is a time for a table, "" if there is none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

func runsTable(runs []tracker.RunInfo) *table.Table {
	t := table.New("", "id", "name", "experiment", "group", "status", "seed", "last step", "started", "took")
	t.Align = []table.Align{table.Left, table.Left, table.Left, table.Left, table.Left, table.Right, table.Right, table.Left, table.Right}
	for _, r := range runs {
		seed, took, step := "", "", "–"
		if r.HasSeed {
			seed = fmt.Sprint(r.Seed)
		}
		if !r.Finished.IsZero() {
			took = r.Finished.Sub(r.Created).Round(100 * time.Millisecond).String()
		}
		if r.LastStep >= 0 {
			step = fmt.Sprint(r.LastStep)
		}
		t.Add(r.ID, r.Name, r.Experiment, r.Group, string(r.Status), seed, step, moment(r.Created), took)
	}
	return noted(t, "No runs.")
}

func summariesTable(s []tracker.Summary) *table.Table {
	t := table.New("", "metric", "last", "at step", "min", "at step", "max", "at step", "values")
	t.Align = []table.Align{table.Left}
	for _, m := range s {
		key := m.Key
		if m.Context != "" {
			key += " (" + m.Context + ")"
		}
		t.Add(key, number(m.Last), fmt.Sprint(m.LastStep), number(m.Min), fmt.Sprint(m.MinStep), number(m.Max), fmt.Sprint(m.MaxStep), fmt.Sprint(m.Count))
	}
	return t
}

func experimentsTable(list []tracker.Experiment) *table.Table {
	t := table.New("", "experiment", "runs", "newest run", "note")
	t.Align = []table.Align{table.Left, table.Right, table.Left, table.Left}
	for _, e := range list {
		t.Add(e.Name, fmt.Sprint(e.Runs), moment(e.Latest), e.Note)
	}
	return noted(t, "No experiments.")
}

func paramsTable(params []tracker.Param) *table.Table {
	t := table.New("", "field", "value", "type")
	t.Align = []table.Align{table.Left, table.Left, table.Left}
	for _, p := range params {
		t.Add(p.Key, p.Text, string(p.Type))
	}
	return noted(t, "No config.")
}

func artifactsTable(list []tracker.Artifact) *table.Table {
	t := table.New("", "artifact", "version", "kind", "bytes", "SHA-256", "when")
	t.Align = []table.Align{table.Left, table.Right, table.Left, table.Right, table.Left, table.Left}
	for _, a := range list {
		t.Add(a.Name, fmt.Sprint(a.Version), a.Kind, fmt.Sprint(a.Size), a.SHA256[:min(12, len(a.SHA256))]+"…", moment(a.Time))
	}
	return noted(t, "No artifacts.")
}

func eventsTable(list []tracker.Event) *table.Table {
	t := table.New("", "when", "event", "message")
	t.Align = []table.Align{table.Left, table.Left, table.Left}
	for _, e := range list {
		t.Add(moment(e.Time), e.Kind, e.Message)
	}
	return noted(t, "No events.")
}

func numbersTable(m map[string]float64) *table.Table {
	t := table.New("", "name", "value")
	t.Align = []table.Align{table.Left, table.Right}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		t.Add(k, number(m[k]))
	}
	return noted(t, "Empty.")
}

func textsTable(m map[string]string) *table.Table {
	t := table.New("", "name", "value")
	t.Align = []table.Align{table.Left, table.Left}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		t.Add(k, m[k])
	}
	return noted(t, "Empty.")
}

// noted says below a table without rows what is missing.
func noted(t *table.Table, none string) *table.Table {
	if len(t.Rows) == 0 {
		t.Note(none)
	}
	return t
}

// pointsOutput draws the history of metrics, a line for each key.
func pointsOutput(points []tracker.Point) output {
	p := Plot{cfg: figure.Config{XLabel: "step"}, over: true}
	for _, pt := range points {
		l := p.line(strings.Join(nonEmpty(pt.Key, pt.Context), ", "))
		l.x, l.y = append(l.x, float64(pt.Step)), append(l.y, pt.Value)
	}
	if len(p.lines) == 1 {
		p.cfg.YLabel = p.lines[0].name
	}
	return p.draw()
}
