package ssm

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// This file is the same in pkg/rnn and pkg/ssm but for the package clause: how
// every layer is proved. What is proved is the table of layers_test.go.

// layer is one entry of the table: a layer in one config.
type layer struct {
	name string
	d    int
	make func(b *nn.Builder) (nn.Mixer, error)
	// perTensor bounds how many elements of a tensor checkGradient tries, for
	// layers of real size; 0 is all.
	perTensor int
}

// tried returns how many elements of t checkGradient tries.
func (l layer) tried(t *tensor.Tensor) int {
	if l.perTensor > 0 {
		return min(l.perTensor, t.Len())
	}
	return t.Len()
}

const (
	// A central difference with step ε^(1/3) is good to about ε^(2/3) = 2e-11
	// times third derivatives of size up to 1e3.
	gradTol = 1e-6
	// One sum in two orders, at float64 and at float32; 65 steps amplify by the
	// memory of the layer. The reference runs the same code for both: equal.
	stepTolReference, stepTolCPU = 1e-12, 1e-5
	// What the project promises for cpu against reference.
	forwardTolCPU, gradTolCPU = 1e-5, 1e-4
)

// checks are what every entry of the table must pass.
var checks = []struct {
	name string
	run  func(t *testing.T, l layer)
}{
	{"gradient", checkGradient},
	{"steps", checkSteps},
	{"export", checkExport},
	{"seed", checkSeed},
	{"cpu", checkCPU},
	{"shape", checkShape},
}

func TestLayers(t *testing.T) {
	for _, l := range layers() {
		t.Run(l.name, func(t *testing.T) {
			for _, c := range checks {
				t.Run(c.name, func(t *testing.T) { c.run(t, l) })
			}
		})
	}
	logWorst(t, "")
}

// TestLayersComplete fails for a constructor of a layer that the table lacks.
func TestLayersComplete(t *testing.T) {
	have := map[string]bool{}
	for _, l := range layers() {
		m, _ := build(t, l, tensor.Reference(), 1)
		have["New"+reflect.TypeOf(m).Elem().Name()] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "New") {
				continue
			}
			found++
			if !have[fn.Name.Name] {
				t.Errorf("%s makes a layer that no entry of layers() does", fn.Name.Name)
			}
		}
	}
	if found == 0 {
		t.Fatal("found no constructor")
	}
}

func build(t *testing.T, l layer, d *tensor.Device, seed uint64) (nn.Mixer, []*tensor.Param) {
	t.Helper()
	b := nn.NewBuilder(d, seed)
	m, err := l.make(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Params()) == 0 {
		t.Fatal("no parameters")
	}
	for _, p := range b.Params() {
		if !slices.Contains([]tensor.Group{tensor.Decay, tensor.NoDecay, tensor.Recurrent}, p.Group) {
			t.Fatalf("%s is in group %q", p.Name, p.Group)
		}
	}
	return m, b.Params()
}

// perturb moves every parameter off its start, where ones and zeros could hide
// an error, and rounds it to float32, so that both devices hold the same number.
func perturb(params []*tensor.Param) {
	rng := rand.New(rand.NewPCG(7, 11))
	for _, p := range params {
		data := p.Data()
		for i := range data {
			data[i] = float64(float32(data[i] + 0.05*rng.NormFloat64()))
		}
		p.SetData(data)
	}
}

// noise returns n float32 numbers of variance 1.
func noise(seed uint64, n int) []float64 {
	rng := rand.New(rand.NewPCG(seed, 13))
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(float32(rng.NormFloat64()))
	}
	return out
}

func newTape(d *tensor.Device) *tensor.Tape {
	tp := tensor.NewTape(d)
	tp.Poison(true)
	return tp
}

// startedState returns a state that has seen a few steps.
func startedState(m nn.Mixer, d *tensor.Device, batch, width int) *nn.State {
	tp := newTape(d)
	tp.SetGrad(false)
	s := m.NewState(batch)
	m.Forward(tp, tensor.From(d, noise(21, batch*3*width), batch, 3, width), s)
	return s
}

// checkGradient compares every parameter's and the input's gradient with central
// differences: whole sequences, from a state, and through the fused gate.
func checkGradient(t *testing.T, l layer) {
	const batch, length = 2, 5
	dev := tensor.Reference()
	m, params := build(t, l, dev, 1)
	perturb(params)
	x := tensor.Variable(dev, noise(3, batch*length*l.d), batch, length, l.d)
	z := tensor.Variable(dev, noise(4, batch*length*l.d), batch, length, l.d)
	wrt := []*tensor.Tensor{x}
	total := l.tried(x)
	for _, p := range params {
		wrt = append(wrt, p.Tensor)
		total += l.tried(p.Tensor)
	}
	state := startedState(m, dev, batch, l.d).Export()
	from := func() *nn.State {
		s := m.NewState(batch)
		if err := s.Import(state); err != nil {
			t.Fatal(err)
		}
		return s
	}
	check := func(name string, f func(tp *tensor.Tape) *tensor.Tensor, wrt []*tensor.Tensor, total int) {
		rep, err := tensor.GradCheck(dev, f, wrt, l.perTensor)
		if err != nil {
			t.Fatal(err)
		}
		if rep.Checked != total || !(rep.MaxError <= gradTol) {
			t.Errorf("%s: checked %d of %d elements, largest error %.3g > %g: %s", name, rep.Checked, total, rep.MaxError, gradTol, rep.Where)
		}
		record(t, "gradient", rep.MaxError)
	}
	check("whole", func(tp *tensor.Tape) *tensor.Tensor { return m.Forward(tp, x, nil) }, wrt, total)
	check("from a state", func(tp *tensor.Tape) *tensor.Tensor { return m.Forward(tp, x, from()) }, wrt, total)
	if g, ok := m.(nn.GatedMixer); ok {
		check("gated", func(tp *tensor.Tape) *tensor.Tensor { return g.ForwardGated(tp, x, z, nil) },
			append(wrt, z), total+l.tried(z))
	}
}

// checkSteps compares a whole sequence with the same one step by step and in
// uneven pieces, the states at the end included, and the gate with its formula.
func checkSteps(t *testing.T, l layer) {
	const batch = 2
	for _, dev := range []*tensor.Device{tensor.Reference(), tensor.CPU(2)} {
		tol := stepTolReference
		if dev.Name() == "cpu" {
			tol = stepTolCPU
		}
		m, params := build(t, l, dev, 1)
		perturb(params)
		for _, length := range []int{1, 2, 63, 64, 65} {
			x := noise(5, batch*length*l.d)
			whole := forward(m, dev, x, batch, length, l.d, nil)
			s := m.NewState(batch)
			inOne := forward(m, dev, x, batch, length, l.d, s)
			if e := golden.RelErr(inOne, whole); e > tol {
				t.Errorf("%s L=%d: with a state differs from without by %.3g", dev.Name(), length, e)
			}
			for _, piece := range []int{1, 7} {
				p := m.NewState(batch)
				got := inPieces(m, dev, x, batch, length, l.d, piece, p)
				e := golden.RelErr(got, whole)
				if e > tol {
					t.Errorf("%s L=%d: pieces of %d differ by %.3g > %g", dev.Name(), length, piece, e, tol)
				}
				record(t, "steps "+dev.Name(), e)
				if e := stateErr(t, p.Export(), s.Export()); e > tol || countNumbers(s.Export()) == 0 {
					t.Errorf("%s L=%d: state after pieces of %d differs by %.3g > %g", dev.Name(), length, piece, e, tol)
				}
			}
		}
		checkGate(t, l, m, dev)
	}
}

// checkGate compares ForwardGated with Forward ⊙ SiLU(z).
func checkGate(t *testing.T, l layer, m nn.Mixer, dev *tensor.Device) {
	g, ok := m.(nn.GatedMixer)
	if !ok {
		return
	}
	tp := newTape(dev)
	x, z := tensor.From(dev, noise(3, 9*l.d), 1, 9, l.d), tensor.From(dev, noise(4, 9*l.d), 1, 9, l.d)
	got := g.ForwardGated(tp, x, z, nil).Data()
	want := tp.SiLUMul(m.Forward(tp, x, nil), z).Data()
	if e := golden.RelErr(got, want); e > 8*dev.Eps()*float64(l.d) {
		t.Errorf("%s: the fused gate differs by %.3g", dev.Name(), e)
	}
}

func forward(m nn.Mixer, dev *tensor.Device, x []float64, batch, length, width int, s *nn.State) []float64 {
	return m.Forward(newTape(dev), tensor.From(dev, x, batch, length, width), s).Data()
}

// inPieces runs x (B,L,D) through m in pieces of the given length.
func inPieces(m nn.Mixer, dev *tensor.Device, x []float64, batch, length, width, piece int, s *nn.State) []float64 {
	out := make([]float64, len(x))
	for lo := 0; lo < length; lo += piece {
		n := min(piece, length-lo)
		part := make([]float64, 0, batch*n*width)
		for b := range batch {
			part = append(part, x[(b*length+lo)*width:(b*length+lo+n)*width]...)
		}
		y := forward(m, dev, part, batch, n, width, s)
		for b := range batch {
			copy(out[(b*length+lo)*width:], y[b*n*width:(b+1)*n*width])
		}
	}
	return out
}

// stateErr returns the largest relative error of any tensor of a state.
func stateErr(t *testing.T, got, want *nn.Snapshot) float64 {
	t.Helper()
	if got.Position != want.Position {
		t.Errorf("position is %d, want %d", got.Position, want.Position)
	}
	worst := 0.0
	for name, w := range want.Tensors {
		if e := golden.RelErr(got.Tensors[name], w); e > worst {
			worst = e
		}
	}
	for name, w := range want.Parts {
		worst = max(worst, stateErr(t, got.Parts[name], w))
	}
	return worst
}

// countNumbers returns how many numbers a state holds.
func countNumbers(s *nn.Snapshot) int {
	n := 0
	for _, data := range s.Tensors {
		n += len(data)
	}
	for _, part := range s.Parts {
		n += countNumbers(part)
	}
	return n
}

// checkExport stops in the middle, writes the state as JSON, and goes on from it
// in a layer made anew: the bits must be those of not having stopped.
func checkExport(t *testing.T, l layer) {
	const batch, length, at = 2, 9, 4
	for _, dev := range []*tensor.Device{tensor.Reference(), tensor.CPU(2)} {
		m, _ := build(t, l, dev, 1)
		x := noise(6, batch*length*l.d)
		s := m.NewState(batch)
		want := inPieces(m, dev, x, batch, length, l.d, 1, s)

		first := m.NewState(batch)
		inPieces(m, dev, firstSteps(x, batch, length, l.d, 0, at), batch, at, l.d, 1, first)
		text, err := json.Marshal(first.Export())
		if err != nil {
			t.Fatal(err)
		}
		var snap nn.Snapshot
		if err := json.Unmarshal(text, &snap); err != nil {
			t.Fatal(err)
		}
		again, _ := build(t, l, dev, 1)
		second := again.NewState(batch)
		if err := second.Import(&snap); err != nil {
			t.Fatal(err)
		}
		if second.Position != at {
			t.Errorf("position is %d, want %d", second.Position, at)
		}
		got := inPieces(again, dev, firstSteps(x, batch, length, l.d, at, length), batch, length-at, l.d, 1, second)
		if !slices.Equal(got, firstSteps(want, batch, length, l.d, at, length)) {
			t.Errorf("%s: outputs after the import differ", dev.Name())
		}
		if e := stateErr(t, second.Export(), s.Export()); e != 0 {
			t.Errorf("%s: the state at the end differs by %.3g", dev.Name(), e)
		}
	}
}

// firstSteps returns steps lo to hi of x (B,L,D).
func firstSteps(x []float64, batch, length, width, lo, hi int) []float64 {
	var out []float64
	for b := range batch {
		out = append(out, x[(b*length+lo)*width:(b*length+hi)*width]...)
	}
	return out
}

// outcome is a forward and a backward pass: output, then the gradients of the
// input and of every parameter.
func outcome(t *testing.T, l layer, dev *tensor.Device, seed uint64, moved bool) [][]float64 {
	t.Helper()
	const batch, length = 3, 70
	m, params := build(t, l, dev, seed)
	if moved {
		perturb(params)
	}
	x := tensor.Variable(dev, noise(8, batch*length*l.d), batch, length, l.d)
	tp := newTape(dev)
	y := m.Forward(tp, x, nil).Retain()
	tp.Backward(tp.Sum(tp.Mul(y, tensor.From(dev, noise(9, y.Len()), batch, length, l.d))))
	out := [][]float64{y.Data(), x.Grad()}
	for _, p := range params {
		out = append(out, p.Grad())
	}
	return out
}

// checkSeed: the same seed gives the same bits, with any number of workers;
// another seed gives others.
func checkSeed(t *testing.T, l layer) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	equal := func(a, b [][]float64) bool { return slices.EqualFunc(a, b, slices.Equal[[]float64]) }
	ref := outcome(t, l, tensor.Reference(), 5, false)
	if !equal(ref, outcome(t, l, tensor.Reference(), 5, false)) {
		t.Error("reference: the same seed gives other bits")
	}
	if equal(ref, outcome(t, l, tensor.Reference(), 6, false)) {
		t.Error("another seed gives the same bits")
	}
	one := outcome(t, l, tensor.CPU(1), 5, false)
	for _, workers := range []int{1, 2, 8} {
		if !equal(one, outcome(t, l, tensor.CPU(workers), 5, false)) {
			t.Errorf("cpu: %d workers give other bits than one", workers)
		}
	}
}

// checkCPU holds cpu against reference.
func checkCPU(t *testing.T, l layer) {
	want := outcome(t, l, tensor.Reference(), 5, true)
	got := outcome(t, l, tensor.CPU(2), 5, true)
	names := []string{"output", "gradient of the input"}
	_, params := build(t, l, tensor.Reference(), 5)
	for _, p := range params {
		names = append(names, "gradient of "+p.Name)
	}
	for i := range want {
		tol, kind := gradTolCPU, "cpu gradient"
		if i == 0 {
			tol, kind = forwardTolCPU, "cpu forward"
		}
		if !slices.ContainsFunc(want[i], func(v float64) bool { return v != 0 }) {
			t.Errorf("%s is all zero", names[i]) // a parameter without influence
		}
		e := golden.RelErr(got[i], want[i])
		if !(e <= tol) {
			t.Errorf("%s: relative error %.3g > %g", names[i], e, tol)
		}
		record(t, kind, e)
	}
}

// checkShape: a wrong width panics with got and want.
func checkShape(t *testing.T, l layer) {
	dev := tensor.Reference()
	m, _ := build(t, l, dev, 1)
	if m.Name() == "" {
		t.Error("no name")
	}
	x := tensor.New(dev, 2, 3, l.d+1)
	message := panicOf(func() { m.Forward(newTape(dev), x, nil) })
	for _, part := range []string{fmt.Sprintf("(2, 3, %d)", l.d+1), fmt.Sprintf("want (B, L, %d)", l.d), "Forward"} {
		if !strings.Contains(message, part) {
			t.Errorf("panic %q does not say %q", message, part)
		}
	}
}

// panicOf returns what f panics with, "" if it does not.
func panicOf(f func()) (message string) {
	defer func() {
		if r := recover(); r != nil {
			message = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

// worst collects the largest error of each kind, logged under go test -v.
var worst = map[string]float64{}

func record(t *testing.T, kind string, e float64) {
	t.Helper()
	worst[kind] = max(worst[kind], e)
}

func logWorst(t *testing.T, kinds string) {
	t.Helper()
	for _, kind := range slices.Sorted(maps.Keys(worst)) {
		if strings.HasPrefix(kind, kinds) {
			t.Logf("largest error, %s: %.3g", kind, worst[kind])
		}
	}
}
