package tracker

import (
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// addFunctions gives a connection the functions that SQLite has only with build tags, and those of the search. They
// return NULL for an argument that is no number; a result that is NaN becomes NULL.
func addFunctions(c *sqlite3.SQLiteConn) error {
	one := map[string]func(float64) float64{"sqrt": math.Sqrt, "exp": math.Exp, "ln": math.Log, "log10": math.Log10,
		"log2": math.Log2, "floor": math.Floor, "ceil": math.Ceil}
	for name, f := range one {
		if err := c.RegisterFunc(name, func(x any) any { return apply1(f, x) }, true); err != nil {
			return err
		}
	}
	two := map[string]func(x, y float64) float64{"pow": math.Pow, "fmod": math.Mod}
	for name, f := range two {
		if err := c.RegisterFunc(name, func(x, y any) any { return apply2(f, x, y) }, true); err != nil {
			return err
		}
	}
	if err := c.RegisterFunc("text_number", textNumber, true); err != nil {
		return err
	}
	if err := c.RegisterFunc("param_text", func(value any, kind string) any {
		if b, ok := value.([]byte); ok && b == nil { // the driver's NULL
			return nil
		}
		return loadParam("", kind, value).Text
	}, true); err != nil {
		return err
	}
	aggregates := map[string]any{
		"median":     func() *medianAggregate { return &medianAggregate{} },
		"percentile": func() *percentileAggregate { return &percentileAggregate{} },
		"stddev":     func() *stddevAggregate { return &stddevAggregate{} },
	}
	for name, make := range aggregates {
		if err := c.RegisterAggregator(name, make, true); err != nil {
			return err
		}
	}
	return nil
}

// number reads a value of SQLite as a number.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func apply1(f func(float64) float64, x any) any {
	if a, ok := number(x); ok {
		return f(a)
	}
	return nil
}

func apply2(f func(x, y float64) float64, x, y any) any {
	a, ok := number(x)
	b, both := number(y)
	if ok && both {
		return f(a, b)
	}
	return nil
}

// textNumber reads a text as a number, NULL if it is none.
func textNumber(v any) any {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return nil
	}
	return number
}

// collector gathers the numbers of an aggregate.
type collector struct{ values []float64 }

func (c *collector) add(x any) {
	if v, ok := number(x); ok {
		c.values = append(c.values, v)
	}
}

// medianAggregate is the middle value, or the mean of the two in the middle.
type medianAggregate struct{ collector }

// Step takes one value.
func (m *medianAggregate) Step(x any) { m.add(x) }

// Done returns the median, NULL of no values.
func (m *medianAggregate) Done() any { return quantile(m.values, 0.5) }

// percentileAggregate interpolates between the values next to the place p/100·(n−1).
type percentileAggregate struct {
	collector
	p any
}

// Step takes one value; p is that of the last row.
func (a *percentileAggregate) Step(x, p any) { a.add(x); a.p = p }

// Done returns the percentile, NULL of no values or for p outside 0 to 100.
func (a *percentileAggregate) Done() any {
	if p, ok := number(a.p); ok && p >= 0 && p <= 100 {
		return quantile(a.values, p/100)
	}
	return nil
}

// stddevAggregate is the standard deviation of a sample, with n−1.
type stddevAggregate struct{ collector }

// Step takes one value.
func (s *stddevAggregate) Step(x any) { s.add(x) }

// Done returns the deviation, NULL of fewer than two values.
func (s *stddevAggregate) Done() any {
	if len(s.values) < 2 {
		return nil
	}
	return deviation(s.values)
}

// quantile sorts values and interpolates at q·(n−1); nil of no values.
func quantile(values []float64, q float64) any {
	if len(values) == 0 {
		return nil
	}
	sort.Float64s(values)
	at := q * float64(len(values)-1)
	low := int(at)
	if frac := at - float64(low); frac > 0 {
		return values[low] + frac*(values[low+1]-values[low])
	}
	return values[low]
}

func average(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// deviation is sqrt(Σ(v−mean)²/(n−1)).
func deviation(values []float64) float64 {
	mean, sum := average(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}
