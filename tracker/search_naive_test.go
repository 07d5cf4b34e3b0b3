package tracker

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/gophersnake/gophersnake/tracker/query"
)

// naiveRun is a run as the naive evaluator sees it.
type naiveRun struct {
	name    string
	seed    *int64
	status  Status
	params  map[string]any // int64, float64, string, bool, nil
	tags    map[string]string
	metrics map[string][]Point // by key@context, in the order of logging
}

// naive is a value: nil (missing), float64 (a number, perhaps NaN), string or bool.
type naive any

// eval works an expression out for one run by the rules of QUERY.md, in plain Go.
func (r *naiveRun) eval(e query.Expr) naive {
	switch e := e.(type) {
	case *query.Number:
		return e.Value
	case *query.Text:
		return e.Value
	case *query.Bool:
		return e.Value
	case *query.Ref:
		return r.lookup(e)
	case *query.Call:
		return r.call(e)
	case *query.Negate:
		x, ok := asNumber(r.eval(e.X))
		if !ok {
			return nil
		}
		return -x
	case *query.Arith:
		x, okX := asNumber(r.eval(e.X))
		y, okY := asNumber(r.eval(e.Y))
		if !okX || !okY {
			return nil
		}
		return naiveArith(e.Op, x, y)
	}
	return r.holds(e)
}

func asNumber(v naive) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

func naiveArith(op string, x, y float64) float64 {
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		if y == 0 {
			return math.NaN()
		}
		return x / y
	case "%":
		return math.Mod(x, y)
	}
	if math.IsNaN(x) || math.IsNaN(y) {
		return math.NaN()
	}
	return math.Pow(x, y)
}

func (r *naiveRun) lookup(e *query.Ref) naive {
	switch e.Kind {
	case query.RefTag:
		if v, ok := r.tags[e.Key]; ok {
			return v
		}
		return nil
	case query.RefParam:
		switch v := r.params[e.Key].(type) {
		case int64:
			return float64(v)
		default:
			return v
		}
	case query.RefMetric:
		return r.history(e, "last", 0)
	}
	switch e.Key {
	case "name":
		return r.name
	case "status":
		return string(r.status)
	case "seed":
		if r.seed != nil {
			return float64(*r.seed)
		}
	}
	return nil
}

func (r *naiveRun) call(e *query.Call) naive {
	if ref, ok := e.Args[0].(*query.Ref); ok && ref.Kind == query.RefMetric && !slices.Contains([]string{"abs", "sqrt", "floor"}, e.Name) {
		second := 0.0
		if len(e.Args) > 1 {
			v, ok := asNumber(r.eval(e.Args[1]))
			if !ok {
				return nil
			}
			second = v
		}
		return r.history(ref, e.Name, second)
	}
	v := r.eval(e.Args[0])
	if e.Name == "number" {
		if v == nil {
			return nil
		}
		n, err := strconv.ParseFloat(v.(string), 64)
		if err != nil {
			return nil
		}
		return n
	}
	x, ok := asNumber(v)
	if !ok {
		return nil
	}
	return map[string]func(float64) float64{"abs": math.Abs, "sqrt": math.Sqrt, "floor": math.Floor}[e.Name](x)
}

// history works a function over the points of a metric out.
func (r *naiveRun) history(ref *query.Ref, name string, arg float64) naive {
	points := slices.Clone(r.metrics[ref.Key+"@"+ref.Context])
	sort.SliceStable(points, func(i, j int) bool { return points[i].Step < points[j].Step })
	var numbers []Point
	for _, p := range points {
		if !math.IsNaN(p.Value) {
			numbers = append(numbers, p)
		}
	}
	switch name {
	case "count":
		return float64(len(points))
	case "nan_count":
		return float64(len(points) - len(numbers))
	}
	if len(points) == 0 {
		return nil
	}
	switch name {
	case "last":
		return points[len(points)-1].Value
	case "first":
		return points[0].Value
	case "steps":
		return float64(points[len(points)-1].Step)
	case "at":
		var found naive
		for _, p := range points {
			if float64(p.Step) == arg {
				found = p.Value
			}
		}
		return found
	case "first_below", "first_above":
		for _, p := range numbers {
			if name == "first_below" && p.Value < arg || name == "first_above" && p.Value > arg {
				return float64(p.Step)
			}
		}
		return nil
	case "tail_mean":
		return plainMean(points[max(0, len(points)-int(arg)):])
	case "mean":
		return plainMean(points)
	}
	return naiveSpread(name, numbers)
}

// naiveSpread works out what is defined over the values that are not NaN, in the order of steps.
func naiveSpread(name string, numbers []Point) naive {
	n := len(numbers)
	if n == 0 {
		if strings.HasPrefix(name, "arg") {
			return nil
		}
		return math.NaN()
	}
	sorted := slices.Clone(numbers)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Value < sorted[j].Value })
	switch name {
	case "min":
		return sorted[0].Value
	case "max":
		return sorted[n-1].Value
	case "argmin":
		return float64(sorted[0].Step)
	case "argmax":
		for _, p := range numbers {
			if p.Value == sorted[n-1].Value {
				return float64(p.Step)
			}
		}
	case "median":
		return (sorted[(n-1)/2].Value + sorted[n/2].Value) / 2
	case "sd":
		mean, sum := plainMean(numbers), 0.0
		for _, p := range numbers {
			sum += (p.Value - mean) * (p.Value - mean)
		}
		return math.Sqrt(sum / float64(n-1))
	}
	panic("naive: no function " + name)
}

func plainMean(points []Point) float64 {
	sum, n := 0.0, 0
	for _, p := range points {
		if !math.IsNaN(p.Value) {
			sum += p.Value
			n++
		}
	}
	return sum / float64(n)
}

// holds works a condition out.
func (r *naiveRun) holds(e query.Expr) bool {
	switch e := e.(type) {
	case *query.Logic:
		for _, t := range e.Terms {
			if r.holds(t) == (e.Op == "or") {
				return e.Op == "or"
			}
		}
		return e.Op == "and"
	case *query.Not:
		return !r.holds(e.X)
	case *query.Is:
		v := r.eval(e.X)
		n, isNumber := v.(float64)
		if e.NaN {
			return (isNumber && math.IsNaN(n)) != e.Not
		}
		return (v == nil) != e.Not
	case *query.In:
		some := false
		for _, item := range e.List {
			if r.compare("=", e.X, item) {
				some = true
			}
		}
		if e.Not {
			v := r.eval(e.X)
			n, isNumber := v.(float64)
			return v != nil && !(isNumber && math.IsNaN(n)) && !some
		}
		return some
	case *query.Between:
		if e.Not {
			return r.compare("<", e.X, e.Low) || r.compare(">", e.X, e.High)
		}
		return r.compare(">=", e.X, e.Low) && r.compare("<=", e.X, e.High)
	case *query.Compare:
		if e.Op == "like" || e.Op == "ilike" {
			return r.like(e)
		}
		return r.compare(e.Op, e.X, e.Y)
	}
	b, _ := r.eval(e).(bool)
	return b
}

func (r *naiveRun) like(e *query.Compare) bool {
	v := r.eval(e.X)
	if v == nil {
		return false
	}
	text := fmt.Sprint(v)
	pattern := e.Y.(*query.Text).Value
	if e.Op == "ilike" {
		text, pattern = strings.ToLower(text), strings.ToLower(pattern)
	}
	return naiveLike([]rune(text), []rune(pattern)) != e.Not
}

func naiveLike(text, pattern []rune) bool {
	if len(pattern) == 0 {
		return len(text) == 0
	}
	if pattern[0] == '%' {
		return naiveLike(text, pattern[1:]) || len(text) > 0 && naiveLike(text[1:], pattern)
	}
	return len(text) > 0 && (pattern[0] == '_' || pattern[0] == text[0]) && naiveLike(text[1:], pattern[1:])
}

func (r *naiveRun) compare(op string, ex, ey query.Expr) bool {
	x, y := r.eval(ex), r.eval(ey)
	if x == nil || y == nil {
		return false
	}
	if isParam(ex) || isParam(ey) {
		return compareParam(op, ex, ey, x, y)
	}
	if a, ok := x.(string); ok {
		if ref, ok := ex.(*query.Ref); ok && ref.Key == "status" {
			return naiveStatus(a, y.(string)) == (op == "=")
		}
		return holdsOp(op, strings.Compare(a, y.(string)))
	}
	a, _ := asNumber(x)
	b, _ := asNumber(y)
	return compareNumbers(op, a, b)
}

func compareNumbers(op string, a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return false
	}
	c := 0
	if a < b {
		c = -1
	} else if a > b {
		c = 1
	}
	return holdsOp(op, c)
}

func isParam(e query.Expr) bool {
	r, ok := e.(*query.Ref)
	return ok && r.Kind == query.RefParam
}

// compareParam: a param compares by its own type; a text that is a number equals the number, 'true' equals true.
func compareParam(op string, ex, ey query.Expr, x, y naive) bool {
	if !isParam(ex) {
		panic("the generator writes params first")
	}
	if want, ok := ey.(*query.Bool); ok {
		b, isBool := x.(bool)
		return (isBool && b == want.Value) == (op == "=")
	}
	a, textX := x.(string)
	b, textY := y.(string)
	switch {
	case textX && textY:
		return holdsOp(op, strings.Compare(a, b))
	case textY && !isParam(ey): // a constant
		equal := fmt.Sprint(x) == b
		if n, err := strconv.ParseFloat(b, 64); err == nil {
			v, isNumber := x.(float64)
			equal = isNumber && v == n
		}
		return op == "=" && equal || op == "!=" && !equal
	case textX != textY:
		_, computed := ey.(*query.Ref)
		return op == "!=" && (!computed || isParam(ey)) // a metric is a number, and the param must be one to be compared
	}
	m, _ := asNumber(x)
	n, _ := asNumber(y)
	return compareNumbers(op, m, n)
}

func naiveStatus(status, word string) bool {
	switch word {
	case "FAILED":
		return status == "failed" || status == "diverged" || status == "crashed"
	case "KILLED":
		return status == "interrupted"
	}
	return status == strings.ToLower(word)
}

func holdsOp(op string, c int) bool {
	switch op {
	case "=":
		return c == 0
	case "!=":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}
