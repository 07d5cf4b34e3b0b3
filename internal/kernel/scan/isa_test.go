package scan

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestInstructionSets: AVX-512 is used only in functions that say so in their
// names. Avo takes registers 16 to 31 when a function holds more than sixteen
// values, and the assembler then uses AVX-512 without a word.
func TestInstructionSets(t *testing.T) {
	asm, err := os.ReadFile("zz_kernels_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	avx512 := regexp.MustCompile(`\b([XY](1[6-9]|2\d|3[01])|Z\d+|K[0-7])\b|\.(BCST|Z)\b`)
	wide := 0
	for _, text := range strings.Split(string(asm), "\nTEXT ·")[1:] {
		name, _, _ := strings.Cut(text, "(")
		use := avx512.FindString(text)
		if strings.HasPrefix(name, "avx512") {
			wide++
			if use == "" {
				t.Errorf("%s does not use AVX-512", name)
			}
		} else if use != "" {
			t.Errorf("%s uses %s", name, use)
		}
	}
	if wide == 0 {
		t.Error("no function's name begins with avx512")
	}
}
