//go:build amd64 && !noasm

package fused

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// A kernel is a function of this package beside the calls of package vec whose
// bits it must give. The slices have n times the given widths.
type kernel struct {
	name         string
	widths       []int
	scratch      []int // slices whose content afterwards is unspecified
	length       int   // the slice whose length is n
	fused, calls func(n int, s [][]float32)
}

func kernels() []kernel {
	return []kernel{
		{"ExpSum", []int{1, 1}, nil, 0,
			func(n int, s [][]float32) { s[1][0] = ExpSum(s[0], 1.5) },
			func(n int, s [][]float32) {
				for i := range s[0] {
					s[0][i] -= 1.5
				}
				vec.Exp(s[0], s[0])
				s[1][0] = vec.Sum(s[0])
			}},
		{"ScoreGrad", []int{1, 1, 1, 1}, nil, 0,
			func(n int, s [][]float32) { ScoreGrad(s[0], s[1], s[2], s[3]) },
			func(n int, s [][]float32) {
				vec.Sub(s[0], s[0], s[2])
				vec.Exp(s[0], s[0])
				vec.Sub(s[1], s[1], s[3])
				vec.Mul(s[1], s[1], s[0])
			}},
		{"LSTM", []int{4, 4, 1, 1, 1, 1}, nil, 2,
			func(n int, s [][]float32) { LSTM(s[0], s[1], s[2], s[3], s[4], s[5]) },
			func(n int, s [][]float32) { lstmGo(s[0], s[1], s[2], s[3], s[4], s[5]) }},
		{"LSTM in place", []int{4, 1, 1, 1, 1}, nil, 1,
			func(n int, s [][]float32) { LSTM(s[0], s[0], s[1], s[2], s[3], s[4]) },
			func(n int, s [][]float32) { lstmGo(s[0], s[0], s[1], s[2], s[3], s[4]) }},
		{"LSTMGrad", []int{1, 1, 4, 1, 1, 1, 4, 4, 4}, []int{0}, 0,
			func(n int, s [][]float32) { LSTMGrad(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8]) },
			func(n int, s [][]float32) { lstmGradGo(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8]) }},
		{"GRU", []int{3, 1, 4, 1, 1}, nil, 3,
			func(n int, s [][]float32) { GRU(s[0], s[1], s[2], s[3], s[4]) },
			func(n int, s [][]float32) { gruGo(s[0], s[1], s[2], s[3], s[4]) }},
		{"GRUGrad", []int{1, 1, 4, 1, 3, 3, 3}, []int{2}, 0,
			func(n int, s [][]float32) { GRUGrad(s[0], s[1], s[2], s[3], s[4], s[5], s[6]) },
			func(n int, s [][]float32) { gruGradGo(s[0], s[1], s[2], s[3], s[4], s[5], s[6]) }},
		{"LSTMGrad in place", []int{1, 1, 4, 1, 1, 1, 4, 4}, []int{0}, 0,
			func(n int, s [][]float32) { LSTMGrad(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[2], s[7]) },
			func(n int, s [][]float32) { lstmGradGo(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[2], s[7]) }},
		{"GRUGrad in place", []int{1, 1, 4, 1, 3, 3}, nil, 0,
			func(n int, s [][]float32) {
				GRUGrad(s[0], s[1], s[2], s[3], s[4], s[2], s[5])
				clear(gate(s[2], 3, n))
			},
			func(n int, s [][]float32) {
				gruGradGo(s[0], s[1], s[2], s[3], s[4], s[2], s[5])
				clear(gate(s[2], 3, n))
			}},
		{"Elman", []int{1, 1}, nil, 0,
			func(n int, s [][]float32) { Elman(s[0], s[1]) },
			func(n int, s [][]float32) { elmanGo(s[0], s[1]) }},
		{"ElmanGrad", []int{1, 1, 1, 1, 1, 1}, []int{0}, 0,
			func(n int, s [][]float32) { ElmanGrad(s[0], s[1], s[2], s[3], s[4], s[5]) },
			func(n int, s [][]float32) { elmanGradGo(s[0], s[1], s[2], s[3], s[4], s[5]) }},
	}
}

// guard surrounds the slices, to see writes outside them.
const guard = 16

// slices returns the kernel's slices of random numbers, each within an array
// that has guard zeros on both sides.
func (k kernel) slices(rng *rand.Rand, n int) (arrays, slices [][]float32) {
	for _, w := range k.widths {
		a := make([]float32, w*n+2*guard)
		s := a[guard : guard+w*n : guard+w*n]
		for i := range s {
			s[i] = float32(2 * rng.NormFloat64())
		}
		arrays, slices = append(arrays, a), append(slices, s)
	}
	return arrays, slices
}

// TestSameBits: AVX-512, AVX2 and the calls of package vec agree in all bits
// but the sign of zeros, for whole vectors and for rests, and nothing is
// written outside of the slices.
func TestSameBits(t *testing.T) {
	if !isa.UseAVX2 {
		t.Skip("no AVX2")
	}
	wide := isa.UseAVX512
	defer func() { isa.UseAVX512 = wide }()
	for _, k := range kernels() {
		for _, n := range []int{1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 65, 100, 128, 4096, 4099} {
			isa.UseAVX512 = false
			wantArrays, want := k.slices(rand.New(rand.NewPCG(1, uint64(n))), n)
			k.calls(n, want)
			for _, isa.UseAVX512 = range []bool{false, wide} {
				gotArrays, got := k.slices(rand.New(rand.NewPCG(1, uint64(n))), n)
				k.fused(n, got)
				for _, i := range k.scratch {
					copy(got[i], want[i])
				}
				if err := same(gotArrays, wantArrays); err != nil {
					t.Errorf("%s, n %d, AVX-512 %v: %v", k.name, n, isa.UseAVX512, err)
				}
			}
		}
	}
}

func same(got, want [][]float32) error {
	for i := range got {
		for j, v := range got[i] {
			if v != want[i][j] && (v == v || want[i][j] == want[i][j]) {
				return fmt.Errorf("slice %d: element %d is %v, want %v", i, j-guard, v, want[i][j])
			}
		}
	}
	return nil
}

// TestEdges: infinities and NaN go the way of package vec.
func TestEdges(t *testing.T) {
	if !isa.UseAVX2 {
		t.Skip("no AVX2")
	}
	inf := float32(math.Inf(1))
	edges := []float32{0, inf, -inf, float32(math.NaN()), 1e-45, -1e-38, 88.8, -104, 3e38, -3e38}
	for _, k := range kernels() {
		rng := rand.New(rand.NewPCG(5, 6))
		wantArrays, want := k.slices(rng, 37)
		gotArrays, got := k.slices(rng, 37)
		for i := range want {
			for j := range want[i] {
				want[i][j] = edges[rng.IntN(len(edges))]
			}
			copy(got[i], want[i])
		}
		k.calls(37, want)
		k.fused(37, got)
		for _, i := range k.scratch {
			copy(got[i], want[i])
		}
		if err := same(gotArrays, wantArrays); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
	}
}

// TestShortSlice: a slice that is too short panics before the assembly runs.
func TestShortSlice(t *testing.T) {
	for _, k := range kernels() {
		for i, w := range k.widths {
			if i == k.length || k.name == "ExpSum" {
				continue
			}
			_, s := k.slices(rand.New(rand.NewPCG(1, 2)), 20)
			s[i] = s[i][: w*20-1 : w*20-1]
			if !panics(func() { k.fused(20, s) }) {
				t.Errorf("%s does not panic when slice %d is too short", k.name, i)
			}
		}
	}
}

func panics(f func()) (p bool) {
	defer func() { p = recover() != nil }()
	f()
	return false
}

// TestAVX2Registers: avo takes registers 16 to 31, which need AVX-512, when a
// kernel holds more than sixteen values.
func TestAVX2Registers(t *testing.T) {
	asm, err := os.ReadFile("zz_kernel_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	functions := bytes.Split(asm, []byte("\nTEXT "))
	wide := regexp.MustCompile(`\b([XY](1[6-9]|2\d|3[01])|Z\d+|K\d)\b`)
	checked := 0
	for _, f := range functions {
		if name, _, _ := bytes.Cut(f, []byte("(")); bytes.HasSuffix(name, []byte("AVX2")) {
			checked++
			if r := wide.Find(f); r != nil {
				t.Errorf("%s uses %s", name, r)
			}
		}
	}
	if checked == 0 {
		t.Error("no function found")
	}
}

// TestGenerated: running the generator again gives the committed files.
func TestGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	dir := t.TempDir()
	files := []string{"zz_kernel_amd64.s", "zz_kernel_amd64.go", "zz_kernel_generic.go"}
	cmd := exec.Command("go", "run", "./gen", "-out", filepath.Join(dir, files[0]), "-stubs", filepath.Join(dir, files[1]),
		"-generic", filepath.Join(dir, files[2]), "-pkg", "fused")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go run ./gen: %v\n%s", err, out)
	}
	header := regexp.MustCompile(`(?m)^// Code generated by command: .*$`) // names the output files
	for _, name := range files {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(header.ReplaceAll(got, nil), header.ReplaceAll(want, nil)) {
			t.Errorf("%s is not what ./gen writes; run go generate", name)
		}
	}
}
