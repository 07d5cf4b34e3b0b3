package tensor_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// planCases are steps from x (B,1,40), which changes from run to run; new is a
// constant of the same numbers at each call.
var planCases = map[string]func(tp *tensor.Tape, x *tensor.Tensor, new func(shape ...int) *tensor.Tensor) *tensor.Tensor{
	"linear": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		return tp.Linear(x, new(37, 40), new(37))
	},
	"linear, shared between workers": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		return tp.Linear(x, new(7001, 40), nil)
	},
	"linear of few columns": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		few := tp.Split(x, 9, 31)[0]
		return tp.Concat(tp.Linear(few, new(21, 9), nil), tp.Linear(few, new(5, 9), new(5)))
	},
	"weights computed from constants": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		return tp.Linear(x, tp.Map(tensor.Tanh, new(8, 40)), tp.Scale(2, new(8)))
	},
	"product with a matrix as it is": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		return tp.MatMul(x.Reshape(-1, 40), new(40, 12), false, false)
	},
	"weights that change": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		one := x.Rows(0, 1).Reshape(1, 40) // of the first stream
		return tp.Linear(one, one, nil)
	},
	"functions": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		y := x
		for _, f := range tensor.Funcs() {
			if f != tensor.Log && f != tensor.Recip && f != tensor.Square {
				y = tp.Map(f, tp.Add(x, tp.Scale(0.1, y)))
			}
		}
		return y
	},
	"pointwise": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		y := tp.Sub(tp.AddRow(x, new(40)), tp.MulRow(x, new(40)))
		return tp.SiLUMul(tp.Mul(y, x), y)
	},
	"norms": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		return tp.LayerNorm(tp.RMSNorm(x, new(40), 1e-5), new(40), new(40), 1e-5)
	},
	"last step": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		return tp.SelectTime(x, -1)
	},
	"convolutions": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		state := new(x.Dim(0), 2, 40)
		y := tp.Conv1D(x, new(40, 3), new(40), true, state)
		return tp.Conv1D(y, new(40, 1), nil, false, nil)
	},
	"scans": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		b := x.Dim(0)
		y := tp.Scan(new(40), x, new(b, 40))
		re, im := tp.ComplexScan(new(40), new(40), y, x, new(b, 40), new(b, 40))
		return tp.Add(re, im)
	},
	"groups of channels": func(tp *tensor.Tape, x *tensor.Tensor, new func(...int) *tensor.Tensor) *tensor.Tensor {
		b := x.Dim(0)
		bc := tp.Split(tp.Linear(x, new(12, 40), nil), 6, 6)
		return tp.SelectiveScan(tensor.SelectiveScan{U: x, DeltaBias: new(40), Softplus: true, A: new(40, 3),
			B: bc[0].Reshape(b, 1, 2, 3), C: bc[1].Reshape(b, 1, 2, 3), State: new(b, 40, 3)})
	},
}

// A plan repeats what the tape does, for one stream as for several.
func TestPlanRepeats(t *testing.T) {
	const vocab, streams = 17, 3
	dev := tensor.CPU(2)
	for name, f := range planCases {
		t.Run(name, func(t *testing.T) {
			setup := func(batch int) (tokens []int32, step func(tp *tensor.Tape) *tensor.Tensor, restart func()) {
				var made []*tensor.Tensor // the same at each step, since states are kept in them
				table := constants(dev, 99, vocab, 40)
				tokens = make([]int32, batch)
				restart = func() {
					for i, t := range made {
						t.CopyFrom(constants(dev, uint64(i+1), t.Shape()...))
					}
				}
				return tokens, func(tp *tensor.Tape) *tensor.Tensor {
					n := 0
					return f(tp, tp.Embedding(tokens, table, batch, 1), func(shape ...int) *tensor.Tensor {
						if n++; n > len(made) {
							made = append(made, constants(dev, uint64(n), shape...))
						}
						return made[n-1]
					})
				}, restart
			}
			tokens, step, restart := setup(streams)
			plan, err := tensor.Record(dev, tensor.WeightsFloat32, step)
			if err != nil {
				t.Fatal(err)
			}
			restart() // recording was a step already
			tp := tensor.NewTape(dev)
			tp.SetGrad(false)
			one, single, _ := setup(1)
			for run := range 4 {
				for i := range tokens {
					tokens[i] = int32((run*5 + i*i) % vocab)
				}
				plan.Run()
				tp.Reset()
				one[0] = tokens[0]
				want := single(tp).Data()
				for i, got := range plan.Output()[:len(want)] {
					if float64(got) != want[i] {
						t.Fatalf("run %d: element %d is %v, want %v", run, i, got, want[i])
					}
				}
			}
		})
	}
}

// constants returns a tensor of numbers that follow from the seed; what depends
// on the batch begins alike for every batch.
func constants(d *tensor.Device, seed uint64, shape ...int) *tensor.Tensor {
	r := rand.New(rand.NewPCG(seed, 3))
	n := 1
	for _, s := range shape {
		n *= s
	}
	x := make([]float64, n)
	for i := range x {
		x[i] = -r.Float64()
	}
	return tensor.From(d, x, shape...)
}

func TestRecordRefuses(t *testing.T) {
	cpu := tensor.CPU(1)
	for _, c := range []struct {
		dev  *tensor.Device
		w    tensor.Weights
		want string
		f    func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor
	}{
		{tensor.Reference(), "int8", "device reference cannot repeat operations, want cpu", nil},
		{cpu, "int4", `weights are "int4", want one of ["float32" "bf16" "int8"]`, nil},
		{cpu, "int8", "a rotation by the position", func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return tp.Rotary(x, 1, 0) }},
		{cpu, "int8", "a mean over time", func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return tp.MeanPool(x) }},
		{cpu, "int8", "numbers computed outside the device", func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
			return tp.Apply(tensor.Function{Name: "copy", Forward: func(in, out [][]float64) { copy(out[0], in[0]) }}, [][]int{{1, 2, 4}}, x)[0]
		}},
		{cpu, "int8", "a convolution of 2 steps", func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
			return tp.Conv1D(x, tensor.New(cpu, 4, 2), nil, false, nil)
		}},
	} {
		_, err := tensor.Record(c.dev, c.w, func(tp *tensor.Tape) *tensor.Tensor { return c.f(tp, tensor.New(cpu, 1, 2, 4)) })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// What follows from parameters alone is computed once; its place in memory is
// that of the recording.
func TestPlanDropsConstants(t *testing.T) {
	dev := tensor.CPU(1)
	w := constants(dev, 1, 4, 4)
	plan, err := tensor.Record(dev, tensor.WeightsFloat32, func(tp *tensor.Tape) *tensor.Tensor { return tp.Map(tensor.Exp, w) })
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(plan.Output())
	w.Zero()
	if plan.Run(); fmt.Sprint(before) != fmt.Sprint(plan.Output()) {
		t.Error("what follows from a parameter is computed again")
	}
}
