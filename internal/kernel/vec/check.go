package vec

import (
	"fmt"
	"strings"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
)

// wide reports whether n elements are for the kernels with 16 lanes. A register
// of which few lanes exist costs them more than they save: it reaches past the
// slice's end, and waits for what was lately stored there.
func wide(n int) bool { return isa.UseAVX512 && (n%16 == 0 || n >= 64) }

// check panics unless all lengths are equal. names are the arguments' names,
// separated by spaces, in the lengths' order.
func check(function, names string, lengths ...int) {
	for i, n := range lengths[1:] {
		if n != lengths[0] {
			name := strings.Fields(names)
			panic(fmt.Sprintf("vec: %s: len(%s) is %d, want len(%s) = %d",
				function, name[i+1], n, name[0], lengths[0]))
		}
	}
}
