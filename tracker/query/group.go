package query

import (
	"math"
	"strconv"
)

func itoa(v int64) string { return strconv.FormatInt(v, 10) }

// grouped compiles the outputs that a grouped search needs: what it groups by, and what its aggregates are about.
func (c *compiler) grouped(s *Statement, p *Plan) {
	for _, e := range s.Group.Exprs {
		p.Outputs = append(p.Outputs, c.output(Column{Expr: e, Name: e.String()}))
	}
	p.Keys = len(p.Outputs)
	have := map[string]bool{}
	for _, o := range p.Outputs {
		have[o.Expr] = true
	}
	samples := map[string]bool{}
	need := func(e Expr) {
		if text := e.String(); !samples[text] {
			samples[text] = true
			p.Outputs = append(p.Outputs, c.sample(e))
		}
	}
	for _, column := range s.Columns {
		c.groupExpr(column.Expr, have, need)
	}
	for _, o := range s.Orders {
		if o.Expr != nil {
			c.groupExpr(o.Expr, have, need)
		}
	}
}

// sample compiles an expression within an aggregate.
func (c *compiler) sample(e Expr) Output {
	v := c.value(e)
	if !v.numeric() && v.kind != KindDuration {
		c.fail(e.At(), "", "%s is a %s, aggregates are of numbers", c.source(e), v.kind)
	}
	if v.kind == KindParam {
		v = c.number(v)
	}
	return Output{Name: e.String(), Expr: e.String(), Kind: v.kind, sql: v.encoded()}
}

// groupExpr checks an expression over groups and calls need for what its aggregates are about.
func (c *compiler) groupExpr(e Expr, keys map[string]bool, need func(Expr)) {
	if keys[e.String()] {
		return
	}
	switch e := e.(type) {
	case *Number:
		return
	case *Negate:
		c.groupExpr(e.X, keys, need)
		return
	case *Arith:
		c.groupExpr(e.X, keys, need)
		c.groupExpr(e.Y, keys, need)
		return
	case *Call:
		if functions[e.Name].role&roleAggregate != 0 {
			if !e.Star && len(e.Args) == 1 {
				need(e.Args[0])
			}
			return
		}
	}
	c.fail(e.At(), "write mean("+e.String()+"), or group by it", "%s differs from run to run within a group", c.source(e))
}

// IsAggregate reports whether a function is one over the runs of a group.
func IsAggregate(name string) bool { return functions[name].role&roleAggregate != 0 }

// Compute is X Op Y for Op of + - * / % ^, as the language has it: division by zero is NaN.
func Compute(op string, x, y float64) float64 {
	if op == "%" && y == 0 {
		return math.NaN()
	}
	return compute(op, x, y)
}
