// Package near finds what a mistyped name may have meant.
package near

import "strings"

// Name returns the name within two edits, or the one that begins like it, "" if
// there is none.
func Name(name string, names []string) string {
	best, at := "", 3
	for _, n := range names {
		d := editDistance(name, n)
		if len(name) > 2 && strings.HasPrefix(n, name) {
			d = min(d, 2)
		}
		if d < at && d < len(name) {
			best, at = n, d
		}
	}
	return best
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diag, row[j] = row[j], min(row[j]+1, row[j-1]+1, diag+cost)
		}
	}
	return row[len(b)]
}
