package ssm_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/ssm"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// A batch of more than the 2^19 elements from which tensor.Tape.Residual makes
// pieces: sixteen of two sequences and one of one. Half of it is taken at once.
const piecesB, piecesL, piecesD = 33, 512, 32

// Mixers that do not say that they take sequences by themselves: their branch is
// taken at once.
type (
	wholeMixer     struct{ nn.Mixer }
	wholeProjected struct{ nn.ProjectedMixer }
)

// whole hides from a Block that m is a SequenceMixer.
func whole(m nn.Mixer) nn.Mixer {
	if p, ok := m.(nn.ProjectedMixer); ok {
		return wholeProjected{p}
	}
	return wholeMixer{m}
}

// piecesCase is a block whose branches run in pieces.
type piecesCase struct {
	name  string
	cfg   nn.BlockConfig
	mixer nn.NewMixerFunc
}

func piecesCases() []piecesCase {
	return []piecesCase{
		{"mamba", nn.DefaultBlockConfig(), func(b *nn.Builder, width int) (nn.Mixer, error) {
			c := ssm.DefaultS6Config()
			c.D, c.Model = width, piecesD
			return ssm.NewS6(b, c)
		}},
		{"gpt", nn.BlockConfig{Kind: nn.GPTBlock, Hidden: 2 * piecesD}, func(b *nn.Builder, width int) (nn.Mixer, error) {
			return nn.NewAttention(b, width, 4)
		}},
	}
}

// piecesRun is a block, its input, and one tape for all its steps.
type piecesRun struct {
	block *nn.Block
	p     []*tensor.Param
	x     *tensor.Tensor
	tape  *tensor.Tape
}

func newPiecesRun(t *testing.T, c piecesCase, dropout float64, workers int) *piecesRun {
	t.Helper()
	b := nn.NewBuilder(tensor.CPU(workers), 3)
	c.cfg.Dropout = dropout
	k, err := nn.NewBlock(b, c.cfg, piecesD, 1, c.mixer)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, piecesB*piecesL*piecesD)
	for i := range x {
		x[i] = math.Sqrt2 * math.Cos(float64(i*i%65521))
	}
	p := &tensor.Param{Name: "x", Tensor: tensor.Variable(b.Device, x, piecesB, piecesL, piecesD)}
	return &piecesRun{k, append(b.Params(), p), p.Tensor, tensor.NewTape(b.Device)}
}

// step returns the loss, the mean of y⊙x, and all gradients, of parts of the batch
// one after the other.
func (r *piecesRun) step(sequences ...int) (loss float64, grads [][]float64) {
	tensor.ZeroGrad(r.p)
	r.tape.SetSeed(7)
	at := 0
	for _, n := range sequences {
		r.tape.Reset()
		x := r.x.Reshape(piecesB*piecesL, piecesD).Rows(at*piecesL, (at+n)*piecesL).Reshape(n, piecesL, piecesD)
		y := r.block.Forward(r.tape, x, nil)
		part := r.tape.Scale(float64(n)/piecesB, r.tape.Mean(r.tape.Mul(y, x)))
		r.tape.Backward(part)
		loss, at = loss+part.Item(), at+n
	}
	for _, p := range r.p {
		grads = append(grads, p.Grad())
	}
	return loss, grads
}

// TestBlocksInPieces: a block over a batch in pieces has the loss and gradients of
// the block over halves of the batch, each at once, and of the block whose mixer
// takes all sequences at once.
func TestBlocksInPieces(t *testing.T) {
	if testing.Short() {
		t.Skip("large batches")
	}
	for _, c := range piecesCases() {
		r := newPiecesRun(t, c, 0, 2)
		loss, grads := r.step(piecesB)
		held := r.tape.Bytes()
		check := func(how string, wantLoss float64, want [][]float64) {
			if !(math.Abs(loss-wantLoss) <= piecesTolerance*math.Abs(wantLoss)) {
				t.Errorf("%s: loss %v, %s %v", c.name, loss, how, wantLoss)
			}
			for i, p := range r.p {
				if d := distance(grads[i], want[i]); !(d <= piecesTolerance) {
					t.Errorf("%s: the gradient of %s is %.2g off that of the block %s", c.name, p.Name, d, how)
				}
			}
		}
		halves, want := r.step(piecesB/2, piecesB-piecesB/2)
		check("in halves", halves, want)
		r.block.Mixer, r.tape = whole(r.block.Mixer), tensor.NewTape(r.tape.Device())
		atOnce, want := r.step(piecesB)
		check("with the mixer at once", atOnce, want)
		if held >= r.tape.Bytes() {
			t.Errorf("%s: %d bytes in pieces, %d with the mixer at once", c.name, held, r.tape.Bytes())
		}
	}
}

// piecesTolerance is how far sums over the batch, added up from 17 pieces, may lie
// from those at once, which are added up from blocks of rows: 17 roundings of 2⁻²⁴
// on each side.
const piecesTolerance = 2e-6

// distance is ‖a − b‖ / ‖b‖.
func distance(a, b []float64) float64 {
	var diff, size float64
	for i, v := range b {
		diff, size = diff+(a[i]-v)*(a[i]-v), size+v*v
	}
	return math.Sqrt(diff / size)
}

// TestBlocksInPiecesAgain: with dropout, another step on the same tape, and one on
// a fresh tape and other workers, has the same bits: what resuming and replaying an
// experiment rest on.
func TestBlocksInPiecesAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("large batches")
	}
	for _, c := range piecesCases() {
		r := newPiecesRun(t, c, 0.2, 1)
		loss, grads := r.step(piecesB)
		for how, other := range map[string]*piecesRun{"again": r, "on 3 workers": newPiecesRun(t, c, 0.2, 3)} {
			if got, found := other.step(piecesB); got != loss || !slices.EqualFunc(found, grads, slices.Equal) {
				t.Errorf("%s: a step %s finds other bits", c.name, how)
			}
		}
		if dry, _ := newPiecesRun(t, c, 0, 1).step(piecesB); dry == loss {
			t.Errorf("%s: dropout changes nothing", c.name)
		}
	}
}
