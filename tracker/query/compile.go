package query

import (
	"fmt"
	"time"
)

// Env is what the compiler needs to know beyond the text.
type Env struct {
	// Now is the moment that "now" means.
	Now time.Time
	// Crashed holds the integer ids of runs that the database calls running and whose process is gone.
	Crashed []int64
	// Contexts holds the contexts in which each metric of the statement occurs. A metric that is not in it may occur
	// in any.
	Contexts map[string][]string
	// Params tells of what types the values of each param of the statement are. A param that is not in it may be of any.
	Params map[string]ParamTypes
	// Deleted asks for the deleted runs, unless the statement speaks of deleted.
	Deleted bool
}

// ParamTypes says which values a param has. Bools count as numbers.
type ParamTypes struct{ Numbers, Texts bool }

// value is a compiled expression.
type value struct {
	at    Span
	expr  Expr
	kind  Kind
	sql   frag   // NULL if missing or NaN
	there []frag // all must be true for the value not to be missing
	nan   bool   // may be NaN
	whole frag   // if set: the value, 'NaN', or NULL if missing

	isConst bool
	num     float64 // of a constant number, time (ms), duration (s) or bool
	integer int64   // of a constant that isInt
	isInt   bool
	text    string // of a constant text

	ref   *Ref   // of a plain name, or of last, min, max
	field string // column of latest that ref stands for
}

// constant is the argument to bind.
func (v value) constant() any {
	switch {
	case v.kind == KindText:
		return v.text
	case v.isInt:
		return v.integer
	}
	return v.num
}

// numeric reports whether arithmetic is defined on the value.
func (v value) numeric() bool {
	return v.kind == KindNumber || v.kind == KindInt || v.kind == KindParam
}

// compiler turns expressions of one statement into SQL. A mistake panics with *Error.
type compiler struct {
	text  string
	env   Env
	joins map[string]bool
	// deleted is set once an expression names the attribute.
	deleted bool
	// scan counts the enclosing ORs.
	scan int
}

func (c *compiler) fail(at Span, hint, format string, args ...any) {
	panic(&Error{Text: c.text, Pos: at.Pos, End: at.End, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

// source is the text of a node as it was written.
func (c *compiler) source(e Expr) string { return c.text[e.At().Pos:e.At().End] }

// value compiles an expression that stands for a value.
func (c *compiler) value(e Expr) value {
	v := c.rawValue(e)
	v.at, v.expr = e.At(), e
	if v.isConst {
		v.sql = arg(v.constant())
	}
	return v
}

func (c *compiler) rawValue(e Expr) value {
	switch e := e.(type) {
	case *Number:
		return value{kind: KindNumber, isConst: true, num: e.Value, integer: e.Int, isInt: e.IsInt}
	case *Text:
		return value{kind: KindText, isConst: true, text: e.Value}
	case *Duration:
		return value{kind: KindDuration, isConst: true, num: e.Seconds}
	case *Bool:
		v := value{kind: KindBool, isConst: true}
		if e.Value {
			v.num = 1
		}
		return v
	case *Now:
		return value{kind: KindTime, isConst: true, num: float64(c.env.Now.UnixMilli())}
	case *Ref:
		return c.ref(e)
	case *Call:
		return c.call(e)
	case *Negate:
		return c.negate(e)
	case *Arith:
		return c.arith(e)
	}
	return value{kind: KindBool, sql: c.cond(e, false)}
}

// ref compiles a plain name; that of a metric means its last value.
func (c *compiler) ref(r *Ref) value {
	switch r.Kind {
	case RefMetric:
		return c.fromLatest(r, "last_value")
	case RefParam:
		return scalar(r, KindParam, cat("(SELECT value FROM params WHERE run_id = r.id AND key_id = ", keyID(r.Key), ")"))
	case RefTag:
		return scalar(r, KindText, cat("(SELECT value FROM tags WHERE run_id = r.id AND key_id = ", keyID(r.Key), ")"))
	case RefEnv:
		return scalar(r, KindText, cat("(SELECT value FROM environment_values WHERE environment_id = r.environment_id AND key = ",
			arg(r.Key), ")"))
	}
	a, _ := findAttribute(r.Key)
	if a.join != "" {
		c.joins[a.join] = true
	}
	sql := frag{sql: a.sql}
	switch a.name {
	case "status":
		sql = c.status()
	case "finished":
		sql = c.finished()
	case "deleted":
		c.deleted = true
	}
	return scalar(r, a.kind, sql)
}

// scalar is a value that is missing when it is NULL.
func scalar(r *Ref, kind Kind, sql frag) value {
	return value{kind: kind, sql: sql, there: []frag{cat(sql, " IS NOT NULL")}, ref: r}
}

// status is the status that is shown: crashed for a run whose process is gone.
func (c *compiler) status() frag {
	if len(c.env.Crashed) == 0 {
		return frag{sql: "r.status"}
	}
	return cat("CASE WHEN r.id IN (", args(c.env.Crashed), ") THEN 'crashed' ELSE r.status END")
}

// finished is the end that is shown: the last heartbeat of a run whose process is gone.
func (c *compiler) finished() frag {
	if len(c.env.Crashed) == 0 {
		return frag{sql: "r.finished_ms"}
	}
	c.joins["h"] = true
	return cat("CASE WHEN r.id IN (", args(c.env.Crashed), ") THEN h.beat_ms ELSE r.finished_ms END")
}

// fromLatest is a column of table latest.
func (c *compiler) fromLatest(r *Ref, field string) value {
	return value{kind: KindNumber, sql: latest(r, "l."+field), there: []frag{logged(r)}, nan: true,
		whole: latest(r, "coalesce(l."+field+", 'NaN')"), ref: r, field: field}
}

// number is the view of a value as a number (or duration or time): a param that is a text is missing.
func (c *compiler) number(v value) value {
	switch v.kind {
	case KindInt:
		v.sql = cat("CAST(", v.sql, " AS REAL)")
		v.kind = KindNumber
	case KindParam:
		v.sql = cat("(SELECT CAST(value AS REAL) FROM params WHERE run_id = r.id AND key_id = ", keyID(v.ref.Key),
			" AND value < '')") // every number is less than every text
		v.there = []frag{cat(v.sql, " IS NOT NULL")}
		v.kind = KindNumber
	}
	if v.isConst {
		v.sql = arg(v.num)
	}
	v.ref, v.field = nil, ""
	return v
}

func (c *compiler) negate(e *Negate) value {
	x := c.value(e.X)
	if !x.numeric() && x.kind != KindDuration {
		c.fail(x.at, "", "%s is a %s, which has no opposite", c.source(e.X), x.kind)
	}
	if x.isConst {
		x.num, x.integer = -x.num, -x.integer // -x of an int64 literal cannot overflow: literals are not negative
		return x
	}
	v := c.number(x)
	v.sql, v.whole = cat("(-", v.sql, ")"), frag{}
	return v
}

// all gathers the conditions of several operands.
func all(values ...value) (there []frag, nan bool) {
	for _, v := range values {
		there, nan = append(there, v.there...), nan || v.nan
	}
	return there, nan
}

// encoded is the value, 'NaN', or NULL if it is missing.
func (v value) encoded() frag {
	switch {
	case v.whole.sql != "":
		return v.whole
	case v.isConst && v.num != v.num:
		return frag{sql: "'NaN'"}
	case !v.nan:
		return v.sql
	}
	return cat("CASE WHEN ", allOf(v.there), " THEN coalesce(", v.sql, ", 'NaN') END")
}
