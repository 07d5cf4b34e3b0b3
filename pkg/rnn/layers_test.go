package rnn

import (
	"fmt"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
)

// layers is the table of what is proved: every layer in every config that
// changes what it computes.
func layers() (out []mixertest.Layer) {
	add := func(name string, d int, f func(b *nn.Builder) (nn.Mixer, error)) {
		out = append(out, mixertest.Layer{Name: name, D: d, Make: f})
	}
	for _, f := range Nonlinearities() {
		for _, a := range AInits() {
			cfg := DenseConfig{D: 3, N: 5, Nonlinearity: f, A: a}
			add(fmt.Sprintf("dense/%s/%s", f, a), cfg.D, func(b *nn.Builder) (nn.Mixer, error) { return NewDense(b, cfg) })
		}
	}
	// With and without projection; with one because H differs from D.
	for _, c := range []struct {
		d, h    int
		project bool
	}{{3, 3, false}, {3, 3, true}, {3, 5, false}} {
		name := fmt.Sprintf("d=%d,h=%d,project=%t", c.d, c.h, c.project)
		add("gru/"+name, c.d, func(b *nn.Builder) (nn.Mixer, error) { return NewGRU(b, GRUConfig{c.d, c.h, c.project}) })
		add("lstm/"+name, c.d, func(b *nn.Builder) (nn.Mixer, error) { return NewLSTM(b, LSTMConfig{c.d, c.h, c.project, 1}) })
		for _, bias := range []bool{false, true} {
			cfg := MinConfig{D: c.d, H: c.h, Bias: bias, Project: c.project}
			add(fmt.Sprintf("mingru/%s,bias=%t", name, bias), c.d, func(b *nn.Builder) (nn.Mixer, error) { return NewMinGRU(b, cfg) })
			add(fmt.Sprintf("minlstm/%s,bias=%t", name, bias), c.d, func(b *nn.Builder) (nn.Mixer, error) { return NewMinLSTM(b, cfg) })
		}
	}
	return append(out, defaultLayers()...)
}

func TestLayers(t *testing.T) { mixertest.Run(t, layers()) }

func TestLayersComplete(t *testing.T) { mixertest.Complete(t, layers()) }

// defaultLayers are the layers as a user gets them: of a width at which cpu
// shares the work out.
func defaultLayers() []mixertest.Layer {
	return []mixertest.Layer{
		{Name: "default/dense", D: 64, PerTensor: 2, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewDense(b, DefaultDenseConfig()) }},
		{Name: "default/gru", D: 64, PerTensor: 2, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewGRU(b, DefaultGRUConfig()) }},
		{Name: "default/lstm", D: 64, PerTensor: 2, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewLSTM(b, DefaultLSTMConfig()) }},
		{Name: "default/mingru", D: 64, PerTensor: 2, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewMinGRU(b, DefaultMinConfig()) }},
		{Name: "default/minlstm", D: 64, PerTensor: 2, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewMinLSTM(b, DefaultMinConfig()) }},
	}
}
