package query

// Span is the place of a node in the text: bytes Pos to End.
type Span struct{ Pos, End int }

// At returns the span itself.
func (s Span) At() Span { return s }

// Expr is a node of the syntax tree: one of the pointer types below.
type Expr interface {
	At() Span
	// String gives the canonical text, which parses to an equal tree.
	String() string
}

// RefKind says what a Ref names.
type RefKind string

// The kinds of names.
const (
	RefMetric    RefKind = "metrics"
	RefParam     RefKind = "params"
	RefTag       RefKind = "tags"
	RefEnv       RefKind = "env"
	RefAttribute RefKind = "attributes"
)

type (
	// Number is a literal: Value, and Int if IsInt. NaN and Inf are numbers.
	Number struct {
		Span
		Value float64
		Int   int64
		IsInt bool
	}
	// Text is a literal in quotes.
	Text struct {
		Span
		Value string
	}
	// Duration is a literal such as 2d.
	Duration struct {
		Span
		Seconds float64
		Source  string // as written
	}
	// Bool is true or false.
	Bool struct {
		Span
		Value bool
	}
	// Now is the moment of the search.
	Now struct{ Span }
	// Ref names a metric (with its context), param, tag, environment value or attribute.
	Ref struct {
		Span
		Kind    RefKind
		Key     string // canonical name of an attribute
		Context string // of a metric
	}
	// Call is a function with its arguments; Name is in lower case. Star stands for count(*).
	Call struct {
		Span
		Name string
		Args []Expr
		Star bool
	}
	// Negate is unary minus.
	Negate struct {
		Span
		X Expr
	}
	// Arith is X Op Y, with Op one of + - * / % ^.
	Arith struct {
		Span
		Op   string
		X, Y Expr
	}
	// Compare is X Op Y, with Op one of = != < <= > >= like ilike.
	Compare struct {
		Span
		Op   string
		X, Y Expr
		Not  bool // NOT LIKE, NOT ILIKE
	}
	// In is X [NOT] IN (List).
	In struct {
		Span
		X    Expr
		List []Expr
		Not  bool
	}
	// Between is X [NOT] BETWEEN Low AND High.
	Between struct {
		Span
		X, Low, High Expr
		Not          bool
	}
	// Is is X IS [NOT] NULL or X IS [NOT] NAN.
	Is struct {
		Span
		X   Expr
		NaN bool
		Not bool
	}
	// Logic joins two or more terms by "and" or "or".
	Logic struct {
		Span
		Op    string
		Terms []Expr
	}
	// Not is the opposite of X.
	Not struct {
		Span
		X Expr
	}
)

// Column is an item of select.
type Column struct {
	Expr Expr
	Name string // after "as", or the canonical text of Expr
	As   bool   // a name was given
}

// Grouping is what follows "group by".
type Grouping struct {
	Span
	Config bool     // group by config
	Except []string // config fields to leave out
	Exprs  []Expr   // otherwise: values to group by
}

// Order is an item of order by.
type Order struct {
	Expr  Expr   // nil if Alias is set
	Alias string // name of a column given by "as"
	Desc  bool
	Span
}

// Statement is a whole query.
type Statement struct {
	Source  string // the text it was parsed from; spans refer to it
	Columns []Column
	From    []Name
	Where   Expr // nil means all runs
	Group   *Grouping
	Orders  []Order
	Limit   int // -1 if the text has none
	Offset  int
}

// Name is a name with its place: an experiment after "from".
type Name struct {
	Span
	Value string
}

// Walk calls visit for e and, while it returns true, for what is below it.
func Walk(e Expr, visit func(Expr) bool) {
	if e == nil || !visit(e) {
		return
	}
	for _, c := range children(e) {
		Walk(c, visit)
	}
}

func children(e Expr) []Expr {
	switch e := e.(type) {
	case *Call:
		return e.Args
	case *Negate:
		return []Expr{e.X}
	case *Arith:
		return []Expr{e.X, e.Y}
	case *Compare:
		return []Expr{e.X, e.Y}
	case *In:
		return append([]Expr{e.X}, e.List...)
	case *Between:
		return []Expr{e.X, e.Low, e.High}
	case *Is:
		return []Expr{e.X}
	case *Logic:
		return e.Terms
	case *Not:
		return []Expr{e.X}
	}
	return nil
}

// Refs returns every name of the statement, in the order of the text.
func (s *Statement) Refs() []*Ref {
	var refs []*Ref
	collect := func(e Expr) {
		if e == nil {
			return
		}
		Walk(e, func(e Expr) bool {
			if r, ok := e.(*Ref); ok {
				refs = append(refs, r)
			}
			return true
		})
	}
	for _, c := range s.Columns {
		collect(c.Expr)
	}
	collect(s.Where)
	if s.Group != nil {
		for _, e := range s.Group.Exprs {
			collect(e)
		}
	}
	for _, o := range s.Orders {
		collect(o.Expr)
	}
	return refs
}
