package tensor

import (
	"fmt"
	"math"
	"slices"

	"github.com/gophersnake/gophersnake/internal/device"
)

// Tape records operations so that Backward can run them in reverse, and owns
// the memory of what they make. It serves one goroutine.
type Tape struct {
	dev     *Device
	d       device.Device
	nodes   []node
	arena   arena
	made    []*Tensor // roots whose memory is the arena's
	noGrad  bool
	train   bool
	seed    uint64
	dropped uint64 // dropouts since Reset, part of each one's seed
	garbage garbage
	pieces  *Tape  // where Residual runs its pieces, nil before the first
	piece   *piece // the one under way on a tape of pieces, nil on any other
	atOnce  int    // elements below which Residual makes no pieces
}

// node is one recorded operation.
type node struct {
	outs  []*Tensor
	saved []device.Buf // kept from the forward for back, given back after it
	back  func()
}

// NewTape returns an empty tape for tensors on d, in training mode.
func NewTape(d *Device) *Tape {
	return &Tape{dev: d, d: d.impl, arena: newArena(d.impl), train: true, atOnce: atOnceBelow}
}

// Device returns the device of the tape's tensors.
func (tp *Tape) Device() *Device { return tp.dev }

// SetGrad says whether operations from here on are recorded. Without, Backward
// is impossible and nothing is kept for it.
func (tp *Tape) SetGrad(on bool) { tp.noGrad = !on }

// SetTraining switches dropout on or off.
func (tp *Tape) SetTraining(on bool) { tp.train = on }

// SetSeed fixes the dropout masks from here on: the same seed and the same
// operations give the same masks. Reset starts again from the seed, so give
// every step a seed of its own.
func (tp *Tape) SetSeed(seed uint64) { tp.seed, tp.dropped = seed, 0 }

// Poison makes the tape fill memory with NaN before an operation writes it, so
// that a read of what was never written shows in tests.
func (tp *Tape) Poison(on bool) { tp.arena.poison = on }

// Bytes returns how much memory the tape holds, in use or ready for use.
func (tp *Tape) Bytes() int {
	n := tp.arena.elements * tp.dev.elementSize()
	if tp.pieces != nil {
		n += tp.pieces.Bytes()
	}
	return n
}

// Reset forgets the recorded operations and takes back all tensors of the tape.
func (tp *Tape) Reset() {
	for _, t := range tp.made {
		t.released, t.buf, t.grad = true, device.Buf{}, device.Buf{}
	}
	clear(tp.made)
	tp.made = tp.made[:0]
	clear(tp.nodes)
	tp.nodes = tp.nodes[:0]
	tp.dropped = 0
	tp.arena.reset()
	if tp.pieces != nil {
		tp.pieces.Reset()
	}
	if tp.piece == nil {
		tp.garbage.collect(tp.Bytes())
	}
}

// Backward computes the gradient of loss, which must have one element, with
// respect to everything that needs one, and adds it to what is there already.
// It panics if loss was not recorded on this tape.
func (tp *Tape) Backward(loss *Tensor) {
	if loss.Len() != 1 {
		panic("tensor: Backward: loss is " + shapeString(loss.shape) + ", want one element")
	}
	if !loss.needs || !tp.recorded(loss.root()) {
		panic("tensor: Backward: loss does not depend on anything that needs a gradient, or its operations are no longer on this tape")
	}
	loss.Retain()
	tp.d.Fill(tp.grad(loss), 1)
	tp.unwind()
}

// unwind runs the gradients of all nodes, the last one first, and forgets them.
func (tp *Tape) unwind() {
	for i := len(tp.nodes) - 1; i >= 0; i-- {
		n := tp.nodes[i]
		if n.wanted() {
			n.back()
		}
		tp.release(n)
		tp.nodes[i] = node{}
	}
	tp.nodes = tp.nodes[:0]
}

// recorded reports whether t is the result of an operation on the tape.
func (tp *Tape) recorded(t *Tensor) bool {
	for i := len(tp.nodes) - 1; i >= 0; i-- {
		if slices.Contains(tp.nodes[i].outs, t) {
			return true
		}
	}
	return false
}

// wanted reports whether any gradient has arrived at the node.
func (n node) wanted() bool {
	for _, o := range n.outs {
		if !o.grad.IsNil() {
			return true
		}
	}
	return false
}

// release gives back what nothing recorded earlier can need: every user of the
// node's outputs came later and has run already.
func (tp *Tape) release(n node) {
	for _, o := range n.outs {
		if o.retain {
			continue
		}
		tp.arena.put(o.grad)
		if !o.lent {
			tp.arena.put(o.buf)
		}
		o.buf, o.grad, o.released = device.Buf{}, device.Buf{}, true
	}
	for _, b := range n.saved {
		tp.arena.put(b)
	}
}

// alloc returns a new tensor of unspecified content that belongs to the tape.
func (tp *Tape) alloc(shape ...int) *Tensor {
	return tp.own(&Tensor{dev: tp.dev, shape: shape, buf: tp.arena.get(size(shape)), tape: tp})
}

// own notes that t is the tape's.
func (tp *Tape) own(t *Tensor) *Tensor {
	tp.made = append(tp.made, t)
	if tp.piece != nil {
		tp.piece.made++
	}
	return t
}

// like is alloc with t's shape.
func (tp *Tape) like(t *Tensor) *Tensor { return tp.alloc(t.shape...) }

// tracks reports whether an operation on these inputs is to be recorded. It
// also refuses what accept refuses.
func (tp *Tape) tracks(op string, in ...*Tensor) bool {
	for _, t := range in {
		if t != nil && !tp.forgets() {
			t.root().spare = false
		}
	}
	return tp.tracksUnread(op, in...)
}

// tracksUnread is tracks for inputs whose elements the operation's gradient
// does not read.
func (tp *Tape) tracksUnread(op string, in ...*Tensor) bool {
	tp.accept(op, in...)
	needs := false
	for _, t := range in {
		needs = needs || t != nil && t.needs
	}
	return needs && !tp.noGrad
}

// accept panics on tensors that are gone or live on another device. Nil
// tensors are skipped.
func (tp *Tape) accept(op string, in ...*Tensor) {
	for i, t := range in {
		if t == nil {
			continue
		}
		if t.dev != tp.dev && t.dev.Name() != tp.dev.Name() {
			panic(fmt.Sprintf("tensor: %s: input %d is on %s, want %s as the tape", op, i, t.dev.Name(), tp.dev.Name()))
		}
		t.alive(op)
	}
}

// record notes an operation whose outputs are outs. saved is memory that back
// needs; it is given back afterwards.
func (tp *Tape) record(outs []*Tensor, saved []device.Buf, back func()) {
	for _, o := range outs {
		o.needs = true
		o.spare = tp.forgets()
	}
	if tp.forgets() {
		for _, b := range saved {
			tp.arena.put(b)
		}
		return
	}
	tp.nodes = append(tp.nodes, node{outs, saved, back})
}

// recordSpare is record for an operation whose gradient does not read what it
// made.
func (tp *Tape) recordSpare(outs []*Tensor, back func()) {
	tp.record(outs, nil, back)
	for _, o := range outs {
		o.spare = true
	}
}

// Done says that no operation will read x's elements from here on. If no
// recorded gradient reads them either, their memory serves what comes next;
// otherwise, or if x was retained, is a view or has no gradient, nothing
// happens.
func (tp *Tape) Done(x *Tensor) {
	if x.tape != tp || x.base != nil || !x.spare || x.retain || x.released || x.lent {
		return
	}
	tp.arena.put(x.buf)
	x.buf, x.released = device.Buf{}, true
}

// scratch returns n elements that live until the tape is reset or, if they
// are passed to record as saved, until the gradient has been computed.
func (tp *Tape) scratch(n int) device.Buf { return tp.arena.get(n) }

// grad returns the buffer to add t's gradient to, zeroed when new; the nil
// Buf if t is nil or needs none.
func (tp *Tape) grad(t *Tensor) device.Buf {
	g, fresh := tp.gradFresh(t)
	if fresh {
		tp.d.Zero(g)
	}
	return g
}

// gradIn is grad, but if t has no gradient yet, b's memory becomes that, of
// unspecified content, and b nil: b is as long as t, from scratch, and read by
// nobody else.
func (tp *Tape) gradIn(t *Tensor, b *device.Buf) device.Buf {
	if t.needs && t.base == nil && t.tape == tp && t.grad.IsNil() {
		t.grad, *b = *b, device.Buf{}
		return t.grad
	}
	return tp.grad(t)
}

// gradOver is grad, but if t has no gradient yet and no gradient but the one that
// runs reads t's elements, as alone says, that is their memory: to be overwritten.
func (tp *Tape) gradOver(t *Tensor, alone bool) device.Buf {
	if alone && t.needs && t.tape == tp && t.grad.IsNil() && !t.retain && !t.lent {
		t.grad, t.buf = t.buf, device.Buf{}
		return t.grad
	}
	return tp.grad(t)
}

// gradFresh is grad for operations that can overwrite: when fresh is true the
// buffer has no content yet and all of it must be written.
func (tp *Tape) gradFresh(t *Tensor) (g device.Buf, fresh bool) {
	if t == nil || !t.needs {
		return device.Buf{}, false
	}
	r := t.root()
	if r.grad.IsNil() {
		if r.tape != nil {
			r.grad = r.tape.arena.get(r.Len())
		} else {
			r.grad = tp.ownGrad(r)
		}
		fresh = true
		if t.Len() != r.Len() { // a part of the root is written: the rest must be zero
			tp.d.Zero(r.grad)
			fresh = false
		}
	}
	return r.grad.Slice(t.off, t.off+t.Len()), fresh
}

// ownGrad returns memory without content for the gradient of a tensor that
// lives on its own: that of its last one, if it had one.
func (tp *Tape) ownGrad(r *Tensor) device.Buf {
	g := r.idle
	if g.IsNil() {
		g = tp.d.Alloc(r.Len())
	}
	r.idle = device.Buf{}
	if tp.arena.poison {
		tp.d.Fill(g, math.NaN())
	}
	return g
}

// addGrad adds g to t's gradient.
func (tp *Tape) addGrad(t *Tensor, g device.Buf) {
	dst, fresh := tp.gradFresh(t)
	switch {
	case dst.IsNil():
	case fresh:
		tp.d.Copy(dst, g)
	default:
		tp.d.Axpy(1, g, dst)
	}
}

// moveGrad is addGrad of out's whole gradient to t at the end of a node's
// gradient: the memory itself changes hands when t has none yet.
func (tp *Tape) moveGrad(t, out *Tensor) {
	if t.needs && t.base == nil && t.tape == tp && t.grad.IsNil() && !out.retain {
		t.grad, out.grad = out.grad, device.Buf{}
		return
	}
	tp.addGrad(t, out.grad)
}

func (d *Device) elementSize() int {
	if d.Name() == "reference" {
		return 8
	}
	return 4
}

// arena keeps buffers by length and hands them out again.
type arena struct {
	d        device.Device
	all      map[int][]device.Buf
	free     map[int][]device.Buf
	elements int
	poison   bool
}

func newArena(d device.Device) arena {
	return arena{d: d, all: map[int][]device.Buf{}, free: map[int][]device.Buf{}}
}

func (a *arena) get(n int) device.Buf {
	var b device.Buf
	if f := a.free[n]; len(f) > 0 {
		b = f[len(f)-1]
		a.free[n] = f[:len(f)-1]
	} else {
		b = a.d.Alloc(n)
		a.all[n] = append(a.all[n], b)
		a.elements += n
	}
	if a.poison {
		a.d.Fill(b, math.NaN())
	}
	return b
}

func (a *arena) put(b device.Buf) {
	if !b.IsNil() {
		a.free[b.Len()] = append(a.free[b.Len()], b)
	}
}

func (a *arena) reset() {
	for n, all := range a.all {
		a.free[n] = append(a.free[n][:0], all...)
	}
}
