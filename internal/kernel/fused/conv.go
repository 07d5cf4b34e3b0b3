package fused

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// Taps is the number of taps of the convolutions here.
const Taps = 4

// The rows of a Conv's state: of each strip of channels, a register's, all
// rows lie together.
const (
	biasRow   = Taps
	windowRow = Taps + 1 // the three steps of x before the next, oldest first
	sumRow    = windowRow + Taps - 1
	gradRow   = sumRow + Taps + 1 // as windowRow, of the sums' gradients
	stateRows = gradRow + Taps - 1
)

// A Conv walks along time with a depthwise convolution of four taps, its
// gradient or both. With x the input and d the gradient of the sums,
//
//	s_t = bias + Σ_j w_j x_{t−3+j};  y_t = s_t or SiLU(s_t)
//	d_t = dy_t SiLU'(s_t);  dx_t += Σ_j w_j d_{t+3−j};  dw_j = Σ_t d_t x_{t−3+j};  dbias = Σ_t d_t
//
// Arrays hold steps of Channels floats, step floats apart. What a call knows
// of earlier steps is what earlier calls have seen.
type Conv struct {
	Channels, lanes int
	state           []float32
}

// HasConv reports whether there are kernels for convolutions: a Conv may
// otherwise not be used.
func HasConv() bool { return isa.UseAVX2 }

// ConvState returns the number of floats that a Conv of some channels needs.
func ConvState(channels int) int {
	const widest = 16
	return (channels + widest - 1) / widest * widest * stateRows
}

// NewConv returns a Conv at the beginning of time, with zeros before it, in
// state (ConvState). w (channels, 4) are the taps, bias (channels) may be nil.
func NewConv(channels int, w, bias, state []float32) Conv {
	c := Conv{Channels: channels, lanes: 8, state: state[:ConvState(channels)]}
	if isa.UseAVX512 {
		c.lanes = 16
	}
	clear(c.state)
	for i := 0; i < channels; i += c.lanes {
		strip := c.state[i*stateRows:]
		for k := range min(c.lanes, channels-i) {
			for j, v := range w[(i+k)*Taps:][:Taps] {
				strip[j*c.lanes+k] = v
			}
		}
	}
	if bias != nil {
		c.write(biasRow, bias[:channels])
	}
	return c
}

// CopyTo returns a copy of the Conv in state.
func (c *Conv) CopyTo(state []float32) Conv {
	return Conv{c.Channels, c.lanes, state[:copy(state, c.state)]}
}

// write and read copy a row of the state.
func (c *Conv) write(row int, from []float32) {
	for i := 0; i < len(from); i += c.lanes {
		copy(c.state[i*stateRows+row*c.lanes:][:c.lanes], from[i:])
	}
}

func (c *Conv) read(row int, to []float32) {
	for i := 0; i < len(to); i += c.lanes {
		copy(to[i:], c.state[i*stateRows+row*c.lanes:][:c.lanes])
	}
}

// Saw says what x held some steps, 1 to 3, before the next; nil for zeros.
func (c *Conv) Saw(steps int, x []float32) {
	if x != nil {
		c.write(windowRow+Taps-1-steps, x[:c.Channels])
	}
}

// Sums writes dw_0 … dw_3 and dbias, each (channels), to sums (5, channels).
func (c *Conv) Sums(sums []float32) {
	for i := range Taps + 1 {
		c.read(sumRow+i, sums[i*c.Channels:][:c.Channels])
	}
}

// Forward sets steps steps of y, with SiLU or without. What lies ahead floats
// further is fetched meanwhile.
func (c *Conv) Forward(silu bool, steps, step, ahead int, y, x []float32) {
	if steps == 0 {
		return
	}
	n := (steps-1)*step + c.Channels
	py, px, state := at(y, n), at(x, n), &c.state[0]
	switch {
	case isa.UseAVX512 && silu:
		convSiLUAVX512(c.Channels, steps, step, ahead, py, px, state)
	case isa.UseAVX512:
		convAVX512(c.Channels, steps, step, ahead, py, px, state)
	case silu:
		convSiLUAVX2(c.Channels, steps, step, ahead, py, px, state)
	default:
		convAVX2(c.Channels, steps, step, ahead, py, px, state)
	}
}

// Gradient is the gradient, with SiLU, of steps steps. It adds to dx, whose
// first step is three before that of dy and x; with a nil dx, it does not.
func (c *Conv) Gradient(steps, step, ahead int, dx, dy, x []float32) {
	if steps == 0 {
		return
	}
	n := (steps-1)*step + c.Channels
	py, px, state := at(dy, n), at(x, n), &c.state[0]
	switch {
	case isa.UseAVX512 && dx == nil:
		convWeightGradAVX512(c.Channels, steps, step, ahead, py, px, state)
	case isa.UseAVX512:
		convGradAVX512(c.Channels, steps, step, ahead, at(dx, n), py, px, state)
	case dx == nil:
		convWeightGradAVX2(c.Channels, steps, step, ahead, py, px, state)
	default:
		convGradAVX2(c.Channels, steps, step, ahead, at(dx, n), py, px, state)
	}
}
