package rnn

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// fields collects what is wrong with a config's fields.
type fields struct {
	config string
	errs   []error
}

// want adds an error that names the field, its value and the allowed range
// unless ok. Conditions are written so that NaN fails them.
func (f *fields) want(ok bool, field string, got any, want string) {
	if !ok {
		f.errs = append(f.errs, fmt.Errorf("%s.%s is %v, want %s", f.config, field, got, want))
	}
}

// wantSizes checks the widths that every layer has.
func (f *fields) wantSizes(d, h int, hidden string) {
	f.want(d >= 1 && d <= maxWidth, "d", d, "1 to 65536")
	f.want(h >= 1 && h <= maxWidth, hidden, h, "1 to 65536")
}

func (f *fields) err() error { return errors.Join(f.errs...) }

// maxWidth stops a slip of the keyboard before it asks for all memory.
const maxWidth = 1 << 16

// wantInput panics unless x is (B,L,d).
func wantInput(layer string, x *tensor.Tensor, d int) {
	if s := x.Shape(); len(s) != 3 || s[2] != d {
		panic(fmt.Sprintf("rnn: %s.Forward: x is %s, want (B, L, %d)", layer, shapeOf(s), d))
	}
}

// shapeOf writes a shape as the tensor package does: (2, 64, 32).
func shapeOf(shape []int) string {
	return "(" + strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]") + ")"
}

// newState returns a state of zero tensors (batch,h) of the given names.
func newState(d *tensor.Device, batch, h int, names ...string) *nn.State {
	s := nn.NewState()
	for _, name := range names {
		s.Set(name, tensor.New(d, batch, h))
	}
	return s
}

// project maps the hidden state h (B,L,H) to the width of the model, if there
// is a projection.
func project(tp *tensor.Tape, out *nn.Linear, h *tensor.Tensor) *tensor.Tensor {
	if out == nil {
		return h
	}
	return out.Forward(tp, h)
}
