package reference

import "github.com/gophersnake/gophersnake/internal/device"

// MatMul computes C = op(A) op(B) + bias, or adds that to C if sum:
//
//	C[i,j] = Σ_p op(A)[i,p] op(B)[p,j] + bias[j]
//
// for op(A) (m,k), op(B) (k,n), C (m,n) and bias (n), which may be nil. A
// transposed operand is stored as its transpose.
func (*Device) MatMul(transA, transB bool, m, n, k int, a, b, bias, c device.Buf, sum bool) {
	for i := range m {
		for j := range n {
			v := at(bias, j)
			for p := range k {
				v += entry(a, transA, m, k, i, p) * entry(b, transB, k, n, p, j)
			}
			if sum {
				v += c.F64[i*n+j]
			}
			c.F64[i*n+j] = v
		}
	}
}

// entry returns op(X)[i,j] for op(X) (m,n), stored (n,m) if trans.
func entry(x device.Buf, trans bool, m, n, i, j int) float64 {
	if trans {
		return x.F64[j*m+i]
	}
	return x.F64[i*n+j]
}

// SumRows adds the column sums of x (m,n) to dst (n): dst[j] += Σ_i x[i,j].
func (*Device) SumRows(m, n int, x, dst device.Buf) {
	for i := range m {
		for j := range n {
			dst.F64[j] += x.F64[i*n+j]
		}
	}
}

// Embedding looks up rows of w (V,d): y[i,j] = w[tokens[i],j].
func (*Device) Embedding(tokens []int32, d int, w, y device.Buf) {
	for i, v := range tokens {
		for j := range d {
			y.F64[i*d+j] = w.F64[int(v)*d+j]
		}
	}
}

// EmbeddingGrad adds the gradient of Embedding: dw[tokens[i],j] += dy[i,j].
func (*Device) EmbeddingGrad(tokens []int32, d int, dy, dw device.Buf) {
	for i, v := range tokens {
		for j := range d {
			add(dw, int(v)*d+j, dy.F64[i*d+j])
		}
	}
}
