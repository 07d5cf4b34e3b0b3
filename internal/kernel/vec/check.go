package vec

import (
	"fmt"
	"strings"
)

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
