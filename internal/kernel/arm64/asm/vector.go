package asm

import "fmt"

// Vectors of four float32, or of four 32-bit integers. The destination comes
// first. Names in capitals at the front (F…) are of floats, the others of
// integers or bits.

// Load is a new register with the 16 bytes at p + off.
func (f *Func) Load(p GP, off int) Vec { return f.load("FMOVQ", p, off) }

// LoadHalf is Load of 8 bytes; the other lanes are zero.
func (f *Func) LoadHalf(p GP, off int) Vec { return f.load("FMOVD", p, off) }

// LoadOne is Load of 4 bytes; the other lanes are zero.
func (f *Func) LoadOne(p GP, off int) Vec { return f.load("FMOVS", p, off) }

func (f *Func) load(op string, p GP, off int) Vec {
	v := f.Vec()
	f.emit(fmt.Sprintf("%s %d(R%%d), F%%d", op, off), regs(v), regs(p), regs(p, v))
	return v
}

// LoadNext is Load at p, which moves on by n bytes.
func (f *Func) LoadNext(p GP, n int) Vec { return f.loadNext("FMOVQ", p, n) }

// LoadOneNext is LoadOne at p, which moves on by n bytes.
func (f *Func) LoadOneNext(p GP, n int) Vec { return f.loadNext("FMOVS", p, n) }

func (f *Func) loadNext(op string, p GP, n int) Vec {
	v := f.Vec()
	f.emit(fmt.Sprintf("%s.P %d(R%%d), F%%d", op, n), regs(v, p), regs(p), regs(p, v))
	return v
}

// LoadPair is Load of 32 bytes to two new registers.
func (f *Func) LoadPair(p GP, off int) [2]Vec {
	v := [2]Vec{f.Vec(), f.Vec()}
	f.emit(fmt.Sprintf("FLDPQ %d(R%%d), (F%%d, F%%d)", off), regs(v[0], v[1]), regs(p), regs(p, v[0], v[1]))
	return v
}

// Store writes v to the 16 bytes at p + off.
func (f *Func) Store(v Vec, p GP, off int) { f.store("FMOVQ", v, p, off) }

// StoreHalf writes the first two lanes.
func (f *Func) StoreHalf(v Vec, p GP, off int) { f.store("FMOVD", v, p, off) }

// StoreOne writes the first lane.
func (f *Func) StoreOne(v Vec, p GP, off int) { f.store("FMOVS", v, p, off) }

func (f *Func) store(op string, v Vec, p GP, off int) {
	f.emit(fmt.Sprintf("%s F%%d, %d(R%%d)", op, off), nil, regs(v, p), regs(v, p))
}

// StorePair writes both to the 32 bytes at p + off.
func (f *Func) StorePair(v [2]Vec, p GP, off int) {
	f.emit(fmt.Sprintf("FSTPQ (F%%d, F%%d), %d(R%%d)", off), nil, regs(v[0], v[1], p), regs(v[0], v[1], p))
}

// Prefetch asks for the cache line at p + off; op is PLDL1KEEP and the like.
func (f *Func) Prefetch(op string, p GP, off int) {
	f.emit(fmt.Sprintf("PRFM %d(R%%d), %s", off, op), nil, regs(p), regs(p))
}

// Zero is a new register of zeros.
func (f *Func) Zero() Vec {
	v := f.Vec()
	f.emit("VEOR V%d.B16, V%d.B16, V%d.B16", regs(v), nil, regs(v, v, v))
	return v
}

// Copy is a new register with v's value.
func (f *Func) Copy(v Vec) Vec {
	d := f.Vec()
	f.Move(d, v)
	return d
}

// Move is d = v.
func (f *Func) Move(d, v Vec) {
	f.emit("VORR V%d.B16, V%d.B16, V%d.B16", regs(d), regs(v), regs(v, v, d))
}

// Dup is a new register whose lanes are all v's first.
func (f *Func) Dup(v Vec) Vec {
	d := f.Vec()
	f.emit("VDUP V%d.S[0], V%d.S4", regs(d), regs(v), regs(v, d))
	return d
}

// known appends d = a op b with an instruction of the assembler, which has the
// operands the other way round.
func (f *Func) known(op, shape string, d, a, b Vec) {
	f.emit(fmt.Sprintf("%s V%%d.%[2]s, V%%d.%[2]s, V%%d.%[2]s", op, shape), regs(d), regs(a, b), regs(b, a, d))
}

// three appends d = a op b as a word.
func (f *Func) three(op string, word func(r []uint32) uint32, d, a, b Vec) {
	f.emitWord(op+" V%d.4S, V%d.4S, V%d.4S", word, regs(a, b), regs(d, a, b))
}

// FAdd is d = a + b.
func (f *Func) FAdd(d, a, b Vec) { f.three("FADD", threeSame(0, 0b00, 0b11010), d, a, b) }

// FSub is d = a − b.
func (f *Func) FSub(d, a, b Vec) { f.three("FSUB", threeSame(0, 0b10, 0b11010), d, a, b) }

// FMul is d = a·b.
func (f *Func) FMul(d, a, b Vec) { f.three("FMUL", threeSame(1, 0b00, 0b11011), d, a, b) }

// FDiv is d = a/b.
func (f *Func) FDiv(d, a, b Vec) { f.three("FDIV", threeSame(1, 0b00, 0b11111), d, a, b) }

// FMax is d = max(a, b); NaN if either is.
func (f *Func) FMax(d, a, b Vec) { f.three("FMAX", threeSame(0, 0b00, 0b11110), d, a, b) }

// FMin is d = min(a, b); NaN if either is.
func (f *Func) FMin(d, a, b Vec) { f.three("FMIN", threeSame(0, 0b10, 0b11110), d, a, b) }

// FAddPairs is d = (a0+a1, a2+a3, b0+b1, b2+b3).
func (f *Func) FAddPairs(d, a, b Vec) { f.three("FADDP", threeSame(1, 0b00, 0b11010), d, a, b) }

// Max is d = max(a, b), as signed integers.
func (f *Func) Max(d, a, b Vec) { f.three("SMAX", threeSame(0, 0b10, 0b01100), d, a, b) }

// Min is d = min(a, b), as signed integers.
func (f *Func) Min(d, a, b Vec) { f.three("SMIN", threeSame(0, 0b10, 0b01101), d, a, b) }

// Mul is d = a·b, as integers.
func (f *Func) Mul(d, a, b Vec) { f.three("MUL", threeSame(0, 0b10, 0b10011), d, a, b) }

// FAbs is d = |a|.
func (f *Func) FAbs(d, a Vec) { f.two("FABS", twoMisc(0, 0b10, 0b01111), d, a) }

// FNeg is d = −a.
func (f *Func) FNeg(d, a Vec) { f.two("FNEG", twoMisc(1, 0b10, 0b01111), d, a) }

// FSqrt is d = √a.
func (f *Func) FSqrt(d, a Vec) { f.two("FSQRT", twoMisc(1, 0b10, 0b11111), d, a) }

// two appends d = op a as a word.
func (f *Func) two(op string, word func(r []uint32) uint32, d, a Vec) {
	f.emitWord(op+" V%d.4S, V%d.4S", word, regs(a), regs(d, a))
}

// FMulAdd is d += a·b, rounded once.
func (f *Func) FMulAdd(d, a, b Vec) {
	f.emit("VFMLA V%d.S4, V%d.S4, V%d.S4", regs(d), regs(d, a, b), regs(b, a, d))
}

// FMulSub is d −= a·b, rounded once.
func (f *Func) FMulSub(d, a, b Vec) {
	f.emit("VFMLS V%d.S4, V%d.S4, V%d.S4", regs(d), regs(d, a, b), regs(b, a, d))
}

// FMulAddLane is d += a·b[lane], rounded once.
func (f *Func) FMulAddLane(d, a, b Vec, lane int) {
	f.emitWord(fmt.Sprintf("FMLA V%%d.4S, V%%d.4S, V%%d.S[%d]", lane),
		byElement(0, 0b0001, uint32(lane)), regs(d, a, b), regs(d, a, b))
}

// FMulSubLane is d −= a·b[lane], rounded once.
func (f *Func) FMulSubLane(d, a, b Vec, lane int) {
	f.emitWord(fmt.Sprintf("FMLS V%%d.4S, V%%d.4S, V%%d.S[%d]", lane),
		byElement(0, 0b0101, uint32(lane)), regs(d, a, b), regs(d, a, b))
}

// FMulLane is d = a·b[lane].
func (f *Func) FMulLane(d, a, b Vec, lane int) {
	f.emitWord(fmt.Sprintf("FMUL V%%d.4S, V%%d.4S, V%%d.S[%d]", lane),
		byElement(0, 0b1001, uint32(lane)), regs(a, b), regs(d, a, b))
}

// FFromInt is d = the signed integers a.
func (f *Func) FFromInt(d, a Vec) { f.two("SCVTF", twoMisc(0, 0b00, 0b11101), d, a) }

// Widen8 is d = eight of a's sixteen signed bytes, the upper ones or not, as
// 16-bit integers.
func (f *Func) Widen8(d, a Vec, upper bool) { f.widen("V%d.8H", "B", 8, d, a, upper) }

// Widen16 is d = four of a's eight signed 16-bit integers, as 32-bit ones.
func (f *Func) Widen16(d, a Vec, upper bool) { f.widen("V%d.4S", "H", 16, d, a, upper) }

func (f *Func) widen(to, from string, bits int, d, a Vec, upper bool) {
	op, half, lanes := "SXTL", uint32(0), 64/bits
	if upper {
		op, half, lanes = "SXTL2", 1, 2*lanes
	}
	f.emitWord(fmt.Sprintf("%s %s, V%%d.%d%s", op, to, lanes, from), widen(half, uint32(bits)), regs(a), regs(d, a))
}

// Plus is d = a + b, as integers.
func (f *Func) Plus(d, a, b Vec) { f.known("VADD", "S4", d, a, b) }

// Minus is d = a − b, as integers.
func (f *Func) Minus(d, a, b Vec) { f.known("VSUB", "S4", d, a, b) }

// And is d = a & b.
func (f *Func) And(d, a, b Vec) { f.known("VAND", "B16", d, a, b) }

// Or is d = a | b.
func (f *Func) Or(d, a, b Vec) { f.known("VORR", "B16", d, a, b) }

// Xor is d = a ^ b.
func (f *Func) Xor(d, a, b Vec) { f.known("VEOR", "B16", d, a, b) }

// Take is d = b where mask has ones, and d as it was elsewhere.
func (f *Func) Take(d, b, mask Vec) {
	f.emit("VBIT V%d.B16, V%d.B16, V%d.B16", regs(d), regs(d, b, mask), regs(mask, b, d))
}

// ShiftLeft is d = a << n.
func (f *Func) ShiftLeft(d, a Vec, n int) {
	f.emit(fmt.Sprintf("VSHL $%d, V%%d.S4, V%%d.S4", n), regs(d), regs(a), regs(a, d))
}

// ShiftRight is d = a >> n, n from 1 on, with the sign.
func (f *Func) ShiftRight(d, a Vec, n int) {
	f.emitWord(fmt.Sprintf("SSHR V%%d.4S, V%%d.4S, #%d", n), shiftRight(0, 0, uint32(n)), regs(a), regs(d, a))
}

// Lookup is d = the bytes of the table lo, hi that index's bytes name. hi must
// have the number after lo's (VecAt).
func (f *Func) Lookup(d, lo, hi, index Vec) {
	f.emit("VTBL V%d.B16, [V%d.B16, V%d.B16], V%d.B16", regs(d), regs(index, lo, hi), regs(index, lo, hi, d))
}

// HighHalf is d = (a2, a3, a0, a1).
func (f *Func) HighHalf(d, a Vec) {
	f.emit("VEXT $8, V%d.B16, V%d.B16, V%d.B16", regs(d), regs(a), regs(a, a, d))
}

// Zip1 is d = (a0, b0, a1, b1).
func (f *Func) Zip1(d, a, b Vec) { f.known("VZIP1", "S4", d, a, b) }

// Zip2 is d = (a2, b2, a3, b3).
func (f *Func) Zip2(d, a, b Vec) { f.known("VZIP2", "S4", d, a, b) }

// ZipHalves1 is d = (a0, a1, b0, b1).
func (f *Func) ZipHalves1(d, a, b Vec) { f.known("VZIP1", "D2", d, a, b) }

// ZipHalves2 is d = (a2, a3, b2, b3).
func (f *Func) ZipHalves2(d, a, b Vec) { f.known("VZIP2", "D2", d, a, b) }
