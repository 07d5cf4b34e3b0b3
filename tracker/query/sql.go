package query

import (
	"fmt"
	"strings"
)

// frag is a piece of SQL with the arguments of its question marks. Only cat and arg make one: text of the query gets
// into args, never into sql.
type frag struct {
	sql  string
	args []any
}

// cat joins SQL (string) and pieces (frag).
func cat(parts ...any) frag {
	var b strings.Builder
	var f frag
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b.WriteString(p)
		case frag:
			b.WriteString(p.sql)
			f.args = append(f.args, p.args...)
		default:
			panic(fmt.Sprintf("query: cat: a part is %T", p))
		}
	}
	f.sql = b.String()
	return f
}

// arg is a question mark.
func arg(v any) frag { return frag{"?", []any{v}} }

// args is question marks with commas.
func args[T any](values []T) frag {
	f := frag{sql: strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")}
	for _, v := range values {
		f.args = append(f.args, v)
	}
	return f
}

// balanced joins terms by an operator as a balanced tree: SQLite bounds the depth of an expression, not its width.
func balanced(op string, terms []frag) frag {
	if len(terms) == 1 {
		return terms[0]
	}
	half := len(terms) / 2
	return cat("(", balanced(op, terms[:half]), " "+op+" ", balanced(op, terms[half:]), ")")
}

func allOf(terms []frag) frag {
	if len(terms) == 0 {
		return frag{sql: "1"}
	}
	return balanced("AND", terms)
}

func keyID(name string) frag { return cat("(SELECT id FROM keys WHERE name = ", arg(name), ")") }

func contextID(name string) frag {
	if name == "" {
		return frag{sql: "0"}
	}
	return cat("(SELECT id FROM contexts WHERE name = ", arg(name), ")")
}

// seriesID is the series of a metric of run r, NULL if there is none.
func seriesID(r *Ref) frag {
	return cat("(SELECT id FROM series WHERE run_id = r.id AND key_id = ", keyID(r.Key), " AND context_id = ",
		contextID(r.Context), ")")
}

// latest reads an expression over the columns of table latest (as l) for a metric of run r.
func latest(r *Ref, expr string) frag {
	return cat("(SELECT "+expr+" FROM series s JOIN latest l ON l.series_id = s.id WHERE s.run_id = r.id AND s.key_id = ",
		keyID(r.Key), " AND s.context_id = ", contextID(r.Context), ")")
}

// logged is true if run r has values under the metric.
func logged(r *Ref) frag { return cat("EXISTS ", latest(r, "1")) }

// like turns a LIKE pattern into a GLOB pattern, which is LIKE with case.
func glob(pattern string) string {
	return strings.NewReplacer("%", "*", "_", "?", "*", "[*]", "?", "[?]", "[", "[[]").Replace(pattern)
}
