package ssm

import (
	"errors"
	"fmt"
	"strings"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
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

// wantRing checks the ring on which eigenvalues start.
func (f *fields) wantRing(lo, hi float64) {
	f.want(lo >= 0 && lo < 1, "r_min", lo, "0 <= r_min < 1")
	f.want(hi > 0 && hi <= 1 && hi >= lo, "r_max", hi, fmt.Sprintf("r_min = %v <= r_max <= 1, above 0", lo))
}

func (f *fields) err() error { return errors.Join(f.errs...) }

// The largest sizes that a config accepts. They stop a slip of the keyboard
// before it asks for all memory; nothing else depends on them.
const (
	maxWidth = 1 << 16
	maxState = 256 // as the official kernels (csrc/selective_scan: dstate ≤ 256)
)

// wantInput panics unless x is (B,L,d).
func wantInput(layer, name string, x *tensor.Tensor, d int) {
	if s := x.Shape(); len(s) != 3 || s[2] != d {
		panic(fmt.Sprintf("ssm: %s.Forward: %s is %s, want (B, L, %d)", layer, name, shapeOf(s), d))
	}
}

// shapeOf writes a shape as the tensor package does: (2, 64, 32).
func shapeOf(shape []int) string {
	return "(" + strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]") + ")"
}

// scaleRows returns x (n,m) with row i multiplied by r[i], r (n). ones is
// (1,m): the outer product of r and ones spreads r over the columns.
func scaleRows(tp *tensor.Tape, x, r, ones *tensor.Tensor) *tensor.Tensor {
	return tp.Mul(x, tp.MatMul(r.Reshape(-1, 1), ones, false, false))
}

// onesRow returns the (1,m) tensor of ones that scaleRows wants.
func onesRow(d *tensor.Device, m int) *tensor.Tensor {
	return tensor.From(d, initializer.Constant(m, 1), 1, m)
}
