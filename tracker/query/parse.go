package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxDepth bounds nesting: SQLite refuses expressions deeper than 1000, and one level here becomes several there.
const maxDepth = 60

// parser walks over the tokens. A mistake panics with *Error, which Parse and its like recover.
type parser struct {
	text   string
	tokens []token
	at     int
	depth  int
}

// Parse reads a statement or a bare filter. A mistake is an *Error. Empty text asks for all runs.
func Parse(text string) (stmt *Statement, err error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	defer catch(&err)
	stmt = p.statement()
	return stmt, nil
}

// ParseFilter reads a filter alone.
func ParseFilter(text string) (e Expr, err error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	defer catch(&err)
	e = p.or()
	p.finish()
	return e, nil
}

// ParseColumns reads the items of a select list.
func ParseColumns(text string) (columns []Column, err error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	defer catch(&err)
	columns = p.columns()
	p.finish()
	return columns, nil
}

// ParseOrder reads the items of an order; aliases are the names that columns were given by "as".
func ParseOrder(text string, aliases []string) (orders []Order, err error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	defer catch(&err)
	orders = p.orders(aliases)
	p.finish()
	return orders, nil
}

func newParser(text string) (*parser, error) {
	tokens, err := lex(text)
	return &parser{text: text, tokens: tokens}, err
}

func catch(err *error) {
	switch e := recover().(type) {
	case nil:
	case *Error:
		*err = e
	default:
		panic(e)
	}
}

func (p *parser) fail(t token, hint, format string, args ...any) {
	panic(&Error{Text: p.text, Pos: t.pos, End: t.end, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) peekAt(n int) token { return p.tokens[min(p.at+n, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokEnd {
		p.at++
	}
	return t
}

// accept takes the next token if it is the keyword or operator.
func (p *parser) accept(s string) bool {
	if p.peek().is(s) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(s, where string) token {
	if !p.peek().is(s) {
		p.fail(p.peek(), "", "expected %q %s, found %s", s, where, p.peek().describe())
	}
	return p.next()
}

// span is the place from byte pos to the end of the last token taken.
func (p *parser) span(pos int) Span {
	if p.at == 0 {
		return Span{pos, pos}
	}
	return Span{pos, p.tokens[p.at-1].end}
}

func (p *parser) finish() {
	t := p.peek()
	if t.kind == tokEnd {
		return
	}
	hint := ""
	switch {
	case t.kind == tokOp && t.text == ",":
		hint = "join conditions by and, or"
	case t.is(")"):
		hint = "there is no ( for it"
	}
	p.fail(t, hint, "expected and, or, group by, order by, limit or the end, found %s", t.describe())
}

// reserved words cannot be bare names.
var reserved = []string{"select", "from", "where", "order", "limit", "offset", "and", "or", "not", "in", "between", "like",
	"ilike", "is", "null", "nan", "inf", "infinity", "true", "false", "now", "by", "as", "asc", "desc", "except"}

func isReserved(word string) bool { return slices.Contains(reserved, strings.ToLower(word)) }

func (p *parser) statement() *Statement {
	s := &Statement{Source: p.text, Limit: -1}
	if p.accept("select") {
		s.Columns = p.columns()
	}
	if p.accept("from") {
		s.From = p.names("an experiment")
	}
	where := p.accept("where")
	if where || !p.atClause() {
		s.Where = p.or()
	}
	if p.peek().is("group") && p.peekAt(1).is("by") {
		s.Group = p.grouping()
	}
	if p.accept("order") {
		p.expect("by", "after order")
		s.Orders = p.orders(s.Aliases())
	}
	if p.accept("limit") {
		s.Limit = p.count("limit")
		if p.accept("offset") {
			s.Offset = p.count("offset")
		}
	}
	p.finish()
	return s
}

// Aliases returns the names that columns were given by "as".
func (s *Statement) Aliases() []string {
	var names []string
	for _, c := range s.Columns {
		if c.As {
			names = append(names, c.Name)
		}
	}
	return names
}

// atClause reports whether a clause other than the filter begins here, or nothing.
func (p *parser) atClause() bool {
	t := p.peek()
	return t.kind == tokEnd || t.is("limit") || t.is("order") || t.is("group") && p.peekAt(1).is("by")
}

func (p *parser) columns() []Column {
	var columns []Column
	for {
		if p.peek().is("*") {
			p.fail(p.peek(), "for example: select name, params.lr, metrics.loss", "name the columns instead of *")
		}
		c := Column{Expr: p.or()}
		c.Name = c.Expr.String()
		if p.accept("as") {
			c.Name, c.As = p.name("a column").Value, true
		}
		columns = append(columns, c)
		if !p.accept(",") {
			return columns
		}
	}
}

func (p *parser) names(what string) []Name {
	names := []Name{p.name(what)}
	for p.accept(",") {
		names = append(names, p.name(what))
	}
	return names
}

// name reads a bare, quoted or dotted name.
func (p *parser) name(what string) Name {
	t := p.next()
	at := Span{t.pos, t.end}
	switch {
	case t.kind == tokString, t.kind == tokQuoted, t.kind == tokWord && !isReserved(t.text):
		return Name{at, t.text}
	case t.kind == tokRef && t.context == nil:
		return Name{at, p.text[t.pos:t.end]}
	}
	p.fail(t, "names with other characters than letters, digits, _ and dots go in quotes", "expected the name of %s, found %s",
		what, t.describe())
	return Name{}
}

func (p *parser) grouping() *Grouping {
	pos := p.next().pos
	p.next() // by
	g := &Grouping{}
	if p.peek().is("config") && !p.peekAt(1).is(",") {
		p.next()
		g.Config = true
		if p.accept("except") {
			g.Except = append(g.Except, p.field())
			for p.accept(",") {
				g.Except = append(g.Except, p.field())
			}
		}
		g.Span = p.span(pos)
		return g
	}
	for {
		g.Exprs = append(g.Exprs, p.or())
		if !p.accept(",") {
			break
		}
	}
	g.Span = p.span(pos)
	return g
}

// field reads the name of a config field, with or without "params.".
func (p *parser) field() string {
	if t := p.peek(); t.kind == tokRef && prefixes[strings.ToLower(t.prefix)] == RefParam && t.context == nil {
		p.next()
		return t.text
	}
	return p.name("a config field").Value
}

func (p *parser) orders(aliases []string) []Order {
	var orders []Order
	for {
		o := Order{}
		t := p.peek()
		if (t.kind == tokWord || t.kind == tokQuoted || t.kind == tokRef && t.context == nil) && p.endsItem(p.peekAt(1)) &&
			slices.Contains(aliases, p.alias(t)) {
			p.next()
			o.Alias = p.alias(t)
		} else {
			o.Expr = p.or()
		}
		o.Span = p.span(t.pos)
		if p.accept("desc") {
			o.Desc = true
		} else {
			p.accept("asc")
		}
		orders = append(orders, o)
		if !p.accept(",") {
			return orders
		}
	}
}

func (p *parser) alias(t token) string {
	if t.kind == tokRef {
		return p.text[t.pos:t.end]
	}
	return t.text
}

func (p *parser) endsItem(t token) bool {
	return t.kind == tokEnd || t.is(",") || t.is("asc") || t.is("desc") || t.is("limit")
}

func (p *parser) count(what string) int {
	t := p.next()
	n, err := strconv.Atoi(t.text)
	if t.kind != tokNumber || err != nil || n > math.MaxInt32 {
		p.fail(t, "", "%s needs a whole number from 0, found %s", what, t.describe())
	}
	return n
}
