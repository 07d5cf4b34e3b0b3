package vec

import (
	"os"
	"regexp"
	"testing"
)

// The register allocator of avo hands out X16 … Y31 too when it runs out of
// others, and the assembler then silently uses AVX-512.
func TestAssemblyIsAVX2(t *testing.T) {
	source, err := os.ReadFile("zz_kernel_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	avx512 := regexp.MustCompile(`\b([XY](1[6-9]|2\d|3[01])|Z\d+|K[0-7])\b`)
	if got := avx512.FindAll(source, -1); got != nil {
		t.Errorf("%d uses of AVX-512 registers, the first of %s", len(got), got[0])
	}
}
