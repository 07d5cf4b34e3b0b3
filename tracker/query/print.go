package query

import (
	"math"
	"strconv"
	"strings"
)

// String gives the canonical text of a statement, which parses to an equal one.
func (s *Statement) String() string {
	var parts []string
	if len(s.Columns) > 0 {
		items := make([]string, len(s.Columns))
		for i, c := range s.Columns {
			items[i] = c.Expr.String()
			if c.As {
				items[i] += " as " + name(c.Name)
			}
		}
		parts = append(parts, "select "+strings.Join(items, ", "))
	}
	if len(s.From) > 0 {
		names := make([]string, len(s.From))
		for i, n := range s.From {
			names[i] = Quote(n.Value)
		}
		parts = append(parts, "from "+strings.Join(names, ", "))
	}
	if s.Where != nil {
		parts = append(parts, "where "+s.Where.String())
	}
	if s.Group != nil {
		parts = append(parts, "group by "+s.Group.String())
	}
	if len(s.Orders) > 0 {
		items := make([]string, len(s.Orders))
		for i, o := range s.Orders {
			items[i] = o.String()
		}
		parts = append(parts, "order by "+strings.Join(items, ", "))
	}
	if s.Limit >= 0 {
		parts = append(parts, "limit "+strconv.Itoa(s.Limit))
		if s.Offset > 0 {
			parts = append(parts, "offset "+strconv.Itoa(s.Offset))
		}
	}
	return strings.Join(parts, " ")
}

// String gives what follows "group by".
func (g *Grouping) String() string {
	if !g.Config {
		return list(g.Exprs)
	}
	if len(g.Except) == 0 {
		return "config"
	}
	names := make([]string, len(g.Except))
	for i, n := range g.Except {
		names[i] = name(n)
	}
	return "config except " + strings.Join(names, ", ")
}

// String gives the item as in "order by".
func (o Order) String() string {
	text := name(o.Alias)
	if o.Expr != nil {
		text = o.Expr.String()
	}
	if o.Desc {
		text += " desc"
	}
	return text
}

// Levels of binding, loosest first.
const (
	levelOr = iota
	levelAnd
	levelNot
	levelCompare
	levelSum
	levelTerm
	levelUnary
	levelPower
	levelPrimary
)

func level(e Expr) int {
	switch e := e.(type) {
	case *Logic:
		if e.Op == "or" {
			return levelOr
		}
		return levelAnd
	case *Not:
		return levelNot
	case *Compare, *In, *Between, *Is:
		return levelCompare
	case *Arith:
		switch e.Op {
		case "+", "-":
			return levelSum
		case "^":
			return levelPower
		}
		return levelTerm
	case *Negate:
		return levelUnary
	}
	return levelPrimary
}

// wrap prints e, in parentheses if it binds more loosely than the place needs.
func wrap(e Expr, need int) string {
	if level(e) < need {
		return "(" + e.String() + ")"
	}
	return e.String()
}

func list(exprs []Expr) string {
	items := make([]string, len(exprs))
	for i, e := range exprs {
		items[i] = e.String()
	}
	return strings.Join(items, ", ")
}

// Quote prints a text as a literal: 'it”s'.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// name prints a name: bare if it is a word (or several with dots) that the parser would not take for a keyword.
func name(s string) string {
	for _, part := range strings.Split(s, ".") {
		if !isWord(part) {
			return "`" + strings.ReplaceAll(s, "`", "``") + "`"
		}
	}
	if isReserved(strings.Split(s, ".")[0]) {
		return "`" + s + "`"
	}
	return s
}

// Key prints a name as it is written after "metrics." and the like, where keywords need no quotes.
func Key(s string) string {
	for _, part := range strings.Split(s, ".") {
		if !isWord(part) {
			return "`" + strings.ReplaceAll(s, "`", "``") + "`"
		}
	}
	return s
}

func isWord(s string) bool {
	for i, r := range s {
		if !isWordStart(r) && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// String: nan, inf, an integer, or the shortest exact decimal.
func (e *Number) String() string {
	switch {
	case e.IsInt:
		return strconv.FormatInt(e.Int, 10)
	case math.IsNaN(e.Value):
		return "nan"
	case math.IsInf(e.Value, 1):
		return "inf"
	}
	text := strconv.FormatFloat(e.Value, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// String gives the text in single quotes.
func (e *Text) String() string { return Quote(e.Value) }

// String gives the duration as written.
func (e *Duration) String() string { return e.Source }

// String is true or false.
func (e *Bool) String() string { return strconv.FormatBool(e.Value) }

// String is now.
func (e *Now) String() string { return "now" }

// String is the bare name of an attribute, and kind.key@context of everything else.
func (e *Ref) String() string {
	if e.Kind == RefAttribute {
		return e.Key
	}
	text := string(e.Kind) + "." + Key(e.Key)
	if e.Context != "" {
		text += "@" + Key(e.Context)
	}
	return text
}

// String is name(arguments).
func (e *Call) String() string {
	if e.Star {
		return e.Name + "(*)"
	}
	return e.Name + "(" + list(e.Args) + ")"
}

// String is -X.
func (e *Negate) String() string { return "-" + wrap(e.X, levelUnary) }

// String is X Op Y with the parentheses that it needs; ^ binds to the right, the others to the left.
func (e *Arith) String() string {
	l := level(e)
	if e.Op == "^" {
		return wrap(e.X, levelPrimary) + " ^ " + wrap(e.Y, levelUnary)
	}
	return wrap(e.X, l) + " " + e.Op + " " + wrap(e.Y, l+1)
}

// String is X Op Y.
func (e *Compare) String() string {
	return wrap(e.X, levelSum) + not(e.Not) + " " + e.Op + " " + wrap(e.Y, levelSum)
}

// String is X in (List).
func (e *In) String() string { return wrap(e.X, levelSum) + not(e.Not) + " in (" + list(e.List) + ")" }

// String is X between Low and High.
func (e *Between) String() string {
	return wrap(e.X, levelSum) + not(e.Not) + " between " + wrap(e.Low, levelSum) + " and " + wrap(e.High, levelSum)
}

// String is X is null, or X is nan.
func (e *Is) String() string {
	what := " null"
	if e.NaN {
		what = " nan"
	}
	return wrap(e.X, levelSum) + " is" + not(e.Not) + what
}

func not(yes bool) string {
	if yes {
		return " not"
	}
	return ""
}

// String joins the terms.
func (e *Logic) String() string {
	terms := make([]string, len(e.Terms))
	for i, t := range e.Terms {
		terms[i] = wrap(t, level(e)+1)
	}
	return strings.Join(terms, " "+e.Op+" ")
}

// String is not X.
func (e *Not) String() string { return "not " + wrap(e.X, levelNot) }
