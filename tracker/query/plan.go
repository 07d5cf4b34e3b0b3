package query

import "strings"

// Output is a compiled column. SQL yields its value (see Plan.Values); a param yields two: value and type.
type Output struct {
	Name string
	Expr string // canonical text
	Kind Kind
	sql  frag
}

// Width is the number of SQL columns that the output takes.
func (o Output) Width() int {
	if o.Kind == KindParam {
		return 2
	}
	return 1
}

// Plan is a compiled statement.
type Plan struct {
	Statement *Statement
	// Outputs are the columns of a search for runs. In a grouped search they are the values that groups are made of:
	// first the values of "group by", then one for every expression within an aggregate.
	Outputs []Output
	// Keys is the number of Outputs that groups are made by.
	Keys int

	from   string // joins that where and orders need
	joins  string // those that Outputs need, too
	where  frag
	orders []frag
}

// Compile turns a statement into SQL. A mistake is an *Error.
func Compile(s *Statement, env Env) (plan *Plan, err error) {
	defer catch(&err)
	c := &compiler{text: s.Source, env: env, joins: map[string]bool{}}
	p := &Plan{Statement: s}
	where := c.filter(s)
	if !c.deleted {
		where = append(where, frag{sql: "r.deleted_ms IS " + map[bool]string{true: "NOT ", false: ""}[env.Deleted] + "NULL"})
	}
	if s.Group == nil {
		p.orders = c.orders(s)
		p.from = c.from()
		p.Outputs = c.columns(s)
	} else {
		c.grouped(s, p)
	}
	p.where = allOf(where)
	p.joins = c.from()
	return p, nil
}

// from is the joins that what was compiled so far needs.
func (c *compiler) from() string {
	text := ""
	for _, j := range joins {
		if c.joins[j.name] {
			text += " " + j.sql
		}
	}
	return text
}

// filter compiles from and where.
func (c *compiler) filter(s *Statement) []frag {
	var where []frag
	if len(s.From) > 0 {
		names := make([]string, len(s.From))
		for i, n := range s.From {
			names[i] = n.Value
		}
		where = append(where, cat("r.experiment_id IN (SELECT id FROM experiments WHERE name IN (", args(names), "))"))
	}
	if s.Where != nil {
		where = append(where, c.cond(s.Where, true))
	}
	return where
}

// defaultColumns are shown by a search without select, before what its filter and order name.
var defaultColumns = []string{"id", "name", "experiment", "status", "created"}

// columns compiles select, or chooses columns where there is none: who the run is, and what the query speaks of.
func (c *compiler) columns(s *Statement) []Output {
	columns := s.Columns
	if len(columns) == 0 {
		for _, name := range defaultColumns {
			columns = append(columns, Column{Expr: &Ref{Kind: RefAttribute, Key: name}, Name: name})
		}
		columns = append(columns, s.mentioned()...)
	}
	var outputs []Output
	for _, column := range columns {
		outputs = append(outputs, c.output(column))
	}
	return outputs
}

// mentioned are the names and histories in filter and order, each once.
func (s *Statement) mentioned() []Column {
	seen := map[string]bool{}
	for _, name := range defaultColumns {
		seen[name] = true
	}
	var columns []Column
	visit := func(e Expr) bool {
		take := false
		switch e := e.(type) {
		case *Ref:
			take = true
		case *Call:
			take = functions[e.Name].role&roleHistory != 0
		}
		if text := e.String(); take && !seen[text] {
			seen[text] = true
			columns = append(columns, Column{Expr: e, Name: text})
		}
		return !take
	}
	Walk(s.Where, visit)
	for _, o := range s.Orders {
		Walk(o.Expr, visit)
	}
	return columns
}

func (c *compiler) output(column Column) Output {
	v := c.value(column.Expr)
	o := Output{Name: column.Name, Expr: column.Expr.String(), Kind: v.kind, sql: v.encoded()}
	if v.kind == KindParam {
		o.sql = cat(v.sql, ", (SELECT type FROM params WHERE run_id = r.id AND key_id = ", keyID(v.ref.Key), ")")
	}
	return o
}

// orders compiles order by: values first, then NaN, then what is missing, in both directions; equals by run id.
func (c *compiler) orders(s *Statement) []frag {
	var orders []frag
	for _, o := range s.Orders {
		e := o.Expr
		if e == nil {
			e = s.column(o.Alias).Expr
		}
		v := c.value(e)
		if v.isConst {
			c.fail(o.Span, "write order by metrics.loss", "order by needs something that differs from run to run")
		}
		orders = append(orders, v.order(o.Desc))
	}
	if len(orders) == 0 {
		return []frag{{sql: "r.created_ms DESC, r.id DESC"}}
	}
	return append(orders, frag{sql: "r.id"})
}

// order sorts by the value. 'NaN' is a text, and every text comes after every number; so a number is ordered downwards
// by its opposite.
func (v value) order(desc bool) frag {
	switch {
	case v.nan && desc && v.field != "":
		return cat(latest(v.ref, "coalesce(-l."+v.field+", 'NaN')"), " NULLS LAST")
	case v.nan && desc:
		v.sql, v.whole = cat("-", v.sql), frag{}
		return cat(v.encoded(), " NULLS LAST")
	case v.nan:
		return cat(v.encoded(), " NULLS LAST")
	case desc:
		return cat(v.sql, " DESC NULLS LAST")
	}
	return cat(v.sql, " NULLS LAST")
}

// column finds a column by the name given with "as".
func (s *Statement) column(alias string) Column {
	for _, c := range s.Columns {
		if c.As && c.Name == alias {
			return c
		}
	}
	return Column{}
}

// SQL is a query with its arguments.
type SQL struct {
	Text string
	Args []any
}

func (f frag) query() SQL { return SQL{f.sql, f.args} }

// Match asks for the ids of the runs, in order, and in a second column for the number of all runs that match. limit -1
// means all. The filter is worked out once, before sorting and counting.
func (p *Plan) Match(limit, offset int) SQL {
	parts := []any{"WITH m(id) AS MATERIALIZED (SELECT r.id FROM runs r" + p.from + " WHERE ", p.where,
		") SELECT r.id, (SELECT count(*) FROM m) FROM m CROSS JOIN runs r ON r.id = m.id" + p.from + " ORDER BY "}
	for i, o := range p.orders {
		if i > 0 {
			parts = append(parts, ", ")
		}
		parts = append(parts, o)
	}
	return cat(append(parts, " LIMIT ", arg(limit), " OFFSET ", arg(offset))...).query()
}

// Count asks for the number of runs.
func (p *Plan) Count() SQL {
	return cat("SELECT count(*) FROM runs r"+p.from+" WHERE ", p.where).query()
}

// Values asks for the outputs of the runs with these ids, in any order. The first column is the run's id. A number that
// is NaN comes as the text NaN, and what is missing as NULL.
func (p *Plan) Values(ids []int64) SQL {
	return cat("SELECT r.id", p.outputs(), " FROM runs r"+p.joins+" WHERE r.id IN (SELECT value FROM json_each(", arg(IDList(ids)), "))").query()
}

// Members asks for the outputs of all runs of a grouped search: id, text id, seed, config, then Outputs.
func (p *Plan) Members() SQL {
	return cat("SELECT r.id, r.uid, r.seed, r.config_id", p.outputs(), " FROM runs r"+p.joins+" WHERE ", p.where, " ORDER BY r.seed, r.id").query()
}

func (p *Plan) outputs() frag {
	var parts []any
	for _, o := range p.Outputs {
		parts = append(parts, ", ", o.sql)
	}
	return cat(parts...)
}

// IDList writes ids as a JSON array, for json_each(?).
func IDList(ids []int64) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(itoa(id))
	}
	b.WriteByte(']')
	return b.String()
}
