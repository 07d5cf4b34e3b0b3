package query

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// or parses a whole expression:
//
//	or      = and {"or" and}
//	and     = not {"and" not}
//	not     = "not" not | compare
//	compare = sum [op sum | ["not"] ("in" (…) | "between" sum "and" sum | "like" sum) | "is" ["not"] ("null" | "nan")]
//	sum     = term {("+"|"-") term}
//	term    = unary {("*"|"/"|"%") unary}
//	unary   = "-" unary | power
//	power   = primary ["^" unary]
//	primary = literal | name | function(…) | "(" or ")"
func (p *parser) or() Expr  { return p.logic("or", p.and) }
func (p *parser) and() Expr { return p.logic("and", p.not) }

func (p *parser) logic(op string, term func() Expr) Expr {
	p.enter()
	defer p.leave()
	pos := p.peek().pos
	terms := []Expr{term()}
	for p.accept(op) {
		terms = append(terms, term())
	}
	if len(terms) == 1 {
		return terms[0]
	}
	return &Logic{p.span(pos), op, terms}
}

func (p *parser) enter() {
	if p.depth++; p.depth > 2*maxDepth { // or and and count one each
		p.fail(p.peek(), "", "the query is nested too deeply")
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) not() Expr {
	if !p.peek().is("not") {
		return p.compare()
	}
	p.enter()
	defer p.leave()
	pos := p.next().pos
	x := p.not()
	return &Not{p.span(pos), x}
}

var compareOps = map[string]string{"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

func (p *parser) compare() Expr {
	pos := p.peek().pos
	x := p.sum()
	t := p.peek()
	var e Expr
	op, isOp := compareOps[t.text]
	switch {
	case t.kind == tokOp && isOp:
		p.next()
		y := p.sum()
		e = &Compare{Span: p.span(pos), Op: op, X: x, Y: y}
	case t.is("is"):
		p.next()
		e = p.is(pos, x)
	default:
		no := t.is("not")
		if no {
			t = p.peekAt(1)
		}
		if !t.is("in") && !t.is("between") && !t.is("like") && !t.is("ilike") {
			if no {
				p.fail(t, "", "expected in, between, like or ilike after not, found %s", t.describe())
			}
			return x
		}
		if no {
			p.next()
		}
		e = p.wordCompare(pos, x, no)
	}
	if t := p.peek(); t.kind == tokOp && compareOps[t.text] != "" {
		p.fail(t, "write 0 < x and x < 1", "comparisons cannot be chained")
	}
	return e
}

func (p *parser) is(pos int, x Expr) Expr {
	no := p.accept("not")
	t := p.next()
	if !t.is("null") && !t.is("nan") && !t.is("missing") {
		p.fail(t, "compare values with =", "expected null or nan after is, found %s", t.describe())
	}
	return &Is{Span: p.span(pos), X: x, NaN: t.is("nan"), Not: no}
}

func (p *parser) wordCompare(pos int, x Expr, no bool) Expr {
	t := p.next()
	switch {
	case t.is("in"):
		p.expect("(", "after in")
		list := []Expr{p.sum()}
		for p.accept(",") {
			list = append(list, p.sum())
		}
		p.expect(")", "after the list")
		return &In{p.span(pos), x, list, no}
	case t.is("between"):
		low := p.sum()
		p.expect("and", "between the bounds")
		high := p.sum()
		return &Between{p.span(pos), x, low, high, no}
	}
	y := p.sum()
	return &Compare{p.span(pos), strings.ToLower(t.text), x, y, no}
}

func (p *parser) sum() Expr  { return p.arith(p.term, "+", "-") }
func (p *parser) term() Expr { return p.arith(p.unary, "*", "/", "%") }

func (p *parser) arith(operand func() Expr, ops ...string) Expr {
	depth := p.depth
	defer func() { p.depth = depth }()
	pos := p.peek().pos
	x := operand()
	for p.peek().kind == tokOp && slices.Contains(ops, p.peek().text) {
		p.enter() // a chain leans to the left: every link is one level deeper
		op := p.next().text
		y := operand()
		x = &Arith{p.span(pos), op, x, y}
	}
	return x
}

func (p *parser) unary() Expr {
	if !p.peek().is("-") && !p.peek().is("+") {
		return p.power()
	}
	p.enter()
	defer p.leave()
	t := p.next()
	if t.text == "+" {
		return p.unary()
	}
	x := p.unary()
	return &Negate{p.span(t.pos), x}
}

func (p *parser) power() Expr {
	pos := p.peek().pos
	x := p.primary()
	if !p.accept("^") {
		return x
	}
	p.enter()
	defer p.leave()
	y := p.unary()
	return &Arith{p.span(pos), "^", x, y}
}

func (p *parser) primary() Expr {
	t := p.next()
	at := Span{t.pos, t.end}
	switch t.kind {
	case tokNumber:
		return p.number(t)
	case tokDuration:
		return p.duration(t)
	case tokString:
		return &Text{at, t.text}
	case tokRef:
		return p.ref(t)
	case tokQuoted:
		return p.bare(t)
	case tokWord:
		return p.word(t)
	}
	if t.is("(") {
		e := p.or()
		p.expect(")", "to close the parenthesis")
		return e
	}
	hint := ""
	if t.kind == tokEnd {
		hint = "the query stops in the middle of a condition"
	}
	p.fail(t, hint, "expected a value, found %s", t.describe())
	return nil
}

func (p *parser) number(t token) Expr {
	at := Span{t.pos, t.end}
	if v, err := strconv.ParseInt(t.text, 10, 64); err == nil {
		return &Number{at, float64(v), v, true}
	}
	v, err := strconv.ParseFloat(t.text, 64)
	if err != nil {
		p.fail(t, "write inf for infinity", "%s is beyond the range of numbers", t.text)
	}
	return &Number{Span: at, Value: v}
}

func (p *parser) duration(t token) Expr {
	end := len(strings.TrimRight(t.text, "mshdw"))
	v, err := strconv.ParseFloat(t.text[:end], 64)
	unit, ok := unitSeconds(t.text[end:])
	if err != nil || !ok || math.IsInf(v*unit, 0) {
		p.fail(t, "", "%s is beyond the range of durations", t.text)
	}
	return &Duration{Span{t.pos, t.end}, v * unit, t.text}
}

// word is a keyword that is a value, a function, or an attribute.
func (p *parser) word(t token) Expr {
	at := Span{t.pos, t.end}
	if p.peek().is("(") && !t.is("now") {
		return p.call(t)
	}
	switch strings.ToLower(t.text) {
	case "true", "false":
		return &Bool{at, t.is("true")}
	case "nan":
		return &Number{Span: at, Value: math.NaN()}
	case "inf", "infinity":
		return &Number{Span: at, Value: math.Inf(1)}
	case "null", "none":
		p.fail(t, "write x is null, x is not null", "%s is no value", t.text)
	case "now":
		if p.accept("(") {
			p.expect(")", "after now(")
		}
		return &Now{p.span(t.pos)}
	}
	if isReserved(t.text) {
		p.fail(t, "a text goes in quotes", "expected a value, found the keyword %s", t.text)
	}
	return p.bare(t)
}

// bare is the name of an attribute.
func (p *parser) bare(t token) Expr {
	if a, ok := findAttribute(strings.ToLower(t.text)); ok {
		return &Ref{Span: Span{t.pos, t.end}, Kind: RefAttribute, Key: a.name}
	}
	k := Key(t.text)
	panic(&Error{Text: p.text, Pos: t.pos, End: t.end, Unknown: t.text, Msg: t.text + " is no attribute of a run",
		Hint: "did you mean metrics." + k + ", params." + k + ", tags." + k + " or the text '" + t.text + "'?"})
}

// ref is a name with a prefix.
func (p *parser) ref(t token) Expr {
	at := Span{t.pos, t.end}
	kind, ok := prefixes[strings.ToLower(t.prefix)]
	switch {
	case !ok:
		p.fail(t, "names begin with metrics., params., tags., env. or attributes.; "+
			"names with other characters go in backticks: params.`a-b`", "%s. is no kind of name", t.prefix)
	case kind != RefMetric && t.context != nil:
		p.fail(t, "", "only metrics have a context (the part after @)")
	case t.text == "":
		p.fail(t, "", "there is no name after %s.", t.prefix)
	case kind != RefAttribute:
		r := &Ref{Span: at, Kind: kind, Key: t.text}
		if t.context != nil {
			r.Context = *t.context
		}
		return r
	}
	a, ok := findAttribute(strings.ToLower(t.text))
	if !ok {
		p.fail(t, "the attributes are "+strings.Join(AttributeNames(), ", "), "%s is no attribute of a run", t.text)
	}
	return &Ref{Span: at, Kind: RefAttribute, Key: a.name}
}

func (p *parser) call(t token) Expr {
	p.enter()
	defer p.leave()
	p.next() // (
	c := &Call{Name: strings.ToLower(t.text)}
	f, ok := functions[c.Name]
	if !ok {
		panic(&Error{Text: p.text, Pos: t.pos, End: t.end, Msg: "there is no function " + t.text,
			Hint: "the functions are " + strings.Join(FunctionNames(), ", ")})
	}
	if c.Name == "count" && p.accept("*") {
		c.Star = true
	} else if !p.peek().is(")") {
		for c.Args = append(c.Args, p.or()); p.accept(","); {
			c.Args = append(c.Args, p.or())
		}
	}
	p.expect(")", "after the arguments of "+t.text)
	c.Span = p.span(t.pos)
	if n := len(c.Args); !c.Star && (n < f.min || n > f.max) {
		panic(&Error{Text: p.text, Pos: c.Pos, End: c.End, Msg: "wrong number of arguments", Hint: "write " + f.usage})
	}
	return c
}
