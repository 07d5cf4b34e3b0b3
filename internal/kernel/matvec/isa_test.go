package matvec

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// avo hands out registers 16 to 31 when it runs out of others, and the assembler
// then silently uses AVX-512: only functions that say so may.
func TestAssemblySaysWhereItIsAVX512(t *testing.T) {
	source, err := os.ReadFile("zz_kernel_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	avx512 := regexp.MustCompile(`\b([XY](1[6-9]|2\d|3[01])|Z\d+|K[0-7])\b`)
	seen := map[bool]int{}
	for _, function := range strings.Split(string(source), "\nTEXT ·")[1:] {
		name, body, _ := strings.Cut(function, "(SB)")
		wide := strings.HasSuffix(name, "AVX512")
		seen[wide]++
		if got := avx512.FindString(body); (got != "") != wide {
			t.Errorf("%s uses %q", name, got)
		}
	}
	if seen[true] != 4 || seen[false] != 4 {
		t.Errorf("found %d functions with AVX-512 and %d without, want 4 and 4", seen[true], seen[false])
	}
}
