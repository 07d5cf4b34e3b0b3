package scan

import "github.com/gophersnake/gophersnake/internal/kernel/scan/spec"

// A frame is one chunk of one channel group: rows of the fields listed in
// package spec. The frames of a pair of groups lie one after the other, or (in
// the AVX-512 engine) are one frame whose fields have sixteen lanes.
const (
	lanes     = spec.Lanes
	chunk     = spec.Chunk
	frameRow  = spec.FrameRow
	frameSize = spec.Frame
)

// extent is how much of a frame pair a kernel call works on.
type extent struct {
	steps  int // rows, at most chunk
	halves int // 1, or 2: two groups side by side
	ahead  int // floats from the planes' rows to those that come next: asked for early

	next *lookahead // nil: the rows are asked for when those before are read
}

// lookahead lists the arrays of which the backward scan itself asks for the next
// rows, one in each of its steps: the core can wait for some dozens of cache lines at
// a time, and a row kernel asks for more.
type lookahead struct {
	rows [spec.Rows]*float32 // the window's first
	step int                 // floats from row to row
}

// spreadStates is the number of states from which the scan has steps enough to
// ask for all rows.
const spreadStates = 16

// plane is a strided view of some steps of eight channels, or of sixteen for a
// pair: lane i of step t is v[t*ld+i].
type plane struct {
	v  []float32
	ld int
}

// operand is Bm or Cm as seen by one channel group over one chunk: with lanes,
// state n has eight values at v[n*8] for all steps; without, one value at
// v[t*ld+n] for all channels. The imaginary part of a complex scan is im, laid
// out alike but for its own imLd; a real operand's is zeros with imLd 0.
type operand struct {
	v     []float32
	im    []float32
	ld    int
	imLd  int
	lanes bool
}

// system is what the recurrence of a channel group, or of a pair, needs besides
// its frame. The second group of a pair lies group floats after the first, in a,
// in B and C with lanes, in h and in the adjoint.
type system struct {
	n      int       // states
	group  int       // floats from group to group
	signed bool      // Ā = 2 exp(ΔA) − 1
	a      []float32 // (N, 8): A log2(e); complex: then Im A / 2π
	b, c   operand
}

// half is the second (i = 1) or first (i = 0) group of a pair.
func (s system) half(i int) system {
	s.a = s.a[i*s.group:]
	s.b, s.c = s.b.half(i*s.group), s.c.half(i*s.group)
	return s
}

func (o operand) half(at int) operand {
	if o.lanes {
		o.v, o.im = o.v[at:], o.im[at:]
	}
	return o
}

// eachHalf calls f with each group of a pair: its frame, system and state.
func (s system) eachHalf(x extent, frame, h []float32, f func(half int, frame []float32, s system, h []float32)) {
	for i := range x.halves {
		f(i, frame[i*frameSize:], s.half(i), h[i*s.group:])
	}
}

// adjoint is what the backward recurrence of one channel group updates. A
// complex scan has a second plane in carry and da, N·8 floats after the first,
// and the imaginary parts of db and dc in dbIm and dcIm.
type adjoint struct {
	carry []float32 // (N, 8): Ā_{t+1} X_{t+1}, in and out
	da    []float32 // (N, 8): += S Δ
	db    []float32 // (steps, N, 8), or (N, 8) when B is lanes: += X Δ u
	dc    []float32 // (steps, N, 8), or (N, 8) when C is lanes: += g h
	dbLd  int       // floats from step to step of db: 8 N or 0
	dcLd  int
	tmp   []float32 // tmpSize

	dbIm, dcIm []float32
}

// half is the second (i = group) or first (i = 0) group of a pair.
func (a adjoint) half(i int) adjoint {
	a.carry, a.da = a.carry[i:], a.da[i:]
	if a.dbLd == 0 {
		a.db, a.dbIm = a.db[i:], a.dbIm[i:]
	}
	if a.dcLd == 0 {
		a.dc, a.dcIm = a.dc[i:], a.dcIm[i:]
	}
	return a
}

// tmpSize is Ā and h_{t−1} of four states of a pair; a complex scan uses it for
// one.
const tmpSize = spec.Halves * chunk * 4 * 2 * lanes

// lane is the vector of eight floats at x[i].
func lane(x []float32, i int) *[lanes]float32 { return (*[lanes]float32)(x[i : i+lanes]) }

// packGroup writes rows 8k … 8k+7 of the (D, N) matrix src as (N, 8) lanes
// times scale; channels past D, or all when src is nil, become zero.
func packGroup(dst, src []float32, k, d, n int, scale float32) {
	if src == nil {
		clear(dst[:n*lanes])
		return
	}
	for i := range lanes {
		c := k*lanes + i
		if c >= d {
			for j := range n {
				dst[j*lanes+i] = 0
			}
			continue
		}
		for j, v := range src[c*n : c*n+n] {
			dst[j*lanes+i] = v * scale
		}
	}
}

// unpackGroup writes the (N, 8) lanes of group k to rows of the (D, N) matrix
// dst.
func unpackGroup(dst, src []float32, k, d, n int) {
	for i := range min(lanes, d-k*lanes) {
		row := dst[(k*lanes+i)*n:][:n]
		for j := range row {
			row[j] = src[j*lanes+i]
		}
	}
}

// addGroup is unpackGroup that adds.
func addGroup(dst, src []float32, k, d, n int) {
	for i := range min(lanes, d-k*lanes) {
		row := dst[(k*lanes+i)*n:][:n]
		for j := range row {
			row[j] += src[j*lanes+i]
		}
	}
}

// Slots of the edge buffer, one plane of chunk×8 floats for each array that a
// kernel call touches. slotJunk takes what nobody wants, of both halves.
const (
	slotU = iota
	slotDelta
	slotZ
	slotY
	slotDU
	slotDDelta
	slotDZ
	slotJunk
	slots
	edgeSize = (slots + 1) * chunk * lanes
)

// window is one chunk of one channel group, or pair of groups, of the (B, L, D)
// arrays. A last group that reaches past D is alone and goes through the edge
// buffer.
type window struct {
	Shape
	extent
	b, t, k int       // batch row, first step, first group
	edge    []float32 // edgeSize
	look    lookahead
}

// seekTime moves the window to step t.
func (w *window) seekTime(t int) { w.t, w.steps = t, min(chunk, w.L-t) }

// seekGroup moves the window to group k of lo … hi−1, and k+1 where both are
// below hi and full. After the last group comes the first one step steps on.
func (w *window) seekGroup(k, lo, hi, step int) {
	w.k, w.halves = k, 1
	if k+2 <= hi && (k+2)*lanes <= w.D {
		w.halves = 2
	}
	w.ahead = w.halves * lanes
	if k+w.halves >= hi {
		w.ahead = step*w.D - (k-lo)*lanes
	}
}

// lookAhead has the scan ask for the next rows of these (B, L, D) arrays, the
// first of which is not nil, where it can.
func (w *window) lookAhead(arrays ...[]float32) {
	w.next = nil
	if w.N < spreadStates || !w.full() {
		return
	}
	w.next, w.look.step = &w.look, w.D
	for i := range w.look.rows {
		x := arrays[0]
		if i < len(arrays) && arrays[i] != nil {
			x = arrays[i]
		}
		w.look.rows[i] = &x[w.origin()]
	}
}

func (w *window) full() bool  { return (w.k+1)*lanes <= w.D }
func (w *window) origin() int { return (w.b*w.L+w.t)*w.D + w.k*lanes }
func (w *window) slot(i int) plane {
	return plane{w.edge[i*chunk*lanes:], lanes}
}

// in is x as seen through the window, zero past D.
func (w *window) in(x []float32, slot int) plane {
	if w.full() {
		return plane{x[w.origin():], w.D}
	}
	p, width := w.slot(slot), w.D-w.k*lanes
	for t := range w.steps {
		row := lane(p.v, t*lanes)
		*row = [lanes]float32{}
		copy(row[:width], x[w.origin()+t*w.D:])
	}
	return p
}

// out is where a kernel may store or add what belongs to x.
func (w *window) out(x []float32, slot int) plane {
	switch {
	case x == nil:
		return w.slot(slotJunk)
	case w.full():
		return plane{x[w.origin():], w.D}
	}
	p := w.slot(slot)
	clear(p.v[:chunk*lanes])
	return p
}

// settle adds the edge plane p to x (zeroed first when set), if there is one.
func (w *window) settle(x []float32, p plane, set bool) {
	if x == nil || w.full() {
		return
	}
	width := w.D - w.k*lanes
	for t := range w.steps {
		row := x[w.origin()+t*w.D:][:width]
		for i := range row {
			if set {
				row[i] = 0
			}
			row[i] += p.v[t*lanes+i]
		}
	}
}
