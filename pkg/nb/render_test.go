package nb

import (
	"context"
	"errors"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/tracker"
)

// TestRender is about what a cell's last expression gives: one or more values,
// of which an error that is nil is not shown.
func TestRender(t *testing.T) {
	r := train(t, lab.S6)
	for _, c := range []struct {
		name   string
		values []any
		kinds  string // as in TestShow
		text   string // in the last output
	}{
		{"run", []any{r}, "ts", "figure: s6"},
		{"run and no error", []any{r, nil}, "ts", "figure: s6"},
		{"run and error", []any{r, context.Canceled}, "tsx", "error: context canceled"},
		{"rung", []any{lab.Rungs()[0], nil}, "t", lab.Rungs()[0].Name},
		{"no rung and error", []any{lab.Rung{}, errors.New("no such rung")}, "x", "error: no such rung"},
		{"params", []any{[]tracker.Param{{Key: "model.d", Type: tracker.ParamInt, Text: "64"}}, nil}, "t", "model.d"},
		{"no params", []any{[]tracker.Param(nil), nil}, "t", "No config."},
		{"answer", []any{&tracker.Table{Columns: []tracker.Column{{Name: "best"}}, Cells: [][]tracker.Cell{{{Type: tracker.CellFloat, Num: 0.25}}}, Notes: []string{"1 of 9 runs"}}, nil}, "t", "1 of 9 runs"},
		{"points", []any{[]tracker.Point{{Key: "loss", Step: 1, Value: 2}}}, "s", "loss"},
		{"final", []any{r.Final}, "t", lab.KeyTrainLoss},
		{"replay", []any{&lab.ReplayReport{Compared: 3}, nil}, "x", "equal: 3 of 3"},
		{"number", []any{3}, "", ""},
		{"number and no error", []any{3, nil}, "", ""},
		{"text", []any{"plain"}, "", ""},
		{"error", []any{errors.New("bad")}, "", ""},
		{"nil run and error", []any{(*lab.Result)(nil), errors.New("bad")}, "", ""},
		{"nothing", nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			outputs := Render(c.values...)
			if len(outputs) != len(c.kinds) {
				t.Fatalf("%d outputs, want %d: %v", len(outputs), len(c.kinds), outputs)
			}
			for i, o := range outputs {
				checkKind(t, message{data: o.Data, metadata: o.Metadata}, c.kinds[i])
			}
			if len(outputs) > 0 {
				contains(t, "text", outputs[len(outputs)-1].Data["text/plain"].(string), c.text)
			}
		})
	}
}

func TestGrid(t *testing.T) {
	f := notebook(t)
	Grid("found", []string{"run", "loss"}, [][]string{{"12ab", "0.5"}, {"9f"}}, []bool{false, true})
	Grid("none", []string{"run"}, nil, nil)
	ms := f.messages()
	contains(t, "HTML", ms[0].html(), `text-align:left;white-space:nowrap">12ab</td>`, `text-align:right;white-space:nowrap">0.5</td>`, `text-align:left;white-space:nowrap">9f</td>`)
	contains(t, "text", ms[0].text(), "found", "run   loss")
	contains(t, "empty", ms[1].text(), "none", "No rows.")
}

// TestTrainAtTheEndOfACell: the live curve is above, so only the table follows;
// in a later cell the same value has both.
func TestTrainAtTheEndOfACell(t *testing.T) {
	notebook(t)
	r, err := Train(tiny(lab.S6))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(Render(r, nil)); n != 1 {
		t.Errorf("%d outputs under the live curve, want the table alone", n)
	}
	notebook(t) // another cell has another context
	if n := len(Render(r)); n != 2 {
		t.Errorf("%d outputs in a later cell, want table and figure", n)
	}
}
