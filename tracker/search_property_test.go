package tracker

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/tracker/query"
)

// generator writes random runs and random queries about them.
type generator struct{ *rand.Rand }

func (g generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g generator) run(t *testing.T, s *Store, i int) *naiveRun {
	r := &naiveRun{name: fmt.Sprintf("run-%c%d", 'a'+i%3, i), params: map[string]any{}, tags: map[string]string{}, metrics: map[string][]Point{}}
	for _, key := range []string{"p", "q", "flag"} {
		pool := []any{int64(1), int64(2), 0.5, 2.0, "1", "2", "0.5", "abc", "true", true, false, nil, 1e6}
		if g.IntN(5) > 0 {
			r.params[key] = pool[g.IntN(len(pool))]
		}
	}
	config, err := json.Marshal(r.params)
	must(t, err)
	cfg := RunConfig{Name: r.name, Config: config, NoSeed: g.IntN(4) == 0, Tags: r.tags}
	if g.IntN(4) > 0 {
		r.tags["t"] = g.pick("x", "y", "3", "Abc", "a*c", "2.5")
	}
	if !cfg.NoSeed {
		cfg.Seed = int64(g.IntN(4))
		r.seed = &cfg.Seed
	}
	h := startRun(t, s, cfg)
	for _, at := range [][2]string{{"a", ""}, {"a", "eval"}, {"b", ""}} {
		if g.IntN(5) == 0 {
			continue
		}
		for range 1 + g.IntN(5) {
			p := Point{Key: at[0], Context: at[1], Step: int64(g.IntN(4)), Value: g.metric()}
			must(t, h.LogBatch([]Point{p}))
			r.metrics[at[0]+"@"+at[1]] = append(r.metrics[at[0]+"@"+at[1]], p)
		}
	}
	r.status = []Status{StatusFinished, StatusFailed, StatusDiverged, StatusInterrupted}[g.IntN(4)]
	must(t, h.Finish(r.status))
	return r
}

func (g generator) metric() float64 {
	switch g.IntN(12) {
	case 0:
		return math.NaN()
	case 1:
		return math.Inf(1 - 2*g.IntN(2))
	}
	return float64(g.IntN(9) - 4)
}

// number writes an expression that is a number.
func (g generator) number(depth int) string {
	if depth > 0 && g.IntN(2) == 0 {
		x, y := g.number(depth-1), g.number(depth-1)
		switch g.IntN(8) {
		case 0:
			return "-(" + x + ")"
		case 1:
			return g.pick("abs", "sqrt", "floor") + "(0 + " + x + ")"
		}
		return "(" + x + ") " + g.pick("+", "-", "*", "/", "%", "^") + " (" + y + ")"
	}
	m := "metrics." + g.pick("a", "a@eval", "b", "nothing")
	switch g.IntN(10) {
	case 0, 1:
		return g.pick("0", "1", "2.5", "-3", "1e-3", "inf")
	case 2:
		return "seed"
	case 3:
		return "number(tags.t)"
	case 4, 5:
		return m
	case 6:
		return g.pick("at", "first_below", "first_above") + "(" + m + ", " + g.pick("0", "1", "2", "0.5", "seed") + ")"
	case 7:
		return "tail_mean(" + m + ", " + g.pick("1", "2", "3") + ")"
	}
	return g.pick("last", "first", "min", "max", "mean", "median", "sd", "count", "nan_count", "argmin", "argmax", "steps") + "(" + m + ")"
}

// term writes a condition without and, or, not.
func (g generator) term(depth int) string {
	op := g.pick("=", "!=", "<", "<=", ">", ">=")
	no := g.pick("", " not")
	param := "params." + g.pick("p", "q", "flag", "nothing")
	text := "'" + g.pick("1", "2", "0.5", "abc", "true", "zzz", "1.0", "x") + "'"
	switch g.IntN(15) {
	case 0:
		return param + " " + op + " " + g.pick("1", "2", "0.5", "-1", "1000000")
	case 1:
		return param + " " + g.pick("=", "!=", "<") + " " + text
	case 2:
		return param + " " + g.pick("=", "!=") + " " + g.pick("true", "false")
	case 3:
		return param + no + " in (1, " + text + ", true)"
	case 4:
		return param + " " + op + " params." + g.pick("p", "q")
	case 5:
		return param + " " + op + " metrics.a"
	case 6:
		return g.pick("tags.t", "name", param) + no + " " + g.pick("like", "ilike") + " '" + g.pick("a%", "%b%", "A_c", "a*c", "%1", "_", "run-a%") + "'"
	case 7:
		return "tags.t " + op + " '" + g.pick("x", "y", "3") + "'"
	case 8:
		return g.pick("tags.t", "name") + no + " in ('x', '3', 'run-a0')"
	case 9:
		return "status " + g.pick("=", "!=") + " '" + g.pick("FAILED", "KILLED", "finished", "Failed", "FINISHED") + "'"
	case 10:
		return g.pick(param, "tags.t", "tags.nothing", "seed", g.number(depth)) + " is" + no + " null"
	case 11:
		return g.number(depth) + " is" + no + " nan"
	case 12:
		return g.number(depth) + no + " between " + g.number(0) + " and " + g.number(depth)
	case 13:
		return g.number(depth) + no + " in (1, 2, -3)"
	}
	return g.number(depth) + " " + op + " " + g.number(depth)
}

func (g generator) condition(depth int) string {
	if depth == 0 || g.IntN(3) == 0 {
		return g.term(depth)
	}
	switch g.IntN(3) {
	case 0:
		return "not (" + g.condition(depth-1) + ")"
	case 1:
		return "(" + g.condition(depth-1) + ") and (" + g.condition(depth-1) + ")"
	}
	return "(" + g.condition(depth-1) + ") or (" + g.condition(depth-1) + ") or " + g.term(1)
}

// TestSearchIsTrue: on random runs, random filters select exactly the runs that a naive evaluator selects, columns have
// the values that it computes, and order by sorts as it does.
func TestSearchIsTrue(t *testing.T) {
	trials := 400
	if testing.Short() {
		trials = 100
	}
	g := generator{rand.New(rand.NewPCG(3, 4))}
	s := openTest(t)
	var runs []*naiveRun
	for i := range 25 {
		runs = append(runs, g.run(t, s, i))
	}
	ran, some := 0, 0
	for range trials {
		filter, number := g.condition(2), g.number(2)
		desc := g.pick("", " desc")
		text := "select name, " + number + " as x where " + filter + " order by x" + desc
		stmt, err := query.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		table, err := s.SearchWith(ctx, Search{Text: text, Limit: -1, Lenient: true})
		if err != nil {
			if strings.Contains(err.Error(), "never true") || strings.Contains(err.Error(), "order by needs") {
				continue // a constant happened to be NaN, or the column is a constant
			}
			t.Fatal(err)
		}
		ran++
		want := naiveSearch(stmt, runs, desc != "")
		if table.Len() > 0 {
			some++
		}
		if got := show(table); got != want {
			t.Fatalf("%s\ngot\n%s\nwant\n%s", text, got, want)
		}
	}
	if ran < trials/2 || some < ran/4 {
		t.Errorf("only %d of %d queries ran, and only %d selected something", ran, trials, some)
	}
}

func show(table *Table) string {
	var b strings.Builder
	for _, row := range table.Cells {
		v := "missing"
		if !row[1].Missing() {
			v = showNumber(row[1].Float())
		}
		fmt.Fprintln(&b, row[0], v)
	}
	return b.String()
}

// showNumber has ten digits: sums in another order differ after that.
func showNumber(v float64) string { return fmt.Sprintf("%.10g", v+0) }

func naiveSearch(stmt *query.Statement, runs []*naiveRun, desc bool) string {
	type row struct {
		name, text string
		rank       int // numbers, NaN, missing
		v          float64
	}
	var rows []row
	for _, r := range runs {
		if !r.holds(stmt.Where) {
			continue
		}
		v, ok := asNumber(r.eval(stmt.Columns[1].Expr))
		x := row{r.name, showNumber(v), 0, v}
		switch {
		case !ok:
			x.rank, x.text, x.v = 2, "missing", 0
		case math.IsNaN(v):
			x.rank, x.v = 1, 0
		}
		rows = append(rows, x)
	}
	sort.SliceStable(rows, func(i, j int) bool {
		a, b := rows[i], rows[j]
		if a.rank != b.rank {
			return a.rank < b.rank
		}
		if desc {
			a, b = b, a
		}
		return a.v < b.v
	})
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintln(&b, r.name, r.text)
	}
	return b.String()
}
