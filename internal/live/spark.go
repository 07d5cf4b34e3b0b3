package live

import (
	"math"
	"strings"
)

var blocks = []rune("▁▂▃▄▅▆▇█")

// Spark draws values as a row of at most width blocks, the least value lowest.
// More values than width are averaged in equal buckets. A bucket with a value
// that is not finite is an ×: a diverged run must not look like a good one.
func Spark(values []float64, width int) string {
	if width < 1 || len(values) == 0 {
		return ""
	}
	means := buckets(values, width)
	lo, hi := span(means)
	var b strings.Builder
	for _, v := range means {
		switch {
		case !finite(v):
			b.WriteRune('×')
		case hi == lo:
			b.WriteRune(blocks[len(blocks)/2])
		default:
			b.WriteRune(blocks[int((v-lo)/(hi-lo)*float64(len(blocks)-1)+0.5)])
		}
	}
	return b.String()
}

// buckets averages values in min(width, len(values)) buckets of near equal size.
func buckets(values []float64, width int) []float64 {
	n := min(width, len(values))
	out := make([]float64, n)
	for i := range out {
		part := values[i*len(values)/n : (i+1)*len(values)/n]
		for _, v := range part {
			out[i] += v / float64(len(part))
		}
	}
	return out
}

// span is the range of the finite values, 0 and 0 without any.
func span(values []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		return 0, 0
	}
	return lo, hi
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
