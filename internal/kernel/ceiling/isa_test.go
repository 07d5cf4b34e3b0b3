package ceiling

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestAssemblySaysWhereItIsAVX512: avo hands out registers 16 to 31 when it runs
// out of others, which would silently need AVX-512.
func TestAssemblySaysWhereItIsAVX512(t *testing.T) {
	source, err := os.ReadFile("zz_kernel_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	wideRegister := regexp.MustCompile(`\b([XY](1[6-9]|2\d|3[01])|Z\d+)\b`)
	count := map[bool]int{}
	for _, function := range strings.Split(string(source), "\nTEXT ·")[1:] {
		name, body, _ := strings.Cut(function, "(SB)")
		wide := strings.HasSuffix(name, "AVX512")
		count[wide]++
		if wideRegister.MatchString(body) != wide {
			t.Errorf("%s: AVX-512 is %t", name, !wide)
		}
	}
	if count[true] != 6 || count[false] != 6 {
		t.Errorf("%v functions, want 6 of each width", count)
	}
}
