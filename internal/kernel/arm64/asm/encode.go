package asm

// The encoding classes, with the fields as the manual names them: Q is 1 (128
// bits) and the size of a float32 lane is sz = 0 throughout. Registers are the
// numbers 0 … 31.

// fields places a value at each position.
func fields(pairs ...uint32) (w uint32) {
	for i := 0; i < len(pairs); i += 2 {
		w |= pairs[i] << pairs[i+1]
	}
	return w
}

// threeSame is "Advanced SIMD three same": Vd = Vn op Vm.
func threeSame(u, size, opcode uint32) func(r []uint32) uint32 {
	return func(r []uint32) uint32 {
		return fields(1, 30, u, 29, 0b01110, 24, size, 22, 1, 21, r[2], 16, opcode, 11, 1, 10, r[1], 5, r[0], 0)
	}
}

// twoMisc is "Advanced SIMD two-register miscellaneous": Vd = op Vn.
func twoMisc(u, size, opcode uint32) func(r []uint32) uint32 {
	return func(r []uint32) uint32 {
		return fields(1, 30, u, 29, 0b01110, 24, size, 22, 0b10000, 17, opcode, 12, 0b10, 10, r[1], 5, r[0], 0)
	}
}

// byElement is "Advanced SIMD vector × indexed element" for float32:
// Vd = Vd op Vn·Vm[index].
func byElement(u, opcode, index uint32) func(r []uint32) uint32 {
	return func(r []uint32) uint32 {
		l, h := index&1, index>>1
		return fields(1, 30, u, 29, 0b01111, 24, 0b10, 22, l, 21, r[2], 16, opcode, 12, h, 11, r[1], 5, r[0], 0)
	}
}

// shiftRight is "Advanced SIMD shift by immediate" to the right, by 1 … 32 bits:
// immh:immb is 64 − shift.
func shiftRight(u, opcode, shift uint32) func(r []uint32) uint32 {
	return func(r []uint32) uint32 {
		return fields(1, 30, u, 29, 0b011110, 23, 64-shift, 16, opcode, 11, 1, 10, r[1], 5, r[0], 0)
	}
}

// widen is SXTL (upper 0) and SXTL2 (upper 1) in the same class: the signed
// integers of a half of Vn with twice their bits; immh:immb is their size.
func widen(upper, bits uint32) func(r []uint32) uint32 {
	return func(r []uint32) uint32 {
		return fields(upper, 30, 0b011110, 23, bits, 16, 0b10100, 11, 1, 10, r[1], 5, r[0], 0)
	}
}
