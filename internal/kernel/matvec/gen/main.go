// Command gen writes the kernels of package matvec for AVX2 and AVX-512.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// group is the number of columns of a row that lie together.
const group = 32

// A kernel multiplies blocks of rows by one vector. Element i of a row is added
// to partial sum i mod 32, whatever the width of the registers.
type kernel struct {
	format string
	bytes  int // of one element
	wide   bool
	rows   int // of a block

	apart bool // rows lie as they are, a stride from each other, not by groups

	w, x, y reg.GPVirtual
	strides [4]reg.GPVirtual   // 1, 3, 5 and 7 times the stride
	acc     [][]reg.VecVirtual // by row, then by vector of a group
	mask    reg.VecVirtual     // the upper halves of words, for BF16
}

func main() {
	ConstraintExpr("amd64,!noasm")
	for _, wide := range []bool{false, true} {
		for _, f := range []kernel{
			{format: "Float32", bytes: 4}, {format: "BF16", bytes: 2}, {format: "Int8", bytes: 1},
			{format: "Float32", bytes: 4, apart: true},
		} {
			f.wide, f.rows = wide, 2
			if wide {
				f.rows = 8
			}
			f.write()
		}
	}
	Generate()
}

// lanes of a register.
func (k *kernel) lanes() int {
	if k.wide {
		return 16
	}
	return 8
}

func (k *kernel) register() reg.VecVirtual {
	if k.wide {
		return ZMM()
	}
	return YMM()
}

// write emits the kernel.
func (k *kernel) write() {
	set := "AVX2"
	if k.wide {
		set = "AVX512"
	}
	name, stride := "mul"+k.format+set, ""
	doc := "sets y to the product of blocks of %d rows of groups·32 %s elements and x."
	if k.apart {
		name, stride = "mulRows"+set, ", stride int"
		doc += " Rows are stride bytes apart."
	}
	TEXT(name, NOSPLIT, "func(blocks, groups int, w *byte, x, y *float32"+stride+")")
	Pragma("noescape")
	Doc(name + " " + fmt.Sprintf(doc, k.rows, k.format))
	blocks, left := Load(Param("blocks"), GP64()), GP64()
	k.w, k.y, k.x = Load(Param("w"), GP64()).(reg.GPVirtual), Load(Param("y"), GP64()).(reg.GPVirtual), GP64()
	if k.format == "BF16" {
		k.mask = k.register()
		ones := GP32()
		MOVL(U32(0xffff0000), ones)
		VMOVD(ones, k.mask.AsX())
		VPBROADCASTD(k.mask.AsX(), k.mask)
	}
	if k.apart {
		k.loadStrides()
	}
	Label("block")
	k.clear()
	Load(Param("x"), k.x)
	Load(Param("groups"), left)
	Label("group")
	k.add()
	if k.apart {
		ADDQ(U32(group*k.bytes), k.w)
	} else {
		ADDQ(U32(k.rows*group*k.bytes), k.w)
	}
	ADDQ(U32(group*4), k.x)
	DECQ(left)
	JNZ(LabelRef("group"))
	k.store()
	if k.apart {
		k.nextRows()
	}
	ADDQ(U32(k.rows*4), k.y)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// clear sets the partial sums to 0.
func (k *kernel) clear() {
	k.acc = nil
	for range k.rows {
		var row []reg.VecVirtual
		for range group / k.lanes() {
			v := k.register()
			if k.wide {
				VPXORD(v, v, v)
			} else {
				VXORPS(v, v, v)
			}
			row = append(row, v)
		}
		k.acc = append(k.acc, row)
	}
}

// add adds the products of one group of every row.
func (k *kernel) add() {
	var xs []reg.VecVirtual
	for v := range group / k.lanes() {
		x := k.register()
		VMOVUPS(Mem{Base: k.x, Disp: 4 * v * k.lanes()}, x)
		xs = append(xs, x)
	}
	if k.format == "BF16" {
		for line := 0; line < k.rows*group*k.bytes; line += 64 {
			PREFETCHT0(Mem{Base: k.w, Disp: ahead + line})
		}
	}
	for r := range k.rows {
		for v := 0; v < len(xs); v++ {
			at := k.at(r, v)
			switch k.format {
			case "Float32":
				VFMADD231PS(at, xs[v], k.acc[r][v])
			case "BF16": // two vectors in the halves of one
				low, high := k.register(), k.register()
				VMOVUPS(at, high)
				VPSLLD(Imm(16), high, low)
				VFMADD231PS(low, xs[v], k.acc[r][v])
				k.upper(high)
				v++
				VFMADD231PS(high, xs[v], k.acc[r][v])
			default:
				w := k.register()
				VPMOVSXBD(at, w)
				VCVTDQ2PS(w, w)
				VFMADD231PS(w, xs[v], k.acc[r][v])
			}
		}
	}
}

// at is vector v of a group of row r.
func (k *kernel) at(r, v int) Mem {
	if !k.apart {
		return Mem{Base: k.w, Disp: k.bytes * (r*group + v*k.lanes())}
	}
	m := Mem{Base: k.w, Disp: k.bytes * v * k.lanes()}
	if r > 0 {
		m.Scale = uint8(r & -r) // the power of two in r
		m.Index = k.strides[r/int(m.Scale)/2]
	}
	return m
}

// loadStrides computes the odd multiples of the stride.
func (k *kernel) loadStrides() {
	for i := range k.strides {
		k.strides[i] = GP64()
	}
	stride := Load(Param("stride"), k.strides[0]).(reg.GPVirtual)
	k.strides[0] = stride
	if k.rows == 2 {
		return
	}
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, k.strides[1])
	LEAQ(Mem{Base: stride, Index: stride, Scale: 4}, k.strides[2])
	LEAQ(Mem{Base: k.strides[1], Index: stride, Scale: 4}, k.strides[3])
}

// nextRows goes from the end of a block's first row to the next block.
func (k *kernel) nextRows() {
	row := Load(Param("groups"), GP64()).(reg.GPVirtual)
	SHLQ(Imm(7), row) // bytes of a group
	SUBQ(row, k.w)
	LEAQ(Mem{Base: k.w, Index: k.strides[0], Scale: uint8(k.rows)}, k.w)
}

// ahead is how many bytes further on BF16 asks for what it will read: a tenth
// faster on matrices in the third-level cache. The other formats gain nothing.
const ahead = 2048

// upper clears the lower halves of the words of v.
func (k *kernel) upper(v reg.VecVirtual) {
	if k.wide {
		VPANDD(k.mask, v, v)
	} else {
		VPAND(k.mask, v, v)
	}
}

// store joins the partial sums in the order of vec.Dot: the vectors of eight of
// a pair, the pairs, then halves, quarters and eighths.
func (k *kernel) store() {
	if k.wide {
		k.storeEight()
	} else {
		k.storeTwo()
	}
}

// storeTwo joins two rows of four vectors of eight.
func (k *kernel) storeTwo() {
	for _, acc := range k.acc {
		VADDPS(acc[1], acc[0], acc[0])
		VADDPS(acc[3], acc[2], acc[2])
		VADDPS(acc[2], acc[0], acc[0])
	}
	low, high := YMM(), YMM()
	VPERM2F128(Imm(0x20), k.acc[1][0], k.acc[0][0], low)
	VPERM2F128(Imm(0x31), k.acc[1][0], k.acc[0][0], high)
	VADDPS(high, low, low)
	VPERMILPS(Imm(0b1110), low, high)
	VADDPS(high, low, low)
	VPERMILPS(Imm(0b01), low, high)
	VADDPS(high, low, low)
	VMOVSS(low.AsX(), Mem{Base: k.y})
	VEXTRACTF128(Imm(1), low, high.AsX())
	VMOVSS(high.AsX(), Mem{Base: k.y, Disp: 4})
}

// storeEight joins eight rows of two vectors of sixteen: it puts what is to be
// added of several rows beside each other, so that every addition is as wide as
// it can be. The order of the rows is what the shuffles make of it.
func (k *kernel) storeEight() {
	p := k.four(0, 4, 2, 6)
	q := k.four(1, 5, 3, 7)
	low, high := ZMM(), ZMM()
	VUNPCKLPD(q, p, low)
	VUNPCKHPD(q, p, high)
	VADDPS(high, low, low) // quarters
	half, even, odd := YMM(), YMM(), YMM()
	VEXTRACTF64X4(Imm(1), low, half)
	VSHUFPS(Imm(0x88), half, low.AsY(), even)
	VSHUFPS(Imm(0xdd), half, low.AsY(), odd)
	VADDPS(odd, even, even) // eighths
	VMOVUPS(even, Mem{Base: k.y})
}

// four returns the four sums left of each of four rows after the halves.
func (k *kernel) four(a, b, c, d int) reg.VecVirtual {
	p, q := k.pair(k.acc[a], k.acc[b]), k.pair(k.acc[c], k.acc[d])
	return join(0x88, 0xdd, p, q)
}

// pair returns the eight sums left of each of two rows.
func (k *kernel) pair(a, b []reg.VecVirtual) reg.VecVirtual {
	v, w := join(0x44, 0xee, a[0], b[0]), join(0x44, 0xee, a[1], b[1])
	VADDPS(w, v, v)
	return v
}

// join adds quarters of two vectors: those that low names to those of high, the
// first two of a, the others of b.
func join(low, high uint8, a, b reg.VecVirtual) reg.VecVirtual {
	x, y := ZMM(), ZMM()
	VSHUFF32X4(Imm(uint64(low)), b, a, x)
	VSHUFF32X4(Imm(uint64(high)), b, a, y)
	VADDPS(y, x, x)
	return x
}
