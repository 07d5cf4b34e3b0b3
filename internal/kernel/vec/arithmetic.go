package vec

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// Add sets dst = a + b.
func Add(dst, a, b []float32) {
	check("Add", "dst a b", len(dst), len(a), len(b))
	if wide(len(dst)) {
		avx512Add(dst, a, b)
		return
	}
	if isa.UseAVX2 {
		addAVX2(dst, a, b)
		return
	}
	if isa.UseNEON {
		neonAdd(dst, a, b)
		return
	}
	for i, v := range a {
		dst[i] = v + b[i]
	}
}

// AddTo sets dst += a.
func AddTo(dst, a []float32) {
	check("AddTo", "dst a", len(dst), len(a))
	if wide(len(dst)) {
		avx512Add(dst, dst, a)
		return
	}
	if isa.UseAVX2 {
		addAVX2(dst, dst, a)
		return
	}
	if isa.UseNEON {
		neonAdd(dst, dst, a)
		return
	}
	for i, v := range a {
		dst[i] += v
	}
}

// Sub sets dst = a - b.
func Sub(dst, a, b []float32) {
	check("Sub", "dst a b", len(dst), len(a), len(b))
	if wide(len(dst)) {
		avx512Sub(dst, a, b)
		return
	}
	if isa.UseAVX2 {
		subAVX2(dst, a, b)
		return
	}
	if isa.UseNEON {
		neonSub(dst, a, b)
		return
	}
	for i, v := range a {
		dst[i] = v - b[i]
	}
}

// Mul sets dst = a·b, element by element.
func Mul(dst, a, b []float32) {
	check("Mul", "dst a b", len(dst), len(a), len(b))
	if wide(len(dst)) {
		avx512Mul(dst, a, b)
		return
	}
	if isa.UseAVX2 {
		mulAVX2(dst, a, b)
		return
	}
	if isa.UseNEON {
		neonMul(dst, a, b)
		return
	}
	for i, v := range a {
		dst[i] = v * b[i]
	}
}

// MulAdd sets dst += a·b, element by element.
func MulAdd(dst, a, b []float32) {
	check("MulAdd", "dst a b", len(dst), len(a), len(b))
	if wide(len(dst)) {
		avx512MulAdd(dst, a, b)
		return
	}
	if isa.UseAVX2 {
		mulAddAVX2(dst, a, b)
		return
	}
	if isa.UseNEON {
		neonMulAdd(dst, a, b)
		return
	}
	for i, v := range a {
		dst[i] += v * b[i]
	}
}

// Axpy sets dst += alpha·x.
func Axpy(dst []float32, alpha float32, x []float32) {
	check("Axpy", "dst x", len(dst), len(x))
	if wide(len(dst)) {
		avx512Axpy(dst, alpha, x)
		return
	}
	if isa.UseAVX2 {
		axpyAVX2(dst, alpha, x)
		return
	}
	if isa.UseNEON {
		neonAxpy(dst, alpha, x)
		return
	}
	for i, v := range x {
		dst[i] += alpha * v
	}
}

// Scale sets dst = alpha·x.
func Scale(dst []float32, alpha float32, x []float32) {
	check("Scale", "dst x", len(dst), len(x))
	if wide(len(dst)) {
		avx512Scale(dst, alpha, x)
		return
	}
	if isa.UseAVX2 {
		scaleAVX2(dst, alpha, x)
		return
	}
	if isa.UseNEON {
		neonScale(dst, alpha, x)
		return
	}
	for i, v := range x {
		dst[i] = alpha * v
	}
}
