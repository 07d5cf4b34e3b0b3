package tensor_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// badCall is a call with inputs that do not fit, and what the panic must say.
type badCall struct {
	op   string
	call func(tp *tensor.Tape)
	says []string
}

// x is a tensor of ones of the given shape.
func x(shape ...int) *tensor.Tensor {
	t := tensor.New(tensor.Reference(), shape...)
	data := t.Data()
	for i := range data {
		data[i] = 1
	}
	t.SetData(data)
	return t
}

// scalar has no axis.
func scalar() *tensor.Tensor { return x() }

func badDense() []badCall {
	return []badCall{
		{"MatMul", func(tp *tensor.Tape) { tp.MatMul(x(2, 3), x(2, 5), false, false) }, []string{"b is (2, 5)", "want (3, _)"}},
		{"MatMul", func(tp *tensor.Tape) { tp.MatMul(x(2, 3), x(5, 2), false, true) }, []string{"b is (5, 2)", "want (_, 3)"}},
		{"MatMul", func(tp *tensor.Tape) { tp.MatMul(x(2, 3), x(3, 5), true, false) }, []string{"b is (3, 5)", "want (2, _)"}},
		{"MatMul", func(tp *tensor.Tape) { tp.MatMul(x(2, 3, 4), x(3, 5), false, false) }, []string{"a is (2, 3, 4)", "want (_, _)"}},
		{"Linear", func(tp *tensor.Tape) { tp.Linear(x(2, 64, 32), x(8, 48), nil) }, []string{"x is (2, 64, 32)", "want (..., 48)"}},
		{"Linear", func(tp *tensor.Tape) { tp.Linear(x(2, 3), x(5, 3), x(3)) }, []string{"bias is (3)", "want (5)"}},
		{"Linear", func(tp *tensor.Tape) { tp.Linear(x(2, 3), x(3), nil) }, []string{"w is (3)", "want (_, _)"}},
		{"Linear", func(tp *tensor.Tape) { tp.Linear(scalar(), x(2, 3), nil) }, []string{"x is ()", "want (..., 3)"}},
		{"Embedding", func(tp *tensor.Tape) { tp.Embedding([]int32{0, 1, 2}, x(5, 2), 2, 2) }, []string{"3 tokens", "want 4"}},
		{"Embedding", func(tp *tensor.Tape) { tp.Embedding([]int32{0, 5}, x(5, 2), 2) }, []string{"token 1 is 5", "want 0 to 4"}},
		{"Embedding", func(tp *tensor.Tape) { tp.Embedding([]int32{-1}, x(5, 2), 1) }, []string{"token 0 is -1", "want 0 to 4"}},
		{"Embedding", func(tp *tensor.Tape) { tp.Embedding(nil, x(5, 2), 0) }, []string{"shape [0]", "want extents of at least 1"}},
		{"Embedding", func(tp *tensor.Tape) { tp.Embedding([]int32{0}, x(5), 1) }, []string{"w is (5)", "want (_, _)"}},
		{"Split", func(tp *tensor.Tape) { tp.Split(x(2, 7), 3, 3) }, []string{"x is (2, 7)", "want (..., 6)"}},
		{"Split", func(tp *tensor.Tape) { tp.Split(x(2, 3), 5, -2) }, []string{"[5 -2]", "want extents of at least 1"}},
		{"Concat", func(tp *tensor.Tape) { tp.Concat(x(2, 3), x(3, 3)) }, []string{"part 1 is (3, 3)", "want (2, _)"}},
		{"Concat", func(tp *tensor.Tape) { tp.Concat() }, []string{"0 parts", "want at least 1"}},
		{"Concat", func(tp *tensor.Tape) { tp.Concat(scalar()) }, []string{"part 0 is ()", "want (..., n)"}},
		{"SelectTime", func(tp *tensor.Tape) { tp.SelectTime(x(2, 3, 4), 3) }, []string{"step 3", "want -3 to 2"}},
		{"SelectTime", func(tp *tensor.Tape) { tp.SelectTime(x(2, 3, 4), -4) }, []string{"step -4", "want -3 to 2"}},
		{"SelectTime", func(tp *tensor.Tape) { tp.SelectTime(x(2, 3), 0) }, []string{"x is (2, 3)", "want (B, L, D)"}},
		{"StoreSteps", func(tp *tensor.Tape) { tp.StoreSteps(x(2, 3, 4), x(2, 5, 4), 3) }, []string{"steps 3 to 5", "want 0 to 4"}},
		{"StoreSteps", func(tp *tensor.Tape) { tp.StoreSteps(x(2, 3, 4), x(2, 5, 3), 0) }, []string{"cache is (2, 5, 3)", "want (2, _, 4)"}},
		{"CrossEntropy", func(tp *tensor.Tape) { tp.CrossEntropy(x(2, 3), []int32{0}) }, []string{"1 targets", "want 2"}},
		{"CrossEntropy", func(tp *tensor.Tape) { tp.CrossEntropy(x(2, 3), []int32{0, 3}) }, []string{"target 1 is 3", "want below 3"}},
		{"CrossEntropy", func(tp *tensor.Tape) { tp.CrossEntropy(scalar(), nil) }, []string{"x is ()", "want (..., n)"}},
		{"MSE", func(tp *tensor.Tape) { tp.MSE(x(2, 3), []float64{0}) }, []string{"1 targets", "want 6"}},
		{"Argmax", func(tp *tensor.Tape) { tp.Argmax(scalar()) }, []string{"x is ()", "want (..., n)"}},
	}
}

func badPointwise() []badCall {
	return []badCall{
		{"RMSNorm", func(tp *tensor.Tape) { tp.RMSNorm(x(2, 3), x(2), 1e-5) }, []string{"w is (2)", "want (3)"}},
		{"RMSNorm", func(tp *tensor.Tape) { tp.RMSNorm(scalar(), x(2), 1e-5) }, []string{"x is ()", "want (..., n)"}},
		{"LayerNorm", func(tp *tensor.Tape) { tp.LayerNorm(x(2, 3), x(3), x(1, 3), 1e-5) }, []string{"b is (1, 3)", "want (3)"}},
		{"Map", func(tp *tensor.Tape) { tp.Map("tahn", x(2)) }, []string{`function "tahn"`, "want one of [tanh"}},
		{"Add", func(tp *tensor.Tape) { tp.Add(x(2, 3), x(3, 2)) }, []string{"b is (3, 2)", "want (2, 3)"}},
		{"Sub", func(tp *tensor.Tape) { tp.Sub(x(2, 3), x(6)) }, []string{"b is (6)", "want (2, 3)"}},
		{"Mul", func(tp *tensor.Tape) { tp.Mul(x(2, 3), x(2)) }, []string{"b is (2)", "want (2, 3)"}},
		{"SiLUMul", func(tp *tensor.Tape) { tp.SiLUMul(x(2, 3), x(3)) }, []string{"z is (3)", "want (2, 3)"}},
		{"AddRow", func(tp *tensor.Tape) { tp.AddRow(x(2, 3), x(2)) }, []string{"row is (2)", "want (3)"}},
		{"AddRow", func(tp *tensor.Tape) { tp.AddRow(scalar(), x(2)) }, []string{"x is ()", "want (..., n)"}},
		{"MulRow", func(tp *tensor.Tape) { tp.MulRow(x(2, 3), x(2, 3)) }, []string{"row is (2, 3)", "want (3)"}},
		{"Dropout", func(tp *tensor.Tape) { tp.Dropout(1, x(2)) }, []string{"p is 1", "want 0 <= p < 1"}},
		{"Dropout", func(tp *tensor.Tape) { tp.Dropout(math.NaN(), x(2)) }, []string{"p is NaN", "want 0 <= p < 1"}},
		{"Apply", func(tp *tensor.Tape) { tp.Apply(tensor.Function{Name: "f"}, [][]int{{2}}, x(2)) }, []string{`"f" lacks Forward`}},
		{"Apply", func(tp *tensor.Tape) { tp.Apply(hypot, [][]int{{2}, {0}}, x(2), x(2)) }, []string{"hypot", "shape [0]", "want extents of at least 1"}},
	}
}

func badSequence() []badCall {
	return []badCall{
		{"Conv1D", func(tp *tensor.Tape) { tp.Conv1D(x(2, 3), x(3, 4), nil, false, nil) }, []string{"x is (2, 3)", "want (B, L, D)"}},
		{"Conv1D", func(tp *tensor.Tape) { tp.Conv1D(x(2, 5, 3), x(4, 3), nil, false, nil) }, []string{"w is (4, 3)", "want (3, _)"}},
		{"Conv1D", func(tp *tensor.Tape) { tp.Conv1D(x(2, 5, 3), x(3, 4), x(4), false, nil) }, []string{"bias is (4)", "want (3)"}},
		{"Conv1D", func(tp *tensor.Tape) { tp.Conv1D(x(2, 5, 3), x(3, 4), nil, false, x(2, 4, 3)) }, []string{"state is (2, 4, 3)", "want (2, 3, 3)"}},
		{"Rotary", func(tp *tensor.Tape) { tp.Rotary(x(2, 5, 6), 2, 0) }, []string{"2 heads for 6 channels", "want heads of an even number"}},
		{"Rotary", func(tp *tensor.Tape) { tp.Rotary(x(2, 5, 6), 0, 0) }, []string{"0 heads", "want heads of an even number"}},
		{"Attention", func(tp *tensor.Tape) { tp.Attention(x(2, 5, 6), x(2, 5, 4), x(2, 5, 4), 2) }, []string{"k is (2, 5, 4)", "want (2, _, 6)"}},
		{"Attention", func(tp *tensor.Tape) { tp.Attention(x(2, 5, 6), x(2, 5, 6), x(2, 6, 6), 2) }, []string{"v is (2, 6, 6)", "want (2, 5, 6)"}},
		{"Attention", func(tp *tensor.Tape) { tp.Attention(x(2, 5, 6), x(2, 5, 6), x(2, 5, 6), 4) }, []string{"4 heads for 6 channels", "want a divisor"}},
		{"Attention", func(tp *tensor.Tape) { tp.Attention(x(2, 5, 6), x(2, 4, 6), x(2, 4, 6), 2) }, []string{"4 keys for 5 queries", "want 5 to 4"}},
		{"Attention", func(tp *tensor.Tape) { tp.Attention(x(2, 6), x(2, 6), x(2, 6), 2) }, []string{"is (2, 6)", "want (B, L, D)"}},
		{"AttentionCached", func(tp *tensor.Tape) { tp.AttentionCached(x(2, 1, 6), x(2, 8, 6), x(2, 8, 6), 9, 2) }, []string{"9 keys for 1 queries", "want 1 to 8"}},
		{"AttentionCached", func(tp *tensor.Tape) { tp.AttentionCached(x(2, 1, 6), x(3, 8, 6), x(3, 8, 6), 4, 2) }, []string{"k is (3, 8, 6)", "want (2, _, 6)"}},
		{"MeanPool", func(tp *tensor.Tape) { tp.MeanPool(x(2, 3)) }, []string{"x is (2, 3)", "want (B, L, D)"}},
		{"Scan", func(tp *tensor.Tape) { tp.Scan(x(4), x(2, 5, 3), nil) }, []string{"a is (4)", "want (3)"}},
		{"Scan", func(tp *tensor.Tape) { tp.Scan(x(2, 4, 3), x(2, 5, 3), nil) }, []string{"a is (2, 4, 3)", "want (2, 5, 3)"}},
		{"Scan", func(tp *tensor.Tape) { tp.Scan(x(3), x(2, 5, 3), x(2, 5)) }, []string{"state is (2, 5)", "want (2, 3)"}},
		{"ComplexScan", func(tp *tensor.Tape) { tp.ComplexScan(x(3), x(3), x(2, 5, 3), x(2, 5, 4), nil, nil) }, []string{"xIm is (2, 5, 4)", "want (2, 5, 3)"}},
		{"ComplexScan", func(tp *tensor.Tape) { tp.ComplexScan(x(3), x(2, 5, 3), x(2, 5, 3), x(2, 5, 3), nil, nil) }, []string{"aIm is (2, 5, 3)", "want (3)"}},
		{"ComplexScan", func(tp *tensor.Tape) { tp.ComplexScan(x(3), x(3), x(2, 5, 3), x(2, 5, 3), nil, x(2, 3)) }, []string{"only one of stateRe and stateIm", "want both or neither"}},
		{"Elman", func(tp *tensor.Tape) { tp.Elman(x(2, 5, 3), x(3, 4), false, nil) }, []string{"w is (3, 4)", "want (3, 3)"}},
		{"Elman", func(tp *tensor.Tape) { tp.Elman(x(2, 5, 3), x(3, 3), false, x(3)) }, []string{"state is (3)", "want (2, 3)"}},
		{"GRU", func(tp *tensor.Tape) { tp.GRU(x(2, 5, 8), x(9, 3), nil, nil) }, []string{"x is (2, 5, 8)", "want (_, _, 9)"}},
		{"GRU", func(tp *tensor.Tape) { tp.GRU(x(2, 5, 9), x(8, 3), nil, nil) }, []string{"w is (8, 3)", "want (9, 3)"}},
		{"GRU", func(tp *tensor.Tape) { tp.GRU(x(2, 5, 9), x(9, 3), x(3), nil) }, []string{"bias is (3)", "want (9)"}},
		{"GRU", func(tp *tensor.Tape) { tp.GRU(x(2, 5, 9), x(9, 3), nil, x(2, 9)) }, []string{"state is (2, 9)", "want (2, 3)"}},
		{"LSTM", func(tp *tensor.Tape) { tp.LSTM(x(2, 5, 9), x(12, 3), nil, nil) }, []string{"x is (2, 5, 9)", "want (_, _, 12)"}},
		{"LSTM", func(tp *tensor.Tape) { tp.LSTM(x(2, 5, 12), x(12, 3), x(2, 3), nil) }, []string{"only one of stateH and stateC", "want both or neither"}},
		{"LSTM", func(tp *tensor.Tape) { tp.LSTM(x(2, 5, 12), x(12, 3), x(2, 3), x(3, 2)) }, []string{"stateC is (3, 2)", "want (2, 3)"}},
		{"ProjectedLSTM", func(tp *tensor.Tape) { tp.ProjectedLSTM(x(2, 5, 4), x(9, 4), nil, x(12, 3), nil, nil) }, []string{"wIn is (9, 4)", "want (12, 4)"}},
		{"ProjectedLSTM", func(tp *tensor.Tape) { tp.ProjectedLSTM(x(2, 5, 4), x(12, 4), x(9), x(12, 3), nil, nil) }, []string{"bias is (9)", "want (12)"}},
		{"ProjectedLSTM", func(tp *tensor.Tape) { tp.ProjectedLSTM(x(10, 4), x(12, 4), nil, x(12, 3), nil, nil) }, []string{"u is (10, 4)"}},
	}
}

func badSelective() []badCall {
	bad := func(says []string, change func(s *tensor.SelectiveScan)) badCall {
		return badCall{"SelectiveScan", func(tp *tensor.Tape) {
			s := tensor.SelectiveScan{U: x(2, 5, 3), Delta: x(2, 5, 3), A: x(3, 4), B: x(2, 5, 4), C: x(3, 4)}
			change(&s)
			tp.SelectiveScan(s)
		}, says}
	}
	type S = tensor.SelectiveScan
	six := func(s *S) { s.U, s.Delta, s.A, s.C = x(2, 5, 6), x(2, 5, 6), x(6, 4), x(6, 4) } // channels
	return []badCall{
		bad([]string{"U is nil", "want a tensor"}, func(s *S) { s.U = nil }),
		bad([]string{"C is nil", "want a tensor"}, func(s *S) { s.C = nil }),
		bad([]string{"U is (2, 5)", "want (B, L, D)"}, func(s *S) { s.U = x(2, 5) }),
		bad([]string{"A is (4, 3)", "want (3, _)"}, func(s *S) { s.A = x(4, 3) }),
		bad([]string{"Delta is (2, 5, 4)", "want (2, 5, 3)"}, func(s *S) { s.Delta = x(2, 5, 4) }),
		bad([]string{"Delta and DeltaBias are both nil", "want at least one"}, func(s *S) { s.Delta = nil }),
		bad([]string{"DeltaBias is (4)", "want (3)"}, func(s *S) { s.DeltaBias = x(4) }),
		bad([]string{"B is (2, 5, 3)", "want (2, 5, 4)"}, func(s *S) { s.B = x(2, 5, 3) }),
		bad([]string{"C is (4, 3)", "want (3, 4)"}, func(s *S) { s.C = x(4, 3) }),
		bad([]string{"Dskip is (1, 3)", "want (3)"}, func(s *S) { s.Dskip = x(1, 3) }),
		bad([]string{"Z is (2, 4, 3)", "want (2, 5, 3)"}, func(s *S) { s.Z = x(2, 4, 3) }),
		bad([]string{"State is (2, 4, 3)", "want (2, 3, 4)"}, func(s *S) { s.State = x(2, 4, 3) }),
		bad([]string{"AIm is (3, 3)", "want (3, 4)"}, func(s *S) { s.AIm = x(3, 3) }),
		bad([]string{"BIm is (3, 4)", "want (2, 5, 4)"}, func(s *S) { s.AIm, s.BIm = x(3, 4), x(3, 4) }),
		bad([]string{"with a real A", "want AIm"}, func(s *S) { s.BIm = x(2, 5, 4) }),
		bad([]string{"Signed with a complex A", "want one of the two"}, func(s *S) { s.AIm, s.Signed = x(3, 4), true }),
		bad([]string{"B is (2, 5, 2, 4)", "2 groups for 3 channels, want a divisor"}, func(s *S) { s.B = x(2, 5, 2, 4) }),
		bad([]string{"B is (2, 5, 3, 5)", "want (2, 5, _, 4)"}, func(s *S) { s.B = x(2, 5, 3, 5) }),
		bad([]string{"C is (2, 3, 5, 4)", "want (2, 5, _, 4)"}, func(s *S) { s.C = x(2, 3, 5, 4) }),
		bad([]string{"C is (2, 5, 3, 4, 1)", "want (3, 4)"}, func(s *S) { s.C = x(2, 5, 3, 4, 1) }),
		bad([]string{"C is (2, 5, 3, 4)", "3 groups, want 2 as B has, or 1"}, func(s *S) { six(s); s.B, s.C = x(2, 5, 2, 4), x(2, 5, 3, 4) }),
		bad([]string{"BIm is (2, 5, 4)", "want (2, 5, 3, 4)"}, func(s *S) { s.AIm, s.B, s.BIm = x(3, 4), x(2, 5, 3, 4), x(2, 5, 4) }),
		bad([]string{"State is (2, 3, 4)", "want (2, 6, 4)"}, func(s *S) { six(s); s.B, s.State = x(2, 5, 2, 4), x(2, 3, 4) }),
		bad([]string{"only one of State and StateIm", "want both or neither"}, func(s *S) { s.AIm, s.State = x(3, 4), x(2, 3, 4) }),
	}
}

// anyShape are the operations that take whatever they are given.
var anyShape = []string{"Scale", "Sum", "Mean"}

func badResidual() []badCall {
	identity := func(_ *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return x }
	s := tensor.SelectiveScan{U: x(2, 5, 3), Delta: x(2, 5, 3), A: x(3, 4), B: x(2, 5, 4), C: x(3, 4), Z: x(2, 5, 3)}
	return []badCall{
		{"Residual", func(tp *tensor.Tape) { tp.Residual(0, x(3), identity) }, []string{"x is (3)", "want (B, ..., D)"}},
		{"Residual", func(tp *tensor.Tape) {
			tp.Residual(0, x(3, 2), func(_ *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return x.Reshape(2, 3) })
		}, []string{"f(x) is (2, 3)", "want (3, 2)"}},
		{"Residual", func(tp *tensor.Tape) { tp.Residual(1, x(3, 2), identity) }, []string{"p is 1", "want 0 <= p < 1"}},
		{"AddBranch", func(tp *tensor.Tape) { tp.AddBranch(0, x(3, 2), x(2, 3)) }, []string{"branch is (2, 3)", "want (3, 2)"}},
		{"AddBranch", func(tp *tensor.Tape) { tp.AddBranch(-1, x(3, 2), x(3, 2)) }, []string{"p is -1", "want 0 <= p < 1"}},
		{"SelectiveScanLinear", func(tp *tensor.Tape) { tp.SelectiveScanLinear(s, x(3, 7)) }, []string{"w is (3, 7)", "want (_, 3)"}},
		{"SelectiveScanLinear", func(tp *tensor.Tape) {
			s := s
			s.C = x(4, 3)
			tp.SelectiveScanLinear(s, x(7, 3))
		}, []string{"C is (4, 3)", "want (3, 4)"}},
	}
}

// TestShapeMistakes: the panic names the operation, what it got and what it
// wants, and comes before the tape takes any memory.
func TestShapeMistakes(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range slices.Concat(badDense(), badPointwise(), badSequence(), badSelective(), badResidual()) {
		covered[c.op] = true
		tp := tensor.NewTape(tensor.Reference())
		mixertest.MustPanic(t, c.op, func() { c.call(tp) }, append(c.says, "tensor: "+c.op+": ")...)
		if tp.Bytes() != 0 {
			t.Errorf("%s: %d bytes were taken before the panic %q", c.op, tp.Bytes(), c.says)
		}
	}
	for _, op := range operations() {
		if !covered[op] && !slices.Contains(anyShape, op) {
			t.Errorf("no mistake is tried for Tape.%s", op)
		}
	}
}

// TestAttentionCachedHasNoGradient: it must be said, not left out silently.
func TestAttentionCachedHasNoGradient(t *testing.T) {
	tp := tensor.NewTape(tensor.Reference())
	q := tensor.Variable(tensor.Reference(), make([]float64, 6), 1, 1, 6)
	mixertest.MustPanic(t, "a query with gradient", func() { tp.AttentionCached(q, x(1, 8, 6), x(1, 8, 6), 3, 2) }, "tensor: AttentionCached", "SetGrad(false)")
	tp.SetGrad(false)
	tp.AttentionCached(q, x(1, 8, 6), x(1, 8, 6), 3, 2)
}
