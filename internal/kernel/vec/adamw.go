package vec

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// AdamW makes one step of the optimiser (Loshchilov and Hutter,
// arXiv:1711.05101, algorithm 2, in the order of torch.optim.AdamW):
//
//	g' = gscale·g                            (clipping; g itself is kept)
//	w  = w - lr·wd·w
//	m  = beta1·m + (1-beta1)·g'
//	v  = beta2·v + (1-beta2)·g'²
//	w  = w - lr·(m/c1)/(√(v/c2) + eps)
//
// w are the parameters, g their gradients, m and v the moments. c1 = 1 -
// beta1ᵗ and c2 = 1 - beta2ᵗ undo the moments' start from zero at step t = 1,
// 2, …; compute them from the float32 betas in float64.
func AdamW(w, g, m, v []float32, lr, beta1, beta2, eps, wd, c1, c2, gscale float32) {
	check("AdamW", "w g m v", len(w), len(g), len(m), len(v))
	s := adamScalars{
		decay: float32(1 - float64(lr)*float64(wd)),
		rate:  float32(float64(lr) / float64(c1)),
		beta1: beta1, rest1: float32(1 - float64(beta1)),
		beta2: beta2, rest2: float32(1 - float64(beta2)),
		root: 1 / sqrt32(c2), eps: eps, gscale: gscale,
	}
	if wide(len(w)) {
		avx512AdamW(w, g, m, v, s.decay, s.rate, s.beta1, s.rest1, s.beta2, s.rest2, s.root, s.eps, s.gscale)
		return
	}
	if isa.UseAVX2 {
		adamWAVX2(w, g, m, v, s.decay, s.rate, s.beta1, s.rest1, s.beta2, s.rest2, s.root, s.eps, s.gscale)
		return
	}
	if isa.UseNEON {
		neonAdamW(w, g, m, v, s.decay, s.rate, s.beta1, s.rest1, s.beta2, s.rest2, s.root, s.eps, s.gscale)
		return
	}
	s.step(w, g, m, v)
}

// adamScalars are a step's numbers as the elements need them.
type adamScalars struct {
	decay        float32 // 1 - lr·wd
	rate         float32 // lr/c1
	beta1, rest1 float32 // rest is 1 - beta
	beta2, rest2 float32
	root         float32 // 1/√c2
	eps, gscale  float32
}

// step is the plain Go kernel.
func (s adamScalars) step(w, g, m, v []float32) {
	for i := range w {
		grad := g[i] * s.gscale
		m[i] = m[i]*s.beta1 + grad*s.rest1
		v[i] = v[i]*s.beta2 + grad*grad*s.rest2
		d := sqrt32(v[i])*s.root + s.eps
		w[i] = w[i]*s.decay - m[i]*s.rate/d
	}
}
