package cpu

import (
	"unsafe"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/matvec"
)

const (
	// unitAlign is what the units of a share begin at: rows of a
	// matrix in blocks, channels in registers and cache lines.
	unitAlign = 16
	// maxCopied is how many elements an operation may touch that every share
	// repeats for itself: that takes about as long as waiting for each other.
	maxCopied = 1 << 12
	// minShared is from how many elements of work on a step is shared between
	// two workers: below, waiting costs what they gain.
	minShared = 1 << 16
	// minBalanced is from how many elements of work for a stream on, 32 MiB of
	// weights, a worker has several shares: they are not in its caches anyway, and
	// those that a busy core does not get to are done by others.
	minBalanced = 1 << 23
	// balancedShares is how many it has.
	balancedShares = 4
)

// compiler turns noted operations into a program: for every share a list of
// steps, cut into segments at whose ends all wait for each other.
type compiler struct {
	d        *Device
	weights  device.Weights
	ops      []op
	written  []span // what the program writes
	matrices map[matrixKey]*matvec.Matrix

	workers  int
	shares   int          // into which the units of an operation are cut
	segments [][][]func() // by share, then segment
	reads    [][]span     // by share, since the last cut
	writes   [][]span
	copied   []copied

	share   int  // for which a step is being made
	copying bool // its results are its own
}

// copied is a buffer of which every share but the first has a copy.
type copied struct {
	span
	of [][]float32 // by share; the first's is the buffer itself
}

// matrixKey tells weight matrices apart.
type matrixKey struct {
	first *float32
	n, k  int
}

func newCompiler(r *recording) *compiler {
	c := &compiler{d: r.Device, weights: r.weights, matrices: map[matrixKey]*matvec.Matrix{}}
	c.ops = c.changing(r.ops)
	work := 0
	for _, o := range c.ops {
		work += o.work
	}
	c.workers = max(1, min(c.d.workers, work/minShared))
	c.shares = c.workers
	if c.workers > 1 && work/r.streams >= minBalanced {
		c.shares *= balancedShares
	}
	c.segments = make([][][]func(), c.shares)
	c.cut()
	return c
}

func (c *compiler) compile() *program {
	for _, o := range c.ops {
		c.add(o)
	}
	p := newProgram(c.segments, c.workers)
	for _, m := range c.matrices {
		p.bytes += m.Bytes()
	}
	return p
}

// cut begins a segment.
func (c *compiler) cut() {
	for i := range c.segments {
		c.segments[i] = append(c.segments[i], nil)
	}
	c.reads, c.writes = make([][]span, c.shares), make([][]span, c.shares)
}

// add adds an operation to the last segment, or to the next if a share would
// meet what another one does in this.
func (c *compiler) add(o op) {
	copies := o.copies && o.work <= maxCopied || o.follows && c.allCopied(o.reads)
	c.copying = c.shares > 1 && copies && c.canRead(o)
	if o.align == 0 {
		o.align = unitAlign
	}
	shared := c.copying || o.units > o.align && c.canRead(o)
	lo, hi := make([]int, c.shares), make([]int, c.shares)
	hi[0] = o.units
	if shared {
		for w := range c.shares {
			lo[w], hi[w] = c.units(o, w)
		}
	}
	c.order(o, lo, hi, shared)
	if c.copying {
		for _, t := range o.writes {
			c.copy(t.buf)
		}
	}
	last := len(c.segments[0]) - 1
	for c.share = range c.shares {
		if w := c.share; w == 0 || shared && (hi[w] > lo[w] || c.copying) {
			c.segments[w][last] = append(c.segments[w][last], o.step(c, lo[w], hi[w]))
		}
	}
	if !c.copying {
		for _, t := range o.writes {
			c.forget(spanOf(t.buf))
		}
	}
}

// units is the range of a share.
func (c *compiler) units(o op, share int) (lo, hi int) {
	if c.copying {
		return 0, o.units
	}
	at := func(w int) int {
		if w == c.shares {
			return o.units
		}
		return min(o.units, (o.units*w/c.shares+o.align/2)/o.align*o.align)
	}
	return at(share), at(share + 1)
}

// order begins a segment if it must, and notes what the shares touch.
func (c *compiler) order(o op, lo, hi []int, shared bool) {
	if c.shares == 1 {
		return
	}
	reads, writes := make([][]span, c.shares), make([][]span, c.shares)
	for c.share = range c.shares {
		w := c.share
		if w > 0 && !shared {
			break
		}
		for _, t := range o.reads {
			if in := c.in(t.buf); w == 0 || spanOf(in) == spanOf(t.buf) {
				reads[w] = append(reads[w], t.spans(o.units, lo[w], hi[w])...)
			}
		}
		for _, t := range o.writes {
			if w == 0 || !c.copying {
				writes[w] = append(writes[w], t.spans(o.units, lo[w], hi[w])...)
			}
		}
	}
	if c.clash(reads, writes) {
		c.cut()
	}
	for w := range c.shares {
		c.reads[w], c.writes[w] = append(c.reads[w], reads[w]...), append(c.writes[w], writes[w]...)
	}
}

// clash reports whether a share touches what another one writes in this
// segment, or writes what it reads.
func (c *compiler) clash(reads, writes [][]span) bool {
	for w := range c.shares {
		for v := range c.shares {
			if v != w && (anyOverlap(reads[w], c.writes[v]) || anyOverlap(writes[w], c.writes[v]) ||
				anyOverlap(writes[w], c.reads[v])) {
				return true
			}
		}
	}
	return false
}

// in is what the share reads in place of b: its copy, if there is one.
func (c *compiler) in(b device.Buf) device.Buf {
	if s := spanOf(b); c.share > 0 && s != (span{}) {
		for _, x := range c.copied {
			if x.lo <= s.lo && s.hi <= x.hi {
				at := int(s.lo-x.lo) / 4
				return device.Buf{F32: x.of[c.share][at:][:len(b.F32)]}
			}
		}
	}
	return b
}

// out is what the share writes in place of b.
func (c *compiler) out(b device.Buf) device.Buf {
	if c.copying {
		return c.in(b)
	}
	return b
}

// canRead reports whether copies are no hindrance to more than one share: none
// lies partly in what is read, and what is updated in place has none.
func (c *compiler) canRead(o op) bool {
	for _, x := range c.copied {
		for _, t := range o.reads {
			s := spanOf(t.buf)
			if s.overlaps(x.span) && (s.lo < x.lo || s.hi > x.hi || meet(o.writes, []touch{t})) {
				return false
			}
		}
	}
	return true
}

// allCopied reports whether there are copies of what the program writes of the
// reads.
func (c *compiler) allCopied(reads []touch) bool {
	c.share = c.shares - 1
	for _, t := range reads {
		if !c.constant(t.buf) && spanOf(c.in(t.buf)) == spanOf(t.buf) {
			return false
		}
	}
	return true
}

// copy gives every share but the first a copy of b.
func (c *compiler) copy(b device.Buf) {
	s := spanOf(b)
	for _, x := range c.copied {
		if x.span == s {
			return
		}
	}
	if s == (span{}) {
		return
	}
	c.forget(s)
	x := copied{s, [][]float32{b.F32}}
	for range c.shares - 1 {
		x.of = append(x.of, make([]float32, len(b.F32)))
	}
	c.copied = append(c.copied, x)
}

// forget drops the copies of what s overlaps.
func (c *compiler) forget(s span) {
	var stay []copied
	for _, x := range c.copied {
		if !x.overlaps(s) {
			stay = append(stay, x)
		}
	}
	c.copied = stay
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

// constant reports whether the program does not write to b.
func (c *compiler) constant(b device.Buf) bool {
	return !anyOverlap([]span{spanOf(b)}, c.written)
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
		for _, t := range o.writes {
			c.written = append(c.written, spanOf(t.buf))
		}
	}
	return stay
}

// meet reports whether any of a overlaps any of b.
func meet(a, b []touch) bool {
	for _, x := range a {
		for _, y := range b {
			if spanOf(x.buf).overlaps(spanOf(y.buf)) {
				return true
			}
		}
	}
	return false
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

func anyOverlap(a, b []span) bool {
	for _, s := range a {
		for _, t := range b {
			if s.overlaps(t) {
				return true
			}
		}
	}
	return false
}

// spans are the addresses that units lo … hi−1 of all touch.
func (t touch) spans(units, lo, hi int) []span {
	s := spanOf(t.buf)
	if t.rows == 0 || s == (span{}) || lo == 0 && hi == units {
		return []span{s}
	}
	row := (s.hi - s.lo) / uintptr(t.rows)
	unit := row / uintptr(units)
	var out []span
	for i := range t.rows {
		at := s.lo + uintptr(i)*row
		out = append(out, span{at + uintptr(lo)*unit, at + uintptr(hi)*unit})
	}
	return out
}
