package initializer

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Constant returns n copies of v.
func Constant(n int, v float64) []float64 {
	return fill("Constant", n, func() float64 { return v })
}

// Normal returns n draws from N(0, std²). It panics unless std ≥ 0.
func Normal(rng *rand.Rand, n int, std float64) []float64 {
	need(std >= 0, "Normal", "std is %g, want >= 0", std)
	return fill("Normal", n, func() float64 { return std * rng.NormFloat64() })
}

// Uniform returns n draws from U[lo, hi). It panics unless lo ≤ hi.
func Uniform(rng *rand.Rand, n int, lo, hi float64) []float64 {
	need(lo <= hi, "Uniform", "lo is %g and hi %g, want lo <= hi", lo, hi)
	return fill("Uniform", n, func() float64 { return lo + (hi-lo)*rng.Float64() })
}

// GlorotUniform returns W of shape (rows, cols) uniform on ±√(6/(rows+cols)): variance 2/(fan in + fan out).
func GlorotUniform(rng *rand.Rand, rows, cols int) []float64 {
	needMatrix("GlorotUniform", rows, cols)
	bound := math.Sqrt(6 / float64(rows+cols))
	return Uniform(rng, rows*cols, -bound, bound)
}

// GlorotNormal returns W of shape (rows, cols) from N(0, 2/(rows+cols)).
func GlorotNormal(rng *rand.Rand, rows, cols int) []float64 {
	needMatrix("GlorotNormal", rows, cols)
	return Normal(rng, rows*cols, math.Sqrt(2/float64(rows+cols)))
}

// KaimingUniform returns W of shape (rows, cols) uniform on ±√(6/((1+a²)·cols)), a being the negative slope of a leaky
// ReLU. PyTorch's default for Linear is a = √5: see TorchLinear.
func KaimingUniform(rng *rand.Rand, rows, cols int, a float64) []float64 {
	needMatrix("KaimingUniform", rows, cols)
	need(!math.IsNaN(a), "KaimingUniform", "a is NaN")
	bound := math.Sqrt(6 / ((1 + a*a) * float64(cols)))
	return Uniform(rng, rows*cols, -bound, bound)
}

// TorchLinear returns W of shape (rows, cols) as PyTorch's Linear starts it: uniform on ±1/√cols. A depthwise Conv1D of
// width k is rows = channels, cols = k.
func TorchLinear(rng *rand.Rand, rows, cols int) []float64 {
	needMatrix("TorchLinear", rows, cols)
	return torchUniform(rng, rows*cols, cols)
}

// TorchBias returns a bias of shape (n) as PyTorch's Linear and Conv1d start it: uniform on ±1/√fanIn.
func TorchBias(rng *rand.Rand, n, fanIn int) []float64 {
	need(fanIn >= 1, "TorchBias", "fanIn is %d, want >= 1", fanIn)
	return torchUniform(rng, n, fanIn)
}

// TorchResidual is TorchLinear divided by √layers: the last projection of each of the layers that add to one residual
// stream (GPT-2's rule, kept by Mamba's out_proj with one residual per layer).
func TorchResidual(rng *rand.Rand, rows, cols, layers int) []float64 {
	need(layers >= 1, "TorchResidual", "layers is %d, want >= 1", layers)
	w := TorchLinear(rng, rows, cols)
	scale := 1 / math.Sqrt(float64(layers))
	for i := range w {
		w[i] *= scale
	}
	return w
}

func torchUniform(rng *rand.Rand, n, fanIn int) []float64 {
	bound := 1 / math.Sqrt(float64(fanIn))
	return Uniform(rng, n, -bound, bound)
}

// Ginibre returns W of shape (n, n) from N(0, radius²/n): its eigenvalues fill the disk of that radius as n grows. A
// dense linear recurrence starts at radius 1.
func Ginibre(rng *rand.Rand, n int, radius float64) []float64 {
	need(n >= 1, "Ginibre", "n is %d, want >= 1", n)
	need(radius >= 0, "Ginibre", "radius is %g, want >= 0", radius)
	return Normal(rng, n*n, radius/math.Sqrt(float64(n)))
}

// Orthogonal returns gain·Q of shape (rows, cols) with orthonormal columns when rows ≥ cols and orthonormal rows
// otherwise, uniform among all such matrices (QR of a Gaussian matrix, the sign of R's diagonal moved into Q).
func Orthogonal(rng *rand.Rand, rows, cols int, gain float64) []float64 {
	needMatrix("Orthogonal", rows, cols)
	need(!math.IsNaN(gain) && !math.IsInf(gain, 0), "Orthogonal", "gain is %g, want finite", gain)
	tall, thin := max(rows, cols), min(rows, cols)
	var qr mat.QR
	qr.Factorize(mat.NewDense(tall, thin, Normal(rng, tall*thin, 1)))
	var q, r mat.Dense
	qr.QTo(&q)
	qr.RTo(&r)
	w := make([]float64, rows*cols)
	for i := range tall {
		for j := range thin {
			v := gain * signOf(r.At(j, j)) * q.At(i, j)
			if rows >= cols {
				w[i*cols+j] = v
			} else {
				w[j*cols+i] = v
			}
		}
	}
	return w
}

func signOf(x float64) float64 {
	if x < 0 {
		return -1
	}
	return 1
}

func needMatrix(fn string, rows, cols int) {
	need(rows >= 1 && cols >= 1, fn, "shape is (%d, %d), want both >= 1", rows, cols)
}
