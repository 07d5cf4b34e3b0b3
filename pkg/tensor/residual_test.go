package tensor_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// branches is a residual stream with two branches that keep results: a scan and
// attention.
type branches struct {
	x *tensor.Tensor
	p map[string]*tensor.Tensor
}

// Nine sequences of which a piece takes two.
const (
	branchB, branchL, branchD = 9, 520, 4
)

func newBranches(d *tensor.Device) *branches {
	b := &branches{p: map[string]*tensor.Tensor{}}
	for name, shape := range map[string][]int{
		"norm": {branchD}, "in": {branchD, branchD}, "gate": {branchD, branchD}, "delta": {branchD, branchD},
		"BC": {4, branchD},
		"A":  {branchD, 2}, "out": {branchD, branchD}, "bias": {branchD}, "q": {branchD, branchD},
	} {
		data := in(name, gauss(0.5), shape...).data
		if name == "A" {
			for i, v := range data {
				data[i] = -math.Abs(v) - 0.1
			}
		}
		b.p[name] = tensor.Variable(d, data, shape...)
	}
	b.x = tensor.Variable(d, random(branchB*branchL*branchD), branchB, branchL, branchD)
	return b
}

func (b *branches) scan(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
	n := tp.RMSNorm(x, b.p["norm"], 1e-5)
	u, z := tp.Kept().Linear(n, b.p["in"], nil), tp.Linear(n, b.p["gate"], nil)
	bc := tp.Split(tp.Linear(u, b.p["BC"], nil), 2, 2)
	return tp.SelectiveScanLinear(tensor.SelectiveScan{U: u, Delta: tp.Linear(u, b.p["delta"], nil), Softplus: true,
		A: b.p["A"], B: bc[0], C: bc[1], Z: z}, b.p["out"])
}

func (b *branches) attention(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
	q := tp.Linear(x, b.p["q"], nil)
	y := tp.Attention(tp.Rotary(q, 2, 0), q, x, 2)
	a := b.p["A"]
	s := tp.SelectiveScan(tensor.SelectiveScan{U: y, DeltaBias: b.p["bias"], Softplus: true, A: a, B: a, C: a})
	return tp.Linear(s, b.p["out"], b.p["bias"])
}

// branch is a residual branch, residual how a test adds it.
type (
	branch   func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor
	residual func(tp *tensor.Tape, x *tensor.Tensor, f branch) *tensor.Tensor
)

func inPieces(tp *tensor.Tape, x *tensor.Tensor, f branch) *tensor.Tensor {
	return tp.Residual(0, x, f)
}

func atOnce(tp *tensor.Tape, x *tensor.Tensor, f branch) *tensor.Tensor {
	return tp.Add(x, f(tp, x))
}

// step runs forward and gradient and returns the loss and all gradients.
func (b *branches) step(tp *tensor.Tape, add residual) []float64 {
	tp.Reset()
	tensor.SmallPieces(tp)
	b.clear()
	x := add(tp, tp.Scale(1, b.x), b.scan)
	x = tp.Add(add(tp, x, b.attention), x) // x has a gradient already when its branch's comes
	loss := tp.Mean(tp.Map(tensor.Square, x))
	tp.Backward(loss)
	out := []float64{loss.Item()}
	for _, t := range b.all() {
		out = append(out, t.Grad()...)
	}
	return out
}

func (b *branches) all() []*tensor.Tensor {
	ts := []*tensor.Tensor{b.x}
	for _, name := range []string{"norm", "in", "gate", "delta", "BC", "A", "out", "bias", "q"} {
		ts = append(ts, b.p[name])
	}
	return ts
}

func (b *branches) clear() {
	for _, t := range b.all() {
		tensor.ZeroGrad([]*tensor.Param{{Tensor: t}})
	}
}

// TestResidualPieces: a batch in pieces has the loss and the gradients of the
// batch at once, in less memory, every time the same.
func TestResidualPieces(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		b := newBranches(d)
		whole, pieces := tensor.NewTape(d), tensor.NewTape(d)
		pieces.Poison(true)
		want, got := b.step(whole, atOnce), b.step(pieces, inPieces)
		for i, v := range want {
			// Sums of up to 4680 terms, in another order.
			if diff := math.Abs(got[i] - v); !(diff <= 2000*d.Eps()*(1+math.Abs(v))) {
				t.Fatalf("%s: number %d is %v, want %v as at once", d, i, got[i], v)
			}
		}
		held := pieces.Bytes()
		if held >= whole.Bytes() {
			t.Errorf("%s: %d bytes in pieces, %d at once", d, held, whole.Bytes())
		}
		if again := b.step(pieces, inPieces); !slices.Equal(again, got) {
			t.Errorf("%s: another step finds other bits", d)
		}
		if pieces.Bytes() != held {
			t.Errorf("%s: %d bytes after another step, %d before", d, pieces.Bytes(), held)
		}
	}
}

// TestResidualWorkers: any number of workers finds the same bits.
func TestResidualWorkers(t *testing.T) {
	want := []float64(nil)
	for _, workers := range []int{1, 2, 5} {
		d := tensor.CPU(workers)
		got := newBranches(d).step(tensor.NewTape(d), inPieces)
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d workers find other bits than 1", workers)
		}
	}
}

// TestResidualRuns: a branch runs twice for each piece when a gradient follows,
// on the tape's own when none does, and parameters outside of it get theirs.
func TestResidualRuns(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		x := tensor.From(d, random(3*600*2), 3, 600, 2)
		w := tensor.Variable(d, random(4), 2, 2)
		var rows []int
		f := func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
			rows = append(rows, x.Dim(0))
			return tp.Linear(x, w, nil)
		}
		tp := tensor.NewTape(d)
		tensor.SmallPieces(tp)
		tp.Backward(tp.Sum(tp.Residual(0, x, f)))
		if !slices.Equal(rows, []int{2, 1, 2, 1}) {
			t.Errorf("%s: the branch ran on %v sequences, want 2, 1 and again", d, rows)
		}
		if slices.Max(w.Grad()) == 0 {
			t.Errorf("%s: no gradient of the weight", d)
		}
		rows = nil
		constant := tp.Residual(0, x, func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return tp.Scale(2, x) })
		if constant.NeedsGrad() {
			t.Errorf("%s: the result needs a gradient, but nothing that it comes from does", d)
		}
		tp.SetGrad(false)
		tp.Residual(0, x, f)
		if !slices.Equal(rows, []int{3}) {
			t.Errorf("%s: without gradient the branch ran on %v sequences, want all 3", d, rows)
		}
	}
}

// TestBranchOfItself: a branch is Done, unless it is x itself.
func TestBranchOfItself(t *testing.T) {
	identity := func(_ *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return x }
	for _, d := range mixertest.Devices(t) {
		v, one := tensor.Variable(d, []float64{1, 2}, 2, 1), tensor.Variable(d, []float64{1}, 1, 1)
		tp := tensor.NewTape(d)
		x := tp.Linear(v, one, nil)
		if got := tp.Add(tp.Residual(0, x, identity), x).Data(); !slices.Equal(got, []float64{3, 6}) {
			t.Errorf("%s: 3 x is %v", d, got)
		}
		branch := tp.Linear(v, one, nil)
		tp.AddBranch(0, x, branch)
		mixertest.MustPanic(t, "a branch that is read", func() { branch.Data() }, "given back")
	}
}

// TestResidualDropout: pieces draw masks of their own, and the gradient has those
// of the forward pass, also when training is switched off before it.
func TestResidualDropout(t *testing.T) {
	const b, l, d = 4, 1024, 2
	for _, dev := range mixertest.Devices(t) {
		x, w := tensor.From(dev, slices.Repeat([]float64{1}, b*l*d), b, l, d), tensor.Variable(dev, []float64{1, 0, 0, 1}, d, d)
		tp := tensor.NewTape(dev)
		tensor.SmallPieces(tp)
		y := tp.Residual(0.5, x, func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return tp.Linear(x, w, nil) })
		found := y.Data()
		if slices.Equal(found[:l*d], found[l*d:2*l*d]) {
			t.Errorf("%s: two pieces drop the same elements", dev)
		}
		sum := tp.Sum(y)
		tp.SetTraining(false)
		tp.Backward(sum)
		var want [d]float64 // of the weights of each output: its elements that stay, 1/(1−p) each
		for i, v := range found {
			want[i%d] += v - 1
		}
		if got := w.Grad(); !slices.Equal(got, []float64{want[0], want[0], want[1], want[1]}) {
			t.Errorf("%s: gradient %v, want %v of each output", dev, got, want)
		}
	}
}

// TestCrossEntropyOverLogits: the gradient takes the logits' memory only when
// nobody else reads them.
func TestCrossEntropyOverLogits(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		grads := func(change func(tp *tensor.Tape, logits *tensor.Tensor) *tensor.Tensor) []float64 {
			tp := tensor.NewTape(d)
			tp.Poison(true)
			x, w := tensor.Variable(d, random(12), 6, 2), tensor.Variable(d, random(10), 5, 2)
			logits := tp.Linear(x, w, nil)
			loss := tp.CrossEntropy(change(tp, logits), []int32{0, 4, tensor.Ignore, 1, 1, 2})
			tp.Backward(loss)
			return append(x.Grad(), w.Grad()...)
		}
		want := grads(func(tp *tensor.Tape, l *tensor.Tensor) *tensor.Tensor { return l.Retain() })
		for name, change := range map[string]func(tp *tensor.Tape, l *tensor.Tensor) *tensor.Tensor{
			"alone": func(_ *tensor.Tape, l *tensor.Tensor) *tensor.Tensor { return l },
			"read by another": func(tp *tensor.Tape, l *tensor.Tensor) *tensor.Tensor {
				tp.Map(tensor.Square, l)
				return l
			},
			"a view": func(_ *tensor.Tape, l *tensor.Tensor) *tensor.Tensor { return l.Reshape(2, 3, 5) },
		} {
			got := grads(change)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s: gradients %v, want %v", d, name, got, want)
			}
		}
	}
}
