package query

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cond compiles an expression that is true or false. Where it is only asked whether something is true (positive), NULL
// may stand for false; under NOT it may not.
func (c *compiler) cond(e Expr, positive bool) frag {
	switch e := e.(type) {
	case *Logic:
		terms := make([]frag, len(e.Terms))
		if e.Op == "or" {
			c.scan++
			defer func() { c.scan-- }()
		}
		for i, t := range e.Terms {
			terms[i] = c.cond(t, positive)
		}
		return balanced(strings.ToUpper(e.Op), terms)
	case *Not:
		return cat("NOT (", c.cond(e.X, false), ")")
	case *Compare:
		return c.twoValued(c.compare(e), positive)
	case *In:
		return c.twoValued(c.in(e), positive)
	case *Between:
		low := &Compare{Span{e.Pos, e.Low.At().End}, ">=", e.X, e.Low, false}
		high := &Compare{e.Span, "<=", e.X, e.High, false}
		if e.Not {
			// Outside the bounds, and there: below the one or above the other.
			low.Op, high.Op = "<", ">"
			return cat("(", c.cond(low, positive), " OR ", c.cond(high, positive), ")")
		}
		return cat("(", c.cond(low, positive), " AND ", c.cond(high, positive), ")")
	case *Is:
		return c.is(e)
	}
	v := c.value(e)
	if v.kind != KindBool {
		hint := "write " + e.String() + " = …, or " + e.String() + " is not null"
		if v.isConst {
			hint = "compare it with something: metrics.loss < 0.5"
		}
		c.fail(v.at, hint, "%s is a %s, not a condition", c.source(e), v.kind)
	}
	return c.twoValued(v.sql, positive)
}

func (c *compiler) twoValued(f frag, positive bool) frag {
	if positive || strings.HasPrefix(strings.TrimPrefix(f.sql, "+"), "r.id IN (SELECT run_id ") {
		return f
	}
	return cat("coalesce(", f, ", 0)")
}

func (c *compiler) is(e *Is) frag {
	x := c.value(e.X)
	var f frag
	switch {
	case !e.NaN:
		f = cat("NOT ", allOf(x.there))
	case !x.numeric():
		c.fail(e.Span, "", "%s is a %s, only numbers can be NaN", c.source(e.X), x.kind)
	case x.isConst:
		f = frag{sql: boolSQL(math.IsNaN(x.num))}
	case x.field != "":
		f = c.latestWhere(x, frag{sql: x.field + " IS NULL"})
	case !x.nan:
		f = frag{sql: "0"}
	default:
		f = cat("(", allOf(x.there), " AND ", x.sql, " IS NULL)")
	}
	if e.Not {
		return cat("NOT (", f, ")")
	}
	return f
}

// runID is the id of a run as the left side of IN. Below OR the plus keeps SQLite from looking up the runs of every term
// by themselves (MULTI-INDEX OR), which takes several times as long as one pass over the runs.
func (c *compiler) runID() string {
	if c.scan > 0 {
		return "+r.id"
	}
	return "r.id"
}

func boolSQL(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}

// flipped is the operator for exchanged operands.
var flipped = map[string]string{"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// compare compiles X Op Y. The result is NULL or false where an operand is missing or NaN.
func (c *compiler) compare(e *Compare) frag {
	x, y := c.value(e.X), c.value(e.Y)
	if e.Op == "like" || e.Op == "ilike" {
		return c.like(e, x, y)
	}
	for _, v := range []value{x, y} {
		if v.isConst && math.IsNaN(v.num) {
			c.fail(v.at, "write x is nan, x is not nan", "a comparison with nan is never true")
		}
	}
	op := e.Op
	if x.isConst && !y.isConst {
		x, y, op = y, x, flipped[op]
	}
	switch {
	case x.kind == KindParam || y.kind == KindParam:
		return c.compareParam(x, y, op)
	case x.kind == KindStatus:
		return c.compareStatus(x, y, op)
	case x.kind == KindTime || y.kind == KindTime:
		x, y = c.asTime(x), c.asTime(y)
	case x.kind == KindBool || y.kind == KindBool:
		if x.kind != y.kind || op != "=" && op != "!=" {
			c.mismatch(x, y)
		}
	case (x.kind == KindText || x.kind == KindStatus) != (y.kind == KindText || y.kind == KindStatus):
		c.mismatch(x, y)
	}
	return c.compareSQL(x, y, op)
}

// sqlOp is the operator as SQL writes it.
func sqlOp(op string) string {
	if op == "!=" {
		return "<>"
	}
	return op
}

// compareSQL compares values of fitting types. With a constant on the right and a name on the left an index serves.
func (c *compiler) compareSQL(x, y value, op string) frag {
	test := func(column string) frag { return cat(column+" "+sqlOp(op)+" ", y.sql) }
	if y.isConst && x.ref != nil {
		if f, ok := c.where(x, test); ok {
			return f
		}
	}
	return cat("(", x.sql, " "+sqlOp(op)+" ", y.sql, ")")
}

// where selects the runs by a test on the value that a name stands for. ok is false if the name is an attribute.
func (c *compiler) where(x value, test func(column string) frag) (f frag, ok bool) {
	switch {
	case x.field != "":
		return c.latestWhere(x, test(x.field)), true
	case x.ref.Kind == RefParam:
		return cat(c.runID()+" IN (SELECT run_id FROM params WHERE key_id = ", keyID(x.ref.Key), " AND ", test("value"), ")"), true
	case x.ref.Kind == RefTag:
		return cat(c.runID()+" IN (SELECT run_id FROM tags WHERE key_id = ", keyID(x.ref.Key), " AND ", test("value"), ")"), true
	}
	return frag{}, false
}

// latestWhere selects the runs by a test on table latest, served by an index on (key_id, value, run_id). The context is
// not in the index, and left out where there is only one.
func (c *compiler) latestWhere(x value, test frag) frag {
	f := cat(c.runID()+" IN (SELECT run_id FROM latest WHERE key_id = ", keyID(x.ref.Key), " AND ", test)
	if contexts, known := c.env.Contexts[x.ref.Key]; known && len(contexts) == 1 && contexts[0] == x.ref.Context {
		return cat(f, ")")
	}
	return cat(f, " AND context_id = ", contextID(x.ref.Context), ")")
}

// compareParam compares a param, whose type differs from run to run.
func (c *compiler) compareParam(x, y value, op string) frag {
	if x.kind != KindParam {
		x, y, op = y, x, flipped[op]
	}
	if y.isConst {
		f, _ := c.where(x, func(column string) frag { return c.paramTest(x, y, op, column) })
		return f
	}
	switch y.kind {
	case KindParam: // a number is never equal to a text, and neither before nor after it
		if op == "=" || op == "!=" {
			return cat("(", x.sql, " "+sqlOp(op)+" ", y.sql, ")")
		}
		return cat("((typeof(", x.sql, ") = 'text') = (typeof(", y.sql, ") = 'text') AND ", x.sql, " "+sqlOp(op)+" ", y.sql, ")")
	case KindNumber, KindInt:
		return cat("(", c.number(x).sql, " "+sqlOp(op)+" ", y.sql, ")")
	case KindText:
		return cat("(", paramText(x), " "+sqlOp(op)+" ", y.sql, ")")
	}
	c.mismatch(x, y)
	return frag{}
}

// paramText is the value of a param as readers see it.
func paramText(x value) frag {
	return cat("(SELECT param_text(value, type) FROM params WHERE run_id = r.id AND key_id = ", keyID(x.ref.Key), ")")
}

// paramTest is a test on a column of table params against a constant.
func (c *compiler) paramTest(x, y value, op, column string) frag {
	types, known := c.env.Params[x.ref.Key]
	switch y.kind {
	case KindBool:
		if op != "=" && op != "!=" {
			c.mismatch(x, y)
		}
		if op == "!=" {
			return cat(column+" IS NOT NULL AND NOT (type = 'bool' AND "+column+" = ", y.sql, ")")
		}
		return cat("type = 'bool' AND "+column+" = ", y.sql)
	case KindNumber:
		if known && types.Texts && !types.Numbers {
			c.fail(Span{min(x.at.Pos, y.at.Pos), max(x.at.End, y.at.End)}, "write the value in quotes",
				"%s is a text in every run, and %s is a number", x.expr, c.source(y.expr))
		}
		switch op {
		case ">", ">=":
			return cat(column+" "+op+" ", y.sql, " AND "+column+" < ''") // every number is less than every text
		}
		return cat(column+" "+sqlOp(op)+" ", y.sql)
	case KindText:
		return c.paramTextTest(x, y, op, column, known && types.Numbers && !types.Texts)
	}
	c.mismatch(x, y)
	return frag{}
}

// paramTextTest compares with a text. A text that is a number equals that number, and 'true' equals true: MLflow's
// params are all texts.
func (c *compiler) paramTextTest(x, y value, op, column string, onlyNumbers bool) frag {
	number, err := strconv.ParseFloat(y.text, 64)
	isNumber := err == nil && !math.IsNaN(number) && strings.Trim(y.text, "0123456789+-.eE") == ""
	isBool := y.text == "true" || y.text == "false"
	if onlyNumbers && !isNumber && !isBool {
		c.fail(Span{min(x.at.Pos, y.at.Pos), max(x.at.End, y.at.End)}, "",
			"%s is a number in every run, and %s is a text", x.expr, c.source(y.expr))
	}
	if op != "=" && op != "!=" {
		return cat(column+" "+op+" ", y.sql, " AND typeof("+column+") = 'text'")
	}
	f := cat(column+" = ", y.sql)
	if isNumber {
		f = cat("("+column+" IN (", y.sql, ", ", arg(number), ") AND type <> 'bool')")
	}
	if isBool {
		f = cat("(", f, " OR type = 'bool' AND "+column+" = ", arg(y.text == "true"), ")")
	}
	if op == "!=" {
		return cat(column+" IS NOT NULL AND NOT ", f)
	}
	return f
}

// compareStatus compares the status with one of our words, or one of MLflow's in capitals.
func (c *compiler) compareStatus(x, y value, op string) frag {
	if !y.isConst && (y.kind == KindText || y.kind == KindStatus) {
		return cat("(", x.sql, " "+sqlOp(op)+" ", y.sql, ")")
	}
	if op != "=" && op != "!=" || y.kind != KindText {
		c.fail(y.at, "write status = 'finished', or status in ('failed', 'crashed')", "a status cannot be compared in this way")
	}
	words := c.statusWords(y)
	if op == "!=" {
		return cat(x.sql, " NOT IN (", args(words), ")")
	}
	return cat(x.sql, " IN (", args(words), ")")
}

// statusWords are the statuses that a word stands for.
func (c *compiler) statusWords(y value) []string {
	if words, ok := mlflowStatus[y.text]; ok {
		return words
	}
	if word := strings.ToLower(y.text); slices.Contains(statuses, word) {
		return []string{word}
	}
	c.fail(y.at, "the statuses are "+strings.Join(statuses, ", ")+"; MLflow's RUNNING, FINISHED, FAILED, KILLED are understood",
		"there is no status '%s'", y.text)
	return nil
}

// timeLayouts are what a text may look like to be a time.
var timeLayouts = []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05",
	time.RFC3339, "2006-01-02 15:04:05Z07:00"}

// asTime makes a text constant and a number of milliseconds a time.
func (c *compiler) asTime(v value) value {
	switch {
	case v.kind == KindTime || v.kind == KindNumber && v.isConst:
		return v
	case v.kind == KindText && v.isConst:
		for _, layout := range timeLayouts {
			if t, err := time.Parse(layout, v.text); err == nil {
				v.kind, v.num = KindTime, float64(t.UnixMilli())
				v.sql = arg(v.num)
				return v
			}
		}
	}
	c.fail(v.at, "times are written '2026-11-01', '2026-11-01 12:30' (UTC), '2026-11-01T12:30:00+02:00', now - 2d, or in Unix milliseconds",
		"%s is no time", c.source(v.expr))
	return v
}

// mismatch explains why two values cannot be compared.
func (c *compiler) mismatch(x, y value) {
	at := Span{min(x.at.Pos, y.at.Pos), max(x.at.End, y.at.End)}
	hint := ""
	text, other := x, y
	if text.kind != KindText {
		text, other = y, x
	}
	switch {
	case text.kind == KindText && text.isConst && other.kind != KindBool:
		hint = "write the number without quotes"
	case text.kind == KindText && other.isConst:
		hint = "write '" + other.expr.String() + "' in quotes"
		if other.kind == KindNumber {
			hint += ", or number(" + text.expr.String() + ")"
		}
	}
	c.fail(at, hint, "%s is a %s, and %s is a %s", c.source(x.expr), x.kind, c.source(y.expr), y.kind)
}

// like compiles LIKE, which minds case, and ILIKE, which does not mind that of ASCII letters.
func (c *compiler) like(e *Compare, x, y value) frag {
	if x.kind != KindText && x.kind != KindParam && x.kind != KindStatus {
		c.fail(x.at, "", "%s is a %s, %s is for texts", c.source(e.X), x.kind, e.Op)
	}
	if y.kind != KindText || !y.isConst {
		c.fail(y.at, "% stands for any text, _ for one character: name like 'lru%'", "%s needs a text in quotes", e.Op)
	}
	op, pattern := "GLOB", arg(glob(y.text))
	if e.Op == "ilike" {
		op, pattern = "LIKE", y.sql
	}
	if e.Not {
		op = "NOT " + op
	}
	if x.ref != nil {
		f, ok := c.where(x, func(column string) frag {
			if x.kind == KindParam {
				column = "param_text(value, type)"
			}
			return cat(column+" "+op+" ", pattern)
		})
		if ok {
			return f
		}
	}
	return cat("(", x.sql, " "+op+" ", pattern, ")")
}

// in compiles X IN (list of constants).
func (c *compiler) in(e *In) frag {
	x := c.value(e.X)
	op, join := "=", "OR"
	if e.Not {
		op, join = "!=", "AND"
	}
	var terms []frag
	for _, item := range e.List {
		y := c.value(item)
		switch {
		case !y.isConst:
			c.fail(y.at, "", "the list after in holds values, not names")
		case math.IsNaN(y.num):
			c.fail(y.at, "write x is nan, x is not nan", "a comparison with nan is never true")
		case x.kind == KindParam:
			terms = append(terms, cat("(", c.paramTest(x, y, op, "value"), ")"))
		case x.kind == KindStatus:
			terms = append(terms, c.compareStatus(x, y, op))
		default:
			c.compare(&Compare{Span{e.Pos, item.At().End}, op, e.X, item, false}) // for its errors
			if x.kind == KindTime {
				y = c.asTime(y)
			}
			terms = append(terms, y.sql)
		}
	}
	switch x.kind {
	case KindParam:
		f, _ := c.where(x, func(string) frag { return balanced(join, terms) })
		return f
	case KindStatus:
		return balanced(join, terms)
	}
	return c.inList(x, terms, e.Not)
}

// inList tests for membership at once.
func (c *compiler) inList(x value, items []frag, no bool) frag {
	parts := []any{}
	for i, item := range items {
		if i > 0 {
			parts = append(parts, ", ")
		}
		parts = append(parts, item)
	}
	op := " IN ("
	if no {
		op = " NOT IN ("
	}
	test := func(column string) frag { return cat(column+op, cat(parts...), ")") }
	if x.ref != nil {
		if f, ok := c.where(x, test); ok {
			return f
		}
	}
	return cat("(", x.sql, op, cat(parts...), "))")
}
