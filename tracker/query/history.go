package query

import "math"

// call compiles a function outside of an aggregate's reach.
func (c *compiler) call(e *Call) value {
	f := functions[e.Name]
	switch {
	case f.role&roleScalar != 0:
		return c.scalarCall(e)
	case f.role&roleHistory != 0 && !e.Star:
		return c.history(e)
	}
	c.fail(e.Span, "for example: select mean(metrics.loss), ci95(metrics.loss) group by config except seed",
		"%s is about the runs of a group, and stands only in select or order by of a search with group by", e.Name)
	return value{}
}

// scalarCall compiles a function of values of one run.
func (c *compiler) scalarCall(e *Call) value {
	if e.Name == "number" {
		x := c.value(e.Args[0])
		if x.kind != KindText || x.isConst {
			c.fail(x.at, "", "number() reads a tag or another text, %s is a %s", c.source(e.Args[0]), x.kind)
		}
		sql := cat("text_number(", x.sql, ")")
		return value{kind: KindNumber, sql: sql, there: []frag{cat(sql, " IS NOT NULL")}}
	}
	var operands []value
	var parts []any
	isConst := true
	for i, a := range e.Args {
		x := c.value(a)
		if !x.numeric() {
			c.fail(x.at, "write "+functions[e.Name].usage, "%s is a %s, %s needs a number", c.source(a), x.kind, e.Name)
		}
		isConst = isConst && x.isConst
		x = c.number(x)
		operands = append(operands, x)
		if i > 0 {
			parts = append(parts, ", ")
		}
		parts = append(parts, x.sql)
	}
	if isConst {
		y := 0.0
		if len(operands) > 1 {
			y = operands[1].num
		}
		return value{kind: KindNumber, isConst: true, nan: true, num: scalarFunction(e.Name, operands[0].num, y)}
	}
	there, _ := all(operands...)
	return value{kind: KindNumber, nan: true, there: there, sql: cat(append(append([]any{e.Name + "("}, parts...), ")")...)}
}

// scalarFunction computes a function of constants.
func scalarFunction(name string, x, y float64) float64 {
	if name == "pow" {
		return power(x, y)
	}
	return map[string]func(float64) float64{"abs": math.Abs, "sqrt": math.Sqrt, "exp": math.Exp, "ln": math.Log,
		"log10": math.Log10, "log2": math.Log2, "floor": math.Floor, "ceil": math.Ceil}[name](x)
}

// history compiles a function of what a run logged under a metric.
func (c *compiler) history(e *Call) value {
	r, ok := e.Args[0].(*Ref)
	if !ok || r.Kind != RefMetric {
		c.fail(e.Args[0].At(), "write "+functions[e.Name].usage, "%s needs the name of a metric", e.Name)
	}
	switch e.Name {
	case "last":
		return c.fromLatest(r, "last_value")
	case "min":
		return c.fromLatest(r, "min_value")
	case "max":
		return c.fromLatest(r, "max_value")
	case "mean":
		return c.summary(r, "CASE WHEN l.count > l.nan_count THEN l.sum_value / (l.count - l.nan_count) END")
	case "argmin":
		return c.whole(latest(r, "l.min_step"))
	case "argmax":
		return c.whole(latest(r, "l.max_step"))
	case "steps":
		return c.whole(latest(r, "l.last_step"))
	case "count":
		return c.always(latest(r, "l.count"))
	case "nan_count":
		return c.always(latest(r, "l.nan_count"))
	}
	return c.points(e, r)
}

// summary is an expression over latest that may be NaN.
func (c *compiler) summary(r *Ref, expr string) value {
	return value{kind: KindNumber, nan: true, sql: latest(r, expr), there: []frag{logged(r)},
		whole: latest(r, "coalesce("+expr+", 'NaN')")}
}

// whole is an integer, missing if NULL.
func (c *compiler) whole(sql frag) value {
	return value{kind: KindInt, sql: sql, there: []frag{cat(sql, " IS NOT NULL")}}
}

// always is a count: 0 for a metric that is missing.
func (c *compiler) always(sql frag) value {
	return value{kind: KindInt, sql: cat("coalesce(", sql, ", 0)")}
}

// points compiles the functions that read the values one by one.
func (c *compiler) points(e *Call, r *Ref) value {
	series := seriesID(r)
	switch e.Name {
	case "first":
		return c.computed(r, cat("(SELECT value FROM points WHERE series_id = ", series, " ORDER BY step, ts_ms, seq LIMIT 1)"))
	case "at":
		return c.atStep(e, series)
	case "first_below", "first_above":
		op := map[string]string{"first_below": "<", "first_above": ">"}[e.Name]
		x := c.bound(e)
		v := c.whole(cat("(SELECT step FROM points WHERE series_id = ", series, " AND value "+op+" ", x.sql, " ORDER BY step LIMIT 1)"))
		v.there = append(v.there, x.there...)
		return v
	case "tail_mean":
		return c.computed(r, cat("(SELECT avg(value) FROM ", tail(series, c.window(e)), ")"))
	case "median":
		return c.computed(r, cat(`(SELECT avg(value) FROM (SELECT value, row_number() OVER (ORDER BY value) AS i, count(*) OVER () AS n
			FROM points WHERE series_id = `, series, " AND value IS NOT NULL) WHERE i IN ((n + 1) / 2, (n + 2) / 2))"))
	case "sd": // 0 * max(a.m) makes it NaN where the mean is infinite: sum would leave Inf − Inf out
		return c.computed(r, cat(`(SELECT sqrt(sum((p.value - a.m) * (p.value - a.m)) / (a.n - 1)) + 0 * max(a.m) FROM points p,
			(SELECT avg(value) AS m, count(value) AS n FROM points WHERE series_id = `, series, ") a WHERE p.series_id = ", series, ")"))
	}
	window := -1
	if len(e.Args) == 2 {
		window = c.window(e)
	}
	from := tail(series, window)
	return c.computed(r, cat(`(SELECT sum((p.step - a.s) * (p.value - a.v)) / sum((p.step - a.s) * (p.step - a.s)) + 0 * max(a.v)
		FROM `, from, ` p, (SELECT avg(step) AS s, avg(value) AS v FROM `, from, ` WHERE value IS NOT NULL) a WHERE p.value IS NOT NULL)`))
}

// tail is the last n points of a series, all if n is negative.
func tail(series frag, n int) frag {
	return cat("(SELECT step, value FROM points WHERE series_id = ", series, " ORDER BY step DESC, ts_ms DESC, seq DESC LIMIT ",
		arg(n), ")")
}

// computed is missing with the metric, and NaN where nothing can be computed.
func (c *compiler) computed(r *Ref, sql frag) value {
	return value{kind: KindNumber, nan: true, sql: sql, there: []frag{logged(r)}}
}

func (c *compiler) atStep(e *Call, series frag) value {
	x := c.bound(e)
	from := cat(" FROM points WHERE series_id = ", series, " AND step = ", x.sql, " ORDER BY ts_ms DESC, seq DESC LIMIT 1)")
	return value{kind: KindNumber, nan: true, sql: cat("(SELECT value", from), there: append([]frag{cat("EXISTS (SELECT 1", from)}, x.there...),
		whole: cat("(SELECT coalesce(value, 'NaN')", from)}
}

// bound is the second argument as a number.
func (c *compiler) bound(e *Call) value {
	x := c.value(e.Args[1])
	if !x.numeric() {
		c.fail(x.at, "write "+functions[e.Name].usage, "%s is a %s, %s needs a number", c.source(e.Args[1]), x.kind, e.Name)
	}
	return c.number(x)
}

// window is the second argument as a count.
func (c *compiler) window(e *Call) int {
	x := c.value(e.Args[1])
	if !x.isConst || !x.isInt || x.integer < 1 || x.integer > math.MaxInt32 {
		c.fail(x.at, "write "+functions[e.Name].usage, "%s needs a whole number from 1 as window", e.Name)
	}
	return int(x.integer)
}
