package nb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"image/png"

	"github.com/gophersnake/gophersnake/internal/nbhook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// Show shows a value as well as it can be shown: results of the lab with their
// tables and figures, tables, figures, images, batches, runs of the tracker,
// whatever has a method Table, HTML, SVG, PNG or String, and everything else as
// text. In our kernel a value at the end of a cell is shown in the same way.
func Show(x any) {
	for _, out := range outputsOf(x) {
		display(out)
	}
}

// Table shows a table, as HTML in notebooks and aligned text elsewhere.
func Table(t *table.Table) { Show(t) }

// Grid shows rows of text under the names of their columns, such as a query's
// answer. numeric says which columns stand at the right; nil leaves that to what
// is in them. A row may be shorter or longer than columns.
func Grid(title string, columns []string, rows [][]string, numeric []bool) {
	Show(gridTable(title, columns, rows, numeric))
}

func gridTable(title string, columns []string, rows [][]string, numeric []bool) *table.Table {
	t := table.New(title, columns...)
	t.Rows = rows
	for _, right := range numeric {
		align := table.Left
		if right {
			align = table.Right
		}
		t.Align = append(t.Align, align)
	}
	return noted(t, "No rows.")
}

// Figure shows a figure as SVG.
func Figure(f *figure.Figure) { Show(f) }

// FigurePNG shows a figure as PNG, for notebooks that go where SVG is not
// drawn. It has twice the pixels that it is shown with.
func FigurePNG(f *figure.Figure) {
	if f == nil {
		display(textOutput("no figure"))
		return
	}
	data, err := f.PNG()
	if err != nil {
		display(textOutput(err.Error()))
		return
	}
	display(pngOutput(f.String(), data, 2))
}

// HTML shows HTML, and text where that is not understood.
func HTML(markup, text string) {
	display(output{data: nbhook.Bundle{"text/html": markup, "text/plain": text}})
}

// Markdown shows Markdown with formulas in LaTeX between $ signs.
func Markdown(text string) {
	display(output{data: nbhook.Bundle{"text/markdown": text, "text/plain": text}})
}

// display hands on an output. A front end that is gone is no reason to stop.
func display(o output) { _ = here.front().Display(o.data, o.metadata, "", false) }

// textOutput is plain text, in notebooks in a fixed-width block.
func textOutput(text string) output {
	return output{data: nbhook.Bundle{"text/plain": text}}
}

// tableOutput is a table, which is scrolled where the page is narrower.
func tableOutput(t *table.Table) output {
	return output{data: nbhook.Bundle{"text/plain": t.String(), "text/html": `<div style="overflow-x:auto">` + t.HTML() + "</div>"}}
}

// pngOutput is a PNG that is shown with a density-th of its pixels.
func pngOutput(text string, data []byte, density int) output {
	o := output{data: nbhook.Bundle{"text/plain": text, "image/png": data}}
	if c, err := png.DecodeConfig(bytes.NewReader(data)); err == nil && density > 1 {
		o.metadata = nbhook.Bundle{"image/png": map[string]any{"width": c.Width / density, "height": c.Height / density}}
	}
	return o
}

func imageOutput(m image.Image) output {
	text := fmt.Sprintf("image of %d × %d pixels", m.Bounds().Dx(), m.Bounds().Dy())
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return textOutput(text + ": " + err.Error())
	}
	return pngOutput(text, b.Bytes(), 1)
}

// outputsOf returns how a value is shown.
func outputsOf(x any) []output {
	if isNil(x) {
		return []output{textOutput(fmt.Sprintf("nothing to show: %T is nil", x))}
	}
	if out := viewsOf(x); out != nil {
		return out
	}
	return []output{otherOutput(x)}
}

// viewsOf is the switch over what this package has a view for, nil for all else.
func viewsOf(x any) []output {
	switch x := x.(type) {
	case *table.Table:
		return []output{tableOutput(x)}
	case table.Table:
		return []output{tableOutput(&x)}
	case *figure.Figure:
		return []output{figureOutput(x)}
	case *Plot:
		return []output{x.draw()}
	case *Bar:
		return []output{x.draw()}
	case *task.Batch:
		return []output{batchOutput(x)}
	case task.Batch:
		return []output{batchOutput(&x)}
	case map[string]float64:
		return []output{tableOutput(numbersTable(x))}
	case map[string]string:
		return []output{tableOutput(textsTable(x))}
	case interface{ Table() *table.Table }:
		if out := labOutputs(x); out != nil {
			return out
		}
		return []output{tableOutput(x.Table())}
	}
	if out := labOutputs(x); out != nil {
		return out
	}
	return trackerOutputs(x)
}

// labOutputs is the part of the switch that is about the lab, nil for others.
func labOutputs(x any) []output {
	switch x := x.(type) {
	case *lab.Result:
		return resultOutputs(x)
	case lab.Result:
		return resultOutputs(&x)
	case []*lab.Result:
		return comparison(lab.KeyTrainLoss, x)
	case *lab.StudyResult:
		return studyOutputs(x)
	case lab.StudyResult:
		return studyOutputs(&x)
	case *lab.ScalingResult:
		return scalingOutputs(x)
	case lab.ScalingResult:
		return scalingOutputs(&x)
	case *lab.LadderRecord:
		return summaryOutput(*x)
	case lab.LadderRecord:
		return summaryOutput(x)
	case []lab.StudyRecord:
		return summaryOutput(lab.LadderRecord{Studies: x})
	case []*lab.StudyResult:
		return []output{tableOutput(lab.SummaryTable(x))}
	case *lab.Experiment:
		return []output{tableOutput(experimentTable(*x))}
	case lab.Experiment:
		return []output{tableOutput(experimentTable(x))}
	case []lab.Arm:
		return []output{tableOutput(armsTable(x))}
	case lab.Rung:
		return []output{tableOutput(rungsTable([]lab.Rung{x}))}
	case []lab.Rung:
		return []output{tableOutput(rungsTable(x))}
	case []lab.Change:
		return []output{tableOutput(changesTable(x))}
	case lab.Curve:
		return []output{curveOutput(x)}
	case *lab.ReplayReport:
		return []output{textOutput(x.String())}
	case *lab.SpeedResult:
		return []output{textOutput(textOf(x))}
	}
	return nil
}

// summaryOutput shows a ladder's studies side by side.
func summaryOutput(l lab.LadderRecord) []output {
	results, err := l.Results()
	if err != nil {
		return []output{textOutput(textOf(err))}
	}
	return []output{tableOutput(lab.SummaryTable(results))}
}

// otherOutput shows what has a method for it, then images, then text.
func otherOutput(x any) output {
	text := textOf(x)
	switch x := x.(type) {
	case interface{ HTML() string }:
		return output{data: nbhook.Bundle{"text/plain": text, "text/html": x.HTML()}}
	case interface{ SVG() string }:
		return output{data: nbhook.Bundle{"text/plain": text, "image/svg+xml": x.SVG()}}
	case interface{ PNG() []byte }:
		return pngOutput(text, x.PNG(), 1)
	case image.Image:
		return imageOutput(x)
	}
	return textOutput(text)
}

// textOf is a value as text: errors and what has a String as they say, structs
// as indented JSON where that works.
func textOf(x any) string {
	switch x := x.(type) {
	case string:
		return x
	case error:
		return "error: " + x.Error()
	case fmt.Stringer:
		return x.String()
	case image.Image:
		return fmt.Sprintf("image of %d × %d pixels", x.Bounds().Dx(), x.Bounds().Dy())
	}
	if data, err := json.MarshalIndent(x, "", "  "); err == nil && len(data) > 0 && data[0] == '{' && len(data) > 2 {
		return fmt.Sprintf("%T %s", x, data)
	}
	if text := fmt.Sprintf("%+v", x); text != "{}" {
		return text
	}
	return fmt.Sprintf("%T", x)
}

// preOutput is text whose columns stand below each other, with a heading.
func preOutput(head, text string) output {
	return output{data: nbhook.Bundle{
		"text/plain": head + "\n" + text,
		"text/html":  "<div>" + html.EscapeString(head) + "</div><pre style=\"overflow-x:auto;white-space:pre\">" + html.EscapeString(text) + "</pre>",
	}}
}
