package lab

import (
	"fmt"
	"math"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// span is the values that a metric can take. A t interval knows nothing of
// them: of five accuracies near one it reaches beyond one.
type span struct{ lo, hi float64 }

// rangeOf returns the values that a task's metric can take. All but accuracy
// are losses.
func rangeOf(m task.Metric) span {
	if m == task.Accuracy {
		return span{0, 1}
	}
	return span{0, math.Inf(1)}
}

// rangeOfKey is rangeOf for the key of a logged value, such as "valid/accuracy".
// Of a key that is none of the lab's metrics nothing is known.
func rangeOfKey(key string) span {
	_, metric, _ := strings.Cut(key, "/")
	switch metric {
	case string(task.Accuracy):
		return rangeOf(task.Accuracy)
	case "loss", string(task.BitsPerByte), string(task.MSE):
		return rangeOf(task.MSE)
	}
	return span{math.Inf(-1), math.Inf(1)}
}

// differences is the values that a difference of two values of the span can
// take.
func (s span) differences() span { return span{s.lo - s.hi, s.hi - s.lo} }

// cut returns the part of an interval that lies in the span. Infinite ends stay:
// they say that nothing is known.
func (s span) cut(lo, hi float64) (float64, float64) {
	if math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return lo, hi
	}
	return math.Max(lo, s.lo), math.Min(hi, s.hi)
}

// note is ", cut to [0, 1]", "" where nothing is cut.
func (s span) note() string {
	switch {
	case math.IsInf(s.lo, -1):
		return ""
	case math.IsInf(s.hi, 1):
		return fmt.Sprintf(", cut at %g", s.lo)
	}
	return fmt.Sprintf(", cut to [%g, %g]", s.lo, s.hi)
}

// summarise is stats.Summarise with the interval cut to the span.
func summarise(values []float64, s span) stats.Summary {
	sum := stats.Summarise(values, Confidence)
	sum.Lo, sum.Hi = s.cut(sum.Lo, sum.Hi)
	return sum
}
