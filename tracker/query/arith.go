package query

import "math"

// arith compiles X Op Y. Missing is what has a missing operand; NaN is what IEEE 754 makes NaN, and division by zero.
func (c *compiler) arith(e *Arith) value {
	x, y := c.value(e.X), c.value(e.Y)
	kind := c.arithKind(e, x, y)
	if x.isConst && y.isConst {
		return foldArith(e.Op, kind, x, y)
	}
	x, y = c.number(x), c.number(y)
	there, _ := all(x, y)
	v := value{kind: kind, there: there, nan: true}
	// A time is in milliseconds, a duration in seconds.
	xs, ys := x.sql, y.sql
	if kind == KindTime && x.kind == KindDuration {
		xs = cat("(1000.0 * ", xs, ")")
	}
	if kind == KindTime && y.kind == KindDuration {
		ys = cat("(1000.0 * ", ys, ")")
	}
	switch e.Op {
	case "^":
		v.sql = cat("pow(", xs, ", ", ys, ")")
	case "%":
		v.sql = cat("fmod(", xs, ", ", ys, ")")
	case "/":
		v.sql = cat("(CAST(", xs, " AS REAL) / ", ys, ")")
	default:
		v.sql = cat("(", xs, " "+e.Op+" ", ys, ")")
	}
	if x.kind == KindTime && y.kind == KindTime {
		v.sql = cat("(", v.sql, " / 1000.0)")
	}
	return v
}

// foldArith computes with constants.
func foldArith(op string, kind Kind, x, y value) value {
	a, b := x.num, y.num
	if kind == KindTime && x.kind == KindDuration {
		a *= 1000
	}
	if kind == KindTime && y.kind == KindDuration {
		b *= 1000
	}
	v := value{kind: kind, isConst: true, num: compute(op, a, b), nan: true}
	if x.kind == KindTime && y.kind == KindTime {
		v.num /= 1000
	}
	return v
}

func compute(op string, a, b float64) float64 {
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		if b == 0 {
			return math.NaN() // as SQLite has it
		}
		return a / b
	case "%":
		return math.Mod(a, b)
	}
	return power(a, b)
}

// power is NaN if an operand is, as all of arithmetic; math.Pow makes 1 of NaN to the 0.
func power(a, b float64) float64 {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.NaN()
	}
	return math.Pow(a, b)
}

// arithKind is the type of X Op Y; times and durations keep their unit.
func (c *compiler) arithKind(e *Arith, x, y value) Kind {
	for _, v := range []value{x, y} {
		if !v.numeric() && v.kind != KindTime && v.kind != KindDuration {
			hint := "arithmetic is for numbers, times and durations"
			if v.kind == KindText && !v.isConst {
				hint = "number(" + v.expr.String() + ") reads a text as a number"
			}
			c.fail(v.at, hint, "%s is a %s", c.source(v.expr), v.kind)
		}
	}
	a, b := x.kind, y.kind
	switch {
	case x.numeric() && y.numeric():
		return KindNumber
	case a == KindTime && b == KindTime && e.Op == "-":
		return KindDuration
	case a == KindTime && b == KindDuration && (e.Op == "+" || e.Op == "-"), a == KindDuration && b == KindTime && e.Op == "+":
		return KindTime
	case a == KindDuration && b == KindDuration:
		switch e.Op {
		case "+", "-":
			return KindDuration
		case "/":
			return KindNumber
		}
	case a == KindDuration && y.numeric() && (e.Op == "*" || e.Op == "/"), x.numeric() && b == KindDuration && e.Op == "*":
		return KindDuration
	}
	c.fail(e.Span, "for example: now - 2d, finished - created, duration / 60", "there is no %s %s %s", a, e.Op, b)
	return ""
}
