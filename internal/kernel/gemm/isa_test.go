package gemm

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The register allocator of avo hands out X16 … Y31 too when it runs out of
// others, and the assembler then silently uses AVX-512: only functions that
// say so may.
func TestAssemblySaysWhereItIsAVX512(t *testing.T) {
	source, err := os.ReadFile("zz_kernel_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	avx512 := regexp.MustCompile(`\b([XY](1[6-9]|2\d|3[01])|Z\d+|K[0-7])\b|\.(BCST|Z)\b`)
	seen := map[bool]int{}
	for _, function := range strings.Split(string(source), "\nTEXT ·")[1:] {
		name, body, _ := strings.Cut(function, "(SB)")
		wide := strings.HasPrefix(name, "avx512")
		seen[wide]++
		if got := avx512.FindAllString(body, -1); !wide && got != nil {
			t.Errorf("%s: %d uses of AVX-512, the first %s", name, len(got), got[0])
		}
	}
	if seen[true] < 20 || seen[false] < 15 {
		t.Errorf("found %d functions with AVX-512 and %d without, want at least 20 and 15", seen[true], seen[false])
	}
}
