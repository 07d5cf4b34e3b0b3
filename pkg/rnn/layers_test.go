package rnn

import (
	"fmt"

	"github.com/gophersnake/gophersnake/pkg/nn"
)

// layers is the table of what is proved: every layer in every config that
// changes what it computes.
func layers() (out []layer) {
	add := func(name string, d int, f func(b *nn.Builder) (nn.Mixer, error)) {
		out = append(out, layer{name: name, d: d, make: f})
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

// defaultLayers are the layers as a user gets them: of a width at which cpu
// shares the work out.
func defaultLayers() []layer {
	return []layer{
		{"default/dense", 64, func(b *nn.Builder) (nn.Mixer, error) { return NewDense(b, DefaultDenseConfig()) }, 2},
		{"default/gru", 64, func(b *nn.Builder) (nn.Mixer, error) { return NewGRU(b, DefaultGRUConfig()) }, 2},
		{"default/lstm", 64, func(b *nn.Builder) (nn.Mixer, error) { return NewLSTM(b, DefaultLSTMConfig()) }, 2},
		{"default/mingru", 64, func(b *nn.Builder) (nn.Mixer, error) { return NewMinGRU(b, DefaultMinConfig()) }, 2},
		{"default/minlstm", 64, func(b *nn.Builder) (nn.Mixer, error) { return NewMinLSTM(b, DefaultMinConfig()) }, 2},
	}
}
