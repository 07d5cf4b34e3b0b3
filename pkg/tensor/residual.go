package tensor

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/device"
)

// pieceRows is how many rows, time steps of all its sequences, a piece of
// Residual has at least: enough for the cost of handing out work, and for the
// products over rows that gradients of weights are, to be lost in the rest.
const pieceRows = 1024

// atOnceBelow is how many elements of x Residual still takes at once. The inside
// of f is then some megabytes, for which no memory needs to be saved, and pieces
// would cost up to a twentieth of a step.
const atOnceBelow = 1 << 19

// A piece is what the first run of a piece leaves for the second: results that
// cost too much to compute twice, in the memory of the tape that Residual was
// called on.
type piece struct {
	owner         *Tape
	kept          []device.Buf
	taken         int  // of kept, by this run
	again         bool // this is the second run
	made, last    int  // tensors of this run so far, and of all of f's
	keepNext      bool // the result of the next Linear
	dropout       float64
	train         bool   // the tape's at the start, as are
	seed, dropped uint64 // these
}

// Residual returns x + Dropout(p, f(x)) for x (B,...,D), where f maps every
// sequence of the batch by itself to the same shape: f of some sequences is those
// of f(x). f computes on the tape that it is given, may use parameters but no
// other tensors of tp, and does the same each time that it runs. Nobody reads
// f(x) afterwards. It panics unless 0 ≤ p < 1, x has two axes or more, and f(x)
// its shape.
//
// When a gradient may follow and x has 2^19 elements or more, f runs on a few
// sequences at a time, as many as have 1024 rows (time steps), on a tape of its
// own whose memory the next piece uses again. Nothing of it is kept but the
// results of Attention and SelectiveScan, the check-points of SelectiveScanLinear,
// and what Kept asks for. The gradient runs f once more for each piece, without
// those and without a Linear at its end. So memory holds the inside of f for one
// piece instead of the batch. The pieces depend on the shape alone. With them
// dropout draws other masks than without.
func (tp *Tape) Residual(p float64, x *Tensor, f func(tp *Tape, x *Tensor) *Tensor) *Tensor {
	wantProbability("Residual", p)
	tp.accept("Residual", x)
	step := tp.pieceOf(x)
	if tp.noGrad || tp.piece != nil || step >= x.shape[0] || x.Len() < tp.atOnce {
		branch := f(tp, x)
		wantSame("Residual", "f(x)", branch, x)
		return tp.AddBranch(p, x, branch)
	}
	needs := tp.tracks("Residual", x)
	y := tp.like(x)
	var all []*piece
	for lo := 0; lo < x.shape[0]; lo += step {
		hi := min(lo+step, x.shape[0])
		c := &piece{owner: tp, dropout: p, train: tp.train, seed: tp.seed, dropped: tp.dropped}
		part, branch := tp.runPiece(c, x, lo, hi, f)
		tp.d.Add(part.buf, branch.buf, tp.rowsOf(y.buf, x, lo, hi))
		needs = needs || branch.needs
		tp.dropped = tp.pieces.dropped
		all = append(all, c)
	}
	if needs {
		tp.record([]*Tensor{y}, nil, func() { tp.residualGrad(x, y, step, all, f) })
		return y
	}
	for _, p := range all {
		tp.releasePiece(p)
	}
	return y
}

// AddBranch returns x + Dropout(p, branch), of equal shapes. Nobody reads branch
// afterwards: it is Done.
func (tp *Tape) AddBranch(p float64, x, branch *Tensor) *Tensor {
	wantProbability("AddBranch", p)
	tp.accept("AddBranch", x, branch)
	wantSame("AddBranch", "branch", branch, x)
	dropped := tp.Dropout(p, branch)
	y := tp.Add(x, dropped)
	for _, t := range []*Tensor{branch, dropped} {
		if t != x {
			tp.Done(t)
		}
	}
	return y
}

// pieceOf returns how many sequences of x a piece has.
func (tp *Tape) pieceOf(x *Tensor) int {
	if len(x.shape) < 2 {
		panic(fmt.Sprintf("tensor: Residual: x is %s, want (B, ..., D)", shapeString(x.shape)))
	}
	rows := x.rows() / x.shape[0]
	return (pieceRows + rows - 1) / rows
}

// rowsOf returns the part of b, shaped as x, that belongs to sequences lo to hi.
func (tp *Tape) rowsOf(b device.Buf, x *Tensor, lo, hi int) device.Buf {
	n := x.Len() / x.shape[0]
	return b.Slice(lo*n, hi*n)
}

// runPiece runs f on sequences lo to hi of x and returns what it read and made.
func (tp *Tape) runPiece(p *piece, x *Tensor, lo, hi int, f func(*Tape, *Tensor) *Tensor) (part, branch *Tensor) {
	if tp.pieces == nil {
		tp.pieces = &Tape{dev: tp.dev, d: tp.d, arena: newArena(tp.d)}
	}
	c := tp.pieces
	c.Reset()
	c.piece, c.arena.poison = p, tp.arena.poison
	c.train, c.seed, c.dropped = p.train, p.seed, p.dropped
	p.made, p.taken = 0, 0
	shape := append([]int{hi - lo}, x.shape[1:]...)
	part = c.own(&Tensor{dev: tp.dev, shape: shape, buf: tp.rowsOf(x.buf, x, lo, hi), needs: x.needs, tape: c, lent: true})
	branch = f(c, part)
	wantSame("Residual", "f(x)", branch, part)
	if !p.again {
		p.last = p.made
	}
	return part, c.Dropout(p.dropout, branch)
}

// residualGrad adds the gradient of y = x + f(x) to x's and to those of the
// parameters. Unless x has one already, y's memory becomes that: a piece has
// read its own part by the time that it adds to it.
func (tp *Tape) residualGrad(x, y *Tensor, step int, all []*piece, f func(*Tape, *Tensor) *Tensor) {
	dy := y.grad
	tp.moveGrad(x, y)
	dx, _ := tp.gradFresh(x)
	for i, p := range all {
		lo, hi := i*step, min((i+1)*step, x.shape[0])
		p.again = true
		part, branch := tp.runPiece(p, x, lo, hi, f)
		if branch.needs {
			tp.pieces.unwindFrom(branch, tp.rowsOf(dy, x, lo, hi))
		}
		if !part.grad.IsNil() {
			tp.d.Axpy(1, part.grad, tp.rowsOf(dx, x, lo, hi))
		}
		tp.releasePiece(p)
	}
}

// unwindFrom runs the gradients from y on, whose own is dy, memory of another
// tape. That is read and not given away if y is retained.
func (tp *Tape) unwindFrom(y *Tensor, dy device.Buf) {
	if y.base != nil || y.lent {
		tp.addGrad(y, dy)
	} else {
		y.grad, y.retain = dy, true
	}
	tp.unwind()
}

// releasePiece gives back what p kept.
func (tp *Tape) releasePiece(p *piece) {
	for _, b := range p.kept {
		tp.arena.put(b)
	}
	p.kept = nil
}

// forgets reports whether this is the first run of a piece, whose operations no
// gradient will follow.
func (tp *Tape) forgets() bool { return tp.piece != nil && !tp.piece.again }

// Kept says that the next operation is a Linear whose result a piece of Residual
// keeps: computing it a second time would cost more than its memory is worth.
// Elsewhere it changes nothing. It returns tp.
func (tp *Tape) Kept() *Tape {
	if tp.piece != nil {
		tp.piece.keepNext = true
	}
	return tp
}

// linearOut is alloc for Linear; again says that its result is there, or that
// nobody reads it: at the end of a piece that runs for its gradient, which does
// not either.
func (tp *Tape) linearOut(shape []int) (y *Tensor, again bool) {
	p := tp.piece
	if p == nil {
		return tp.alloc(shape...), false
	}
	if p.keepNext {
		p.keepNext = false
		return tp.keep(shape...)
	}
	y = tp.alloc(shape...)
	return y, p.again && p.made == p.last
}

// keep is alloc for a result that a piece keeps for its second run; again says
// that this is it and the result is there.
func (tp *Tape) keep(shape ...int) (t *Tensor, again bool) {
	if tp.piece == nil {
		return tp.alloc(shape...), false
	}
	b := tp.piece.buf(size(shape))
	return tp.own(&Tensor{dev: tp.dev, shape: shape, buf: b, tape: tp, lent: true}), tp.piece.again
}

// keepScratch is scratch for what belongs to such a result and its gradient
// reads. Without a piece, record gets it in saved.
func (tp *Tape) keepScratch(n int, saved *[]device.Buf) device.Buf {
	if tp.piece != nil {
		return tp.piece.buf(n)
	}
	b := tp.scratch(n)
	*saved = append(*saved, b)
	return b
}

// buf returns memory that stays for the second run, or what the first one got.
func (p *piece) buf(n int) device.Buf {
	if !p.again {
		p.kept = append(p.kept, p.owner.arena.get(n))
	}
	p.taken++
	return p.kept[p.taken-1]
}
