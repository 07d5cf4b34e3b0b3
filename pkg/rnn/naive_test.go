package rnn

import (
	"math"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// naiveDense is Dense's doc comment as loops over plain numbers.
func naiveDense(cfg DenseConfig, p map[string][]float64, u []float64, l int) []float64 {
	d, n := cfg.D, cfg.N
	x, y := make([]float64, n), make([]float64, l*d)
	for t := range l {
		ut := u[t*d : (t+1)*d]
		next := make([]float64, n)
		for i := range n {
			next[i] = p["bias"][i] + dot(p["A"][i*n:], x) + dot(p["B"][i*d:], ut)
			if cfg.Nonlinearity == Tanh {
				next[i] = math.Tanh(next[i])
			}
		}
		x = next
		for i := range d {
			y[t*d+i] = dot(p["C"][i*n:], x) + p["D"][i]*ut[i]
		}
	}
	return y
}

// dot is Σ w x over the elements of x.
func dot(w, x []float64) float64 {
	s := 0.0
	for i, v := range x {
		s += w[i] * v
	}
	return s
}

// TestNaive: every Dense equals the loops; the other layers are held to PyTorch.
func TestNaive(t *testing.T) {
	const l = 65
	dev := tensor.Reference()
	for _, entry := range layers() {
		m, params := entry.Build(t, dev, 3)
		dense, ok := m.(*Dense)
		if !ok {
			continue
		}
		mixertest.Perturb(params, 0.05)
		p := map[string][]float64{}
		for _, q := range params {
			p[q.Name] = q.Data()
		}
		u := mixertest.Noise(81, l*entry.D)
		got := mixertest.Forward(m, dev, u, 1, l, nil)
		if e := golden.RelErr(got, naiveDense(dense.cfg, p, u, l)); e > 1e-12 {
			t.Errorf("%s: differs from the loops by %.3g", entry.Name, e)
		}
	}
}

// TestProjection: there is one when H differs from D or the config asks for it,
// and y = W_out h.
func TestProjection(t *testing.T) {
	dev := tensor.Reference()
	for _, entry := range layers() {
		m, params := entry.Build(t, dev, 3)
		var d, h int
		var project bool
		switch m := m.(type) {
		case *GRU:
			d, h, project = m.cfg.D, m.cfg.H, m.cfg.Project
		case *LSTM:
			d, h, project = m.cfg.D, m.cfg.H, m.cfg.Project
		case *MinGRU:
			d, h, project = m.cfg.D, m.cfg.H, m.cfg.Project
		case *MinLSTM:
			d, h, project = m.cfg.D, m.cfg.H, m.cfg.Project
		default:
			continue
		}
		last := params[len(params)-1]
		if got := last.Name == "out_proj.weight"; got != (project || d != h) {
			t.Errorf("%s: has a projection: %t", entry.Name, got)
			continue
		} else if !got {
			continue
		}
		checkProjection(t, m, last, d, h)
	}
}

// checkProjection compares the last output with W_out h, h from the state.
func checkProjection(t *testing.T, m nn.Mixer, w *tensor.Param, d, h int) {
	const l = 5
	s := m.NewState(1)
	y := mixertest.Forward(m, w.Device(), mixertest.Noise(91, l*d), 1, l, s)
	want := make([]float64, d)
	for i := range want {
		want[i] = dot(w.Data()[i*h:], s.Get("h").Data())
	}
	if e := golden.RelErr(y[(l-1)*d:], want); e > 1e-14 {
		t.Errorf("%s: the output is not W_out h: %.3g", m.Name(), e)
	}
}
