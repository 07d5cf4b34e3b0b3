//go:build gophernotes

package bindings

import (
	"fmt"
	"go/build"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cosmos72/gomacro/base/untyped"
	"github.com/cosmos72/gomacro/fast"
	"github.com/cosmos72/gomacro/imports"

	fixture "github.com/gophersnake/gophersnake/internal/genbind/testdata/bindings"
)

const (
	ours        = "github.com/gophersnake/gophersnake/"
	fixturePath = ours + "internal/genbind/testdata/fixture"
)

// newInterpreter returns an interpreter that knows our tables, as the kernel has
// it.
func newInterpreter(t *testing.T) *fast.Interp {
	t.Helper()
	was := build.Default.GOROOT
	// With a Go installation at hand the interpreter would ask go/importer for
	// types, and fail on what it does not know. Without, it uses reflection.
	build.Default.GOROOT = "/nonexistent-goroot"
	t.Cleanup(func() { build.Default.GOROOT = was })
	for _, path := range Paths() {
		table, _ := Table(path)
		imports.Packages.MergePackage(path, table)
	}
	imports.Packages.MergePackage(fixturePath, fixture.Table(fixturePath))
	return fast.New()
}

// eval evaluates a cell, and returns the value of its last expression as text.
func eval(t *testing.T, ir *fast.Interp, src string) string {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("%s\npanics: %v", src, r)
		}
	}()
	values, _ := ir.Eval(src)
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprint(v.Interface()))
	}
	return strings.Join(out, " ")
}

// TestEveryPackage imports every package that has a table, and uses something
// of each.
func TestEveryPackage(t *testing.T) {
	cells := map[string][2]string{ // path → expression, its value
		ours + "pkg/init":       {`initializer.HalfLife(0.5)`, "1"},
		ours + "pkg/lab":        {`len(lab.RungNames()) > 0`, "true"},
		ours + "pkg/lab/figure": {`figure.DPI`, "150"},
		ours + "pkg/lab/stats":  {`stats.Summarise([]float64{1, 2, 3}, 0.95).Mean`, "2"},
		ours + "pkg/lab/table":  {`(func() string { t := table.New("", "a", "b"); t.Add("1", "2"); return t.CSV() })()`, "a,b\n1,2\n"},
		ours + "pkg/nb":         {`nb.Context().Err()`, "<nil>"},
		ours + "pkg/nn":         {`nn.CountParams(nil)`, "0"},
		ours + "pkg/optim":      {`optim.DefaultAdamWConfig().Beta1`, "0.9"},
		ours + "pkg/rnn":        {`rnn.DefaultDenseConfig().Nonlinearity`, "tanh"},
		ours + "pkg/ssm":        {`(func() float64 { h, _ := ssm.Scan(ssm.AlgChunked, []float64{0.5, 0.5}, []float64{1, 1}); return h[1] })()`, "1.5"},
		ours + "pkg/task":       {`task.DefaultConfig(task.Names()[0]).Name == task.Names()[0]`, "true"},
		ours + "pkg/tensor":     {`tensor.From(tensor.Reference(), []float64{1, 2, 3, 4}, 2, 2).Dim(1)`, "2"},
		ours + "tracker":        {`tracker.DefaultConfig("x.db").Path`, "x.db"},

		ours + "tracker/analysis": {`analysis.Group{Samples: []analysis.Sample{{Value: 1}, {Value: 3}}}.ExpectedBest(1, analysis.Options{})`, "2"},
		ours + "tracker/sysmon":   {`(func() error { _, err := sysmon.Start(nil, sysmon.Options{Every: -1}); return err })() != nil`, "true"},

		"gonum.org/v1/gonum/cmplxs":        {`cmplxs.Sum([]complex128{1, 2i})`, "(1+2i)"},
		"gonum.org/v1/gonum/diff/fd":       {`fd.Derivative(func(x float64) float64 { return 2 * x }, 1, nil) > 1.99`, "true"},
		"gonum.org/v1/gonum/dsp/fourier":   {`fourier.NewFFT(8).Freq(1)`, "0.125"},
		"gonum.org/v1/gonum/floats":        {`floats.Sum([]float64{1, 2, 3})`, "6"},
		"gonum.org/v1/gonum/floats/scalar": {`scalar.Round(1.2345, 2)`, "1.23"},
		"gonum.org/v1/gonum/mat":           {`mat.Det(mat.NewDense(2, 2, []float64{2, 0, 0, 3}))`, "6"},
		"gonum.org/v1/gonum/optimize":      {`optimize.GradientThreshold`, "GradientThreshold"},
		"gonum.org/v1/gonum/stat":          {`stat.Mean([]float64{1, 3}, nil)`, "2"},
		"gonum.org/v1/gonum/stat/distuv":   {`distuv.Normal{Mu: 3, Sigma: 1}.Mean()`, "3"},

		"gonum.org/v1/plot":                  {`(func() string { p := plot.New(); p.Title.Text = "loss"; return p.Title.Text })()`, "loss"},
		"gonum.org/v1/plot/palette":          {`len(palette.Heat(5, 1).Colors())`, "5"},
		"gonum.org/v1/plot/palette/moreland": {`len(moreland.SmoothBlueRed().Palette(3).Colors())`, "3"},
		"gonum.org/v1/plot/plotter":          {`plotter.XYs{{X: 1, Y: 2}}.Len()`, "1"},
		"gonum.org/v1/plot/plotutil":         {`len(plotutil.DarkColors) > 0`, "true"},
		"gonum.org/v1/plot/vg":               {`(2 * vg.Inch).Points()`, "144"},
		"gonum.org/v1/plot/vg/draw":          {`draw.LineStyle{Width: 2}.Width`, "2"},

		"cmp":          {"", ""}, // all generic: nothing but reasons
		"maps":         {"", ""},
		"slices":       {"", ""},
		"context":      {`(func() error { c, stop := context.WithCancelCause(context.Background()); stop(nil); return context.Cause(c) })()`, "context canceled"},
		"errors":       {`errors.Join(errors.New("a"), errors.New("b"))`, "a\nb"},
		"fmt":          {`string(fmt.Appendf(nil, "%03d", 7))`, "007"},
		"strings":      {`(func() string { s, _ := strings.CutPrefix("pkg/nn", "pkg/"); return s })()`, "nn"},
		"sync":         {`(func() int { n := 0; f := sync.OnceFunc(func() { n++ }); f(); f(); return n })()`, "1"},
		"sync/atomic":  {`(func() int64 { var n atomic.Int64; n.Add(2); return n.Load() })()`, "2"},
		"time":         {`time.Unix(0, 0).UTC().Format(time.DateOnly)`, "1970-01-01"},
		"math/rand/v2": {`rand.New(rand.NewPCG(1, 2)).IntN(1)`, "0"},
	}
	ir := newInterpreter(t)
	for _, path := range Paths() {
		cell, ok := cells[path]
		if !ok {
			t.Errorf("%s has no test", path)
			continue
		}
		eval(t, ir, fmt.Sprintf("import %q", path))
		if cell[0] == "" {
			continue
		}
		if got := eval(t, ir, cell[0]); got != cell[1] {
			t.Errorf("%s: %s is %q, want %q", path, cell[0], got, cell[1])
		}
	}
	for path := range cells {
		if !slices.Contains(Paths(), path) {
			t.Errorf("%s is tested and has no table", path)
		}
	}
}

// TestMixer declares a layer in a cell and trains with it through compiled code.
func TestMixer(t *testing.T) {
	ir := newInterpreter(t)
	eval(t, ir, fmt.Sprintf("import (\n%q\n%q\n%q\n)", ours+"pkg/nn", ours+"pkg/optim", ours+"pkg/tensor"))
	eval(t, ir, `
type Leaky struct {
	in *nn.Linear
	d  *tensor.Device
	w  int
}

func (m *Leaky) Name() string { return "leaky" }

func (m *Leaky) NewState(batch int) *nn.State { return nn.NewState() }

func (m *Leaky) Forward(tp *tensor.Tape, x *tensor.Tensor, s *nn.State) *tensor.Tensor {
	return tp.Map(tensor.Tanh, m.in.Forward(tp, x))
}`)
	eval(t, ir, `
func train(steps int) (name string, first, last float64) {
	b := nn.NewBuilder(tensor.Reference(), 1)
	cfg := nn.ModelConfig{D: 8, Layers: 1, Vocab: 4, Outputs: 4, Head: nn.LMHead, Block: nn.DefaultBlockConfig()}
	var made *Leaky
	model, err := nn.NewModel(b, cfg, func(b *nn.Builder, width int) (nn.Mixer, error) {
		made = &Leaky{in: nn.NewLinear(b.Sub("in"), width, width, true), d: b.Device, w: width}
		return made, nil
	})
	if err != nil {
		panic(err)
	}
	opt, err := optim.NewAdamW(b.Params(), optim.DefaultAdamWConfig())
	if err != nil {
		panic(err)
	}
	tp := tensor.NewTape(b.Device)
	tokens, targets := []int32{0, 1, 2, 3}, []int32{1, 2, 3, 0}
	for i := 0; i < steps; i++ {
		tp.Reset()
		tensor.ZeroGrad(b.Params())
		loss := tp.CrossEntropy(model.Tokens(tp, tokens, 1, 4, nil), targets)
		tp.Backward(loss)
		opt.Step(0.02)
		last = loss.Item()
		if i == 0 {
			first = last
		}
	}
	return made.Name(), first, last
}`)
	if got := eval(t, ir, `(func() string {
	name, first, last := train(20)
	if last < first/2 { return name }
	return "did not learn"
})()`); got != "leaky" {
		t.Errorf("training a layer declared in a cell: %s", got)
	}
}

// TestInterfaces hands values of types declared in cells to compiled code.
func TestInterfaces(t *testing.T) {
	ir := newInterpreter(t)
	eval(t, ir, fmt.Sprintf("import (\n%q\n%q\n%q\n%q\n%q\n)", "context", "html/template", ours+"pkg/lab", ours+"pkg/task", fixturePath))
	eval(t, ir, `import texttemplate "text/template"`)
	eval(t, ir, `
type Diary struct { lines []string }
func (d *Diary) Log(key string, step int64, value float64) error { d.lines = append(d.lines, key); return nil }
func (d *Diary) SaveArtifact(name string, data []byte) error { return nil }
func (d *Diary) SetTag(key, value string) error { return nil }
func (d *Diary) End(status lab.Status, detail string) error { d.lines = append(d.lines, string(status)); return nil }

type Score struct { rendered int }
func (s *Score) Name() string { return "score" }
func (s *Score) Score(scale float64, xs ...float64) (float64, error) {
	sum := 0.0
	for _, x := range xs { sum += scale * x }
	return sum, nil
}
func (s *Score) Render(a *texttemplate.Template, b *template.Template) { s.rendered++ }`)
	if got := eval(t, ir, `fixture.Describe(&Score{})`); got != "score 12 <nil>" {
		t.Errorf("Describe of a cell's type: %q", got)
	}
	eval(t, ir, `
func record() []string {
	e := lab.DefaultExperiment(task.SelectiveCopying)
	e.Steps, e.Model.D, e.Model.Layers, e.Model.Mixer = 1, 8, 1, lab.DefaultMixer(lab.Identity)
	diary := &Diary{}
	if _, err := lab.Run(context.Background(), e, lab.Options{Recorder: diary, Workers: 1}); err != nil { panic(err) }
	return diary.lines
}`)
	got := eval(t, ir, `record()`)
	if !strings.Contains(got, "train/loss") || !strings.HasSuffix(got, "finished]") {
		t.Errorf("a cell's lab.Recorder was told %s", got)
	}
}

// TestFixture uses the generator's fixture: constants, aliases, instances,
// promoted methods, method values.
func TestFixture(t *testing.T) {
	ir := newInterpreter(t)
	eval(t, ir, fmt.Sprintf("import %q", fixturePath))
	for _, c := range [][2]string{
		{`fixture.Small + 1`, "8"},
		{`fixture.Wide`, "1099511627776"},
		{`uint64(fixture.Top)`, "18446744073709551615"},
		{`fixture.Over / fixture.Wide`, "16777216"},
		{`fixture.Vast / (fixture.Vast - 1) `, "1"},
		{`fixture.Huge / (fixture.Huge * 2)`, "0.5"},
		{`fixture.Third * 3 == 1`, "true"},
		{`fixture.Letter`, "103"},
		{`imag(fixture.Imag)`, "2"},
		{`fixture.Yes`, "true"},
		{`fixture.Text`, "a:\"b\"\n"},
		{`fixture.Typed.String()`, "kind 3"},
		{`fixture.Same(4).String()`, "kind 4"},
		{`len(fixture.Floats{1, 2})`, "2"},
		{`fixture.SumF(1, 2.5)`, "3.5"},
		{`fixture.SumKind(1, 2).String()`, "kind 3"},
		{`fixture.PairT{First: "x"}.Swap().Second`, "x"},
		{`fixture.Both{1, 2}.Swap().First`, "2"},
		{`(func() int { d := &fixture.Derived{A: 1, B: 2}; f, g := d.Own, d.Bump; g(); return f() + d.Steps })()`, "4"},
		{`(func() string { d := &fixture.Derived{}; return d.Whisper() })()`, "psst"},
		{`(func() int { fixture.Counter = 5; return *(&fixture.Counter) + 1 })()`, "6"},
	} {
		if got := eval(t, ir, c[0]); got != c[1] {
			t.Errorf("%s is %q, want %q", c[0], got, c[1])
		}
	}
}

// TestUntyped checks that the interpreter reads every untyped constant.
func TestUntyped(t *testing.T) {
	n := 0
	for _, path := range Paths() {
		table, _ := Table(path)
		for _, name := range slices.Sorted(maps.Keys(table.Untypeds)) {
			n++
			if kind, val := untyped.Unmarshal(table.Untypeds[name]); kind == untyped.None || val == nil {
				t.Errorf("%s.%s: %q cannot be read", path, name, table.Untypeds[name])
			}
			if _, ok := table.Binds[name]; !ok {
				t.Errorf("%s.%s is not bound", path, name)
			}
		}
	}
	if n == 0 {
		t.Error("no constant was checked")
	}
}
