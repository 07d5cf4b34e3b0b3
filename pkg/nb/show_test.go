package nb

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/tracker"
)

type htmlThing struct{}

func (htmlThing) HTML() string   { return "<b>thing</b>" }
func (htmlThing) String() string { return "thing" }

type svgThing struct{}

func (svgThing) SVG() string { return "<svg/>" }

type pngThing struct{ data []byte }

func (p pngThing) PNG() []byte { return p.data }

func testFigure(t *testing.T) *figure.Figure {
	t.Helper()
	f, err := figure.Curves(figure.Config{Title: "a & <b>"}, []figure.Series{{Name: "s<1>", X: []float64{1, 2}, Y: []float64{3, 4}}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func train(t *testing.T, kind lab.MixerKind) *lab.Result {
	t.Helper()
	r, err := lab.Run(context.Background(), tiny(kind), lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestShow walks the switch: every known type, as value and pointer.
func TestShow(t *testing.T) {
	tab := table.New("<title>", "a&b", "c")
	tab.Add("<script>", "1")
	batch, err := task.New(tiny(lab.S6).Task, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := train(t, lab.S6)
	study := &lab.StudyResult{Config: lab.StudyConfig{Name: "s", Seeds: []uint64{r.Experiment.Seed}, LRs: []float64{r.Experiment.Schedule.LR},
		Arms: []lab.Arm{{Name: "mamba", Experiment: r.Experiment}}}, Spec: task.SpecOf(r.Experiment.Task),
		Arms: []lab.ArmResult{{Arm: lab.Arm{Name: "mamba", Experiment: r.Experiment}, LR: r.Experiment.Schedule.LR, Runs: []*lab.Result{r}}}}
	scaling, err := lab.MeasureScaling(context.Background(), lab.ScalingConfig{Rungs: []string{"conv"}, D: 4, Lengths: []int{4, 8, 16}, Repeats: 1, Device: "cpu", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	record := lab.LadderRecord{Studies: []lab.StudyRecord{study.Record()}}
	info := tracker.RunInfo{ID: "abc", Name: "<n>", Status: tracker.StatusFinished, HasSeed: true, LastStep: -1}
	changed := r.Experiment
	changed.Model.D = 99
	arms, err := lab.Ladder(r.Experiment, "rnn", "mamba")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		x     any
		kinds string // of the outputs: t table, s svg, x text, h HTML, p PNG
		text  string // in the first
	}{
		{"table", tab, "t", "<script>"},
		{"table value", *tab, "t", "<script>"},
		{"nil table", (*table.Table)(nil), "x", "nothing to show"},
		{"nil", nil, "x", "nothing to show"},
		{"figure", testFigure(t), "s", "figure: a & <b>"},
		{"nil figure", (*figure.Figure)(nil), "x", "nothing to show"},
		{"batch", batch.Train(0), "h", "4 sequences × "},
		{"batch value", *batch.Train(0), "h", "in "},
		{"run", r, "ts", "train/loss"},
		{"run value", *r, "ts", "finished after 12 of 12 steps"},
		{"empty run", lab.Result{}, "t", "0 parameters"},
		{"runs", []*lab.Result{r, nil, train(t, lab.GRU)}, "ts", "model.mixer.kind"},
		{"no runs", []*lab.Result{}, "x", "nothing to compare"},
		{"study", study, "tss", "mamba"},
		{"study value", *study, "tss", "mamba"},
		{"scaling", scaling, "ts", "conv"},
		{"scaling value", *scaling, "ts", "exponent"},
		{"ladder record", &record, "t", "mamba"},
		{"ladder record value", record, "t", "rung"},
		{"studies", record.Studies, "t", "rung"},
		{"experiment", r.Experiment, "t", "optimiser"},
		{"experiment pointer", &changed, "t", "model.d"},
		{"arms", arms, "t", "h = tanh(W h + U x + b)"},
		{"rungs", lab.Rungs(), "t", "16 states a channel"},
		{"changes", lab.Diff(r.Experiment, changed), "t", "99"},
		{"no changes", []lab.Change{}, "t", "the same"},
		{"curve", r.Curves[lab.KeyTrainLoss], "s", "figure"},
		{"empty curve", lab.Curve{}, "x", "0 steps"},
		{"bar", newBar("b", 1), "h", "0/1"},
		{"plot", Curve("p", "x", "y"), "x", "nothing yet"},
		{"run info", info, "t", "abc"},
		{"run info pointer", &info, "t", "abc"},
		{"run infos", []tracker.RunInfo{}, "t", "No runs."},
		{"summaries", []tracker.Summary{{Key: "loss", Context: "c", Last: 2}}, "t", "loss (c)"},
		{"experiments", []tracker.Experiment{{Name: "ladder", Runs: 3}}, "t", "ladder"},
		{"artifacts", []tracker.Artifact{{Name: "model", SHA256: "0123456789abcdef"}}, "t", "0123456789ab…"},
		{"events", []tracker.Event{{Kind: "resumed", Message: "<n>"}}, "t", "resumed"},
		{"params", []tracker.Param{{Key: "seed", Text: "1"}}, "t", "seed"},
		{"numbers", map[string]float64{"b": 1, "a": math.NaN()}, "t", "a         –"},
		{"texts", map[string]string{"os": "<n>"}, "t", "os"},
		{"no points", []tracker.Point{}, "x", "no points"},
		{"points", []tracker.Point{{Key: "loss", Step: 1, Value: 2}, {Key: "loss", Step: 2, Value: 1}}, "s", "loss"},
		{"replay", &lab.ReplayReport{Compared: 3}, "x", "equal: 3 of 3"},
		{"string", "plain", "x", "plain"},
		{"error", errors.New("bad"), "x", "error: bad"},
		{"html", htmlThing{}, "h", "thing"},
		{"svg", svgThing{}, "s", "svgThing"},
		{"png", pngThing{[]byte("no png")}, "p", ""},
		{"image", image.NewGray(image.Rect(0, 0, 3, 2)), "p", "3 × 2"},
		{"config", r.Experiment.Schedule, "x", `"lr"`},
		{"number", 3, "x", "3"},
		{"slice", []int{1, 2}, "x", "[1 2]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := notebook(t)
			Show(c.x)
			ms := f.messages()
			if len(ms) != len(c.kinds) {
				t.Fatalf("%d outputs, want %d: %v", len(ms), len(c.kinds), ms)
			}
			for i, m := range ms {
				checkKind(t, m, c.kinds[i])
			}
			contains(t, "text", ms[0].text(), c.text)
		})
	}
}

func checkKind(t *testing.T, m message, kind byte) {
	t.Helper()
	if m.text() == "" || m.update || m.id != "" {
		t.Errorf("message %+v", m)
	}
	if strings.Contains(m.html(), "<script>") || strings.Contains(m.html(), "<n>") {
		t.Errorf("HTML is not escaped: %s", m.html())
	}
	_, isPNG := m.data["image/png"].([]byte)
	want := map[byte]bool{'t': strings.Contains(m.html(), "<table"), 'h': m.html() != "", 's': m.svg() != "", 'p': isPNG, 'x': len(m.data) == 1}
	if !want[kind] {
		t.Errorf("not of kind %c: %v", kind, m.data)
	}
	if kind == 's' {
		for d := xml.NewDecoder(strings.NewReader(m.svg())); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("SVG: %v", err)
			}
		}
	}
}

func TestExplicitFunctions(t *testing.T) {
	f := notebook(t)
	Table(table.New("t", "a"))
	Figure(testFigure(t))
	FigurePNG(nil)
	HTML("<i>x</i>", "x")
	Markdown("$x^2$")
	Compare("no/such", train(t, lab.S6))
	Clear(true)
	ms := f.messages()
	if len(ms) != 7 || f.clears != 1 {
		t.Fatalf("%d messages, %d clears", len(ms), f.clears)
	}
	contains(t, "markdown", ms[4].data["text/markdown"].(string), "$x^2$")
	contains(t, "comparison", ms[6].text(), `no run has logged "no/such"`, lab.KeyTrainLoss)
}

func TestPNGIsShownAtHalfItsPixels(t *testing.T) {
	f := notebook(t)
	FigurePNG(testFigure(t))
	m := f.messages()[0]
	img, err := png.Decode(bytes.NewReader(m.data["image/png"].([]byte)))
	if err != nil {
		t.Fatal(err)
	}
	size, ok := m.metadata["image/png"].(map[string]any)
	if !ok || size["width"] != img.Bounds().Dx()/2 || img.Bounds().Dx() != 7*figure.DPI {
		t.Errorf("metadata %v for %v", m.metadata, img.Bounds())
	}
}
