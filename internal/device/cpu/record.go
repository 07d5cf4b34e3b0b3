package cpu

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/matvec"
)

// Record implements device.Recorder.
func (d *Device) Record(w device.Weights) device.Recording { return &recording{Device: d, weights: w} }

var _ device.Recorder = (*Device)(nil)

// recording notes the operations of a forward pass. What it does not override
// belongs to gradients, losses and optimisers, or computes nothing.
type recording struct {
	*Device
	weights device.Weights
	ops     []op
	refused []string
}

// op is one noted operation.
type op struct {
	reads, writes []device.Buf
	tokens        bool // it also reads tokens, which change
	// step returns what repeats it.
	step func(c *compiler) func()
}

// note notes an operation that has been computed.
func (r *recording) note(reads, writes []device.Buf, step func(c *compiler) func()) {
	r.ops = append(r.ops, op{reads: reads, writes: writes, step: step})
}

// plain is note for an operation that is repeated as it is.
func (r *recording) plain(reads, writes []device.Buf, step func()) {
	r.note(reads, writes, func(*compiler) func() { return step })
}

// refuse notes that an operation cannot be repeated.
func (r *recording) refuse(format string, args ...any) {
	r.refused = append(r.refused, fmt.Sprintf(format, args...))
}

// Program implements device.Recording.
func (r *recording) Program() (device.Program, error) {
	if len(r.refused) > 0 {
		return nil, fmt.Errorf("these operations cannot be repeated step by step: %s", strings.Join(r.refused, ", "))
	}
	c := &compiler{d: r.Device, weights: r.weights, matrices: map[matrixKey]*matvec.Matrix{}}
	p := &program{}
	for _, o := range c.changing(r.ops) {
		p.steps = append(p.steps, o.step(c))
	}
	for _, m := range c.matrices {
		p.bytes += m.Bytes()
	}
	return p, nil
}

// program implements device.Program.
type program struct {
	steps []func()
	bytes int
}

func (p *program) Run() {
	for _, step := range p.steps {
		step()
	}
}

func (p *program) WeightBytes() int { return p.bytes }

// compiler turns noted operations into steps.
type compiler struct {
	d        *Device
	weights  device.Weights
	written  []span // what the program writes
	matrices map[matrixKey]*matvec.Matrix
}

// matrixKey tells weight matrices apart.
type matrixKey struct {
	first *float32
	n, k  int
}

// span is a range of addresses.
type span struct{ lo, hi uintptr }

func spanOf(b device.Buf) span {
	if len(b.F32) == 0 {
		return span{}
	}
	lo := uintptr(unsafe.Pointer(&b.F32[0]))
	return span{lo, lo + 4*uintptr(len(b.F32))}
}

func (s span) overlaps(t span) bool { return s.lo < t.hi && t.lo < s.hi }

// constant reports whether the program does not write to b.
func (c *compiler) constant(b device.Buf) bool {
	s := spanOf(b)
	for _, w := range c.written {
		if w.overlaps(s) {
			return false
		}
	}
	return true
}

// changing drops the operations whose results are always the same: they have
// been computed. Such a one reads only what nothing writes but others of its
// kind before it, and what it writes is written by no other and not read before.
func (c *compiler) changing(ops []op) []op {
	fixed := make([]bool, len(ops))
	var stay []op
	for i, o := range ops {
		fixed[i] = !o.tokens
		for j, other := range ops {
			if meet(o.reads, other.writes) && !(j < i && fixed[j]) ||
				j != i && meet(o.writes, other.writes) ||
				j <= i && meet(o.writes, other.reads) {
				fixed[i] = false
				break
			}
		}
		if fixed[i] {
			continue
		}
		stay = append(stay, o)
		for _, b := range o.writes {
			c.written = append(c.written, spanOf(b))
		}
	}
	return stay
}

// meet reports whether any of a overlaps any of b.
func meet(a, b []device.Buf) bool {
	for _, x := range a {
		for _, y := range b {
			if spanOf(x).overlaps(spanOf(y)) {
				return true
			}
		}
	}
	return false
}

// matrix returns w (n,k), row-major and constant, in the program's format.
func (c *compiler) matrix(n, k int, w device.Buf) *matvec.Matrix {
	key := matrixKey{&w.F32[0], n, k}
	if m := c.matrices[key]; m != nil {
		return m
	}
	m := matvec.New(c.weights, n, k, w.F32[:n*k])
	c.matrices[key] = m
	return m
}
