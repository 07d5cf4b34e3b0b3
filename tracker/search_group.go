package tracker

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/gophersnake/gophersnake/tracker/query"
	"gonum.org/v1/gonum/stat/distuv"
)

// member is a run of a grouped search before its group is known.
type member struct {
	id     int64
	uid    string
	seed   sql.NullInt64
	config sql.NullInt64
	cells  []Cell
}

// gathered is a group while the search is under way.
type gathered struct {
	key     []Cell
	members []member
}

// groups answers a search whose rows are groups of runs.
func (f *finder) groups(plan *query.Plan) (*Table, error) {
	members, err := f.members(plan)
	if err != nil {
		return nil, err
	}
	list, err := f.gather(plan, members)
	if err != nil {
		return nil, err
	}
	t := &Table{Query: f.stmt.String(), Offset: f.stmt.Offset, Total: len(list), Groups: []Group{}}
	e := &groupEvaluator{stmt: f.stmt, plan: plan}
	e.sort(list)
	list = list[min(t.Offset, len(list)):]
	if f.stmt.Limit >= 0 {
		list = list[:min(f.stmt.Limit, len(list))]
	}
	labels, err := f.labels(plan, list)
	if err != nil {
		return nil, err
	}
	for _, g := range list {
		group, err := f.group(plan, g, labels)
		if err != nil {
			return nil, err
		}
		t.Groups = append(t.Groups, group)
	}
	e.fill(t, list, labels)
	if n := t.Total - t.Offset - t.Len(); n > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d of %d groups, %d more follow: set limit and offset", t.Len(), t.Total, n))
	}
	t.Notes = append(t.Notes, leftOut(t.Groups)...)
	return t, nil
}

// members reads the runs of a grouped search, ordered by seed and id.
func (f *finder) members(plan *query.Plan) ([]member, error) {
	var m member
	var list []member
	read := newCellReader(plan.Outputs, &m.id, &m.uid, &m.seed, &m.config)
	err := f.each(plan.Members(), func(rows *sql.Rows) (err error) {
		m.cells, err = read.scan(rows)
		list = append(list, m)
		return err
	})
	return list, err
}

// gather puts the runs into groups.
func (f *finder) gather(plan *query.Plan, members []member) ([]*gathered, error) {
	configs := map[int64]string{}
	if f.stmt.Group.Config {
		var err error
		if configs, err = f.configKeys(members); err != nil {
			return nil, err
		}
	}
	byKey := map[string]*gathered{}
	var list []*gathered
	for _, m := range members {
		var id strings.Builder
		for _, c := range m.cells[:plan.Keys] {
			fmt.Fprintf(&id, "%s %v %d %q,", c.Type, c.Num, c.I, c.S)
		}
		id.WriteString(configs[m.config.Int64])
		g := byKey[id.String()]
		if g == nil {
			g = &gathered{key: slices.Clone(m.cells[:plan.Keys])}
			byKey[id.String()] = g
			list = append(list, g)
		}
		g.members = append(g.members, m)
	}
	return list, nil
}

// configKeys tells for each config of the runs what it has in common with others: all of it, or all but the fields
// after "except".
func (f *finder) configKeys(members []member) (map[int64]string, error) {
	keys := map[int64]string{}
	var ids []int64
	for _, m := range members {
		if _, seen := keys[m.config.Int64]; !seen {
			keys[m.config.Int64] = ""
			ids = append(ids, m.config.Int64)
		}
	}
	except := f.stmt.Group.Except
	column := "json"
	switch {
	case len(except) == 0:
		column = "sha256"
	case len(except) == 1 && strings.EqualFold(except[0], "seed"):
		column = "arm_sha256"
	}
	found := map[string]bool{}
	err := f.configs(column, ids, func(id int64, text string) error {
		if column != "json" {
			keys[id] = text
			return nil
		}
		params, err := flattenConfig([]byte(text))
		var kept strings.Builder
		for _, p := range params {
			if name := exceptedBy(p.Key, except); name != "" {
				found[name] = true
			} else {
				fmt.Fprintf(&kept, "%q %s %q\n", p.Key, p.Type, p.Text)
			}
		}
		keys[id] = kept.String()
		return err
	})
	if err == nil && column == "json" && len(ids) > 0 {
		err = f.checkExcept(found)
	}
	return keys, err
}

// checkExcept reports a field after "except" that no config has. A seed may be missing.
func (f *finder) checkExcept(found map[string]bool) error {
	for _, name := range f.stmt.Group.Except {
		if !found[name] && !strings.EqualFold(name, "seed") {
			return f.mistake(f.stmt.Group.Span, "no config has the field "+name, "")
		}
	}
	return nil
}

// exceptedBy returns the name that leaves a field out: its own, or its last part as in "seed" for "data.seed", in any
// case; "" if the field stays.
func exceptedBy(key string, except []string) string {
	lower := strings.ToLower(key)
	for _, name := range except {
		if n := strings.ToLower(name); lower == n || strings.HasSuffix(lower, "."+n) {
			return name
		}
	}
	return ""
}

// configs reads a column of configs by id.
func (f *finder) configs(column string, ids []int64, visit func(id int64, text string) error) error {
	q := query.SQL{Text: "SELECT id, " + column + " FROM configs WHERE id IN (SELECT value FROM json_each(?))", Args: []any{query.IDList(ids)}}
	return f.each(q, func(rows *sql.Rows) error {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		return visit(id, text)
	})
}

// labels names the values of the groups' keys. Groups by config are told apart by the params that differ between them,
// which become their keys.
func (f *finder) labels(plan *query.Plan, list []*gathered) ([]string, error) {
	var labels []string
	for _, o := range plan.Outputs[:plan.Keys] {
		labels = append(labels, o.Name)
	}
	if !f.stmt.Group.Config || len(list) == 0 {
		return labels, nil
	}
	var ids []int64
	for _, g := range list {
		ids = append(ids, g.members[0].config.Int64)
	}
	configs := map[int64]map[string]Param{}
	err := f.configs("json", ids, func(id int64, text string) error {
		params, err := flattenConfig([]byte(text))
		configs[id] = map[string]Param{}
		for _, p := range params {
			configs[id][p.Key] = p
		}
		return err
	})
	for _, key := range differing(configs, ids) {
		if exceptedBy(key, f.stmt.Group.Except) != "" {
			continue
		}
		labels = append(labels, "params."+query.Key(key))
		for i, g := range list {
			p, ok := configs[ids[i]][key]
			g.key = append(g.key, configCell(p, ok))
		}
	}
	return labels, err
}

// differing are the params that not all of the configs have with the same value, sorted.
func differing(configs map[int64]map[string]Param, ids []int64) []string {
	first := configs[ids[0]]
	keys, having := map[string]bool{}, map[string]int{}
	for _, config := range configs {
		for key, p := range config {
			having[key]++
			if first[key] != p {
				keys[key] = true
			}
		}
	}
	for key, n := range having {
		if n < len(configs) {
			keys[key] = true
		}
	}
	return namesOf(keys)
}

func configCell(p Param, ok bool) Cell {
	if !ok {
		return Cell{}
	}
	return paramCell(p.stored(), string(p.Type))
}

// group fills in the runs and samples of one group.
func (f *finder) group(plan *query.Plan, g *gathered, labels []string) (Group, error) {
	ids := make([]int64, len(g.members))
	for i, m := range g.members {
		ids[i] = m.id
	}
	runs, err := f.infos(ids)
	group := Group{Key: g.key, Labels: labels, Runs: runs, Samples: map[string][]Sample{}}
	for j, o := range plan.Outputs[plan.Keys:] {
		for _, m := range g.members {
			c := m.cells[plan.Keys+j]
			group.Samples[o.Expr] = append(group.Samples[o.Expr], Sample{Run: m.uid, Seed: m.seed.Int64, HasSeed: m.seed.Valid,
				Value: c.Float(), Missing: c.Missing()})
		}
	}
	return group, err
}

// leftOut notes how many values the aggregates do not count.
func leftOut(groups []Group) []string {
	missing, odd := map[string]int{}, map[string]int{}
	for _, g := range groups {
		for name, samples := range g.Samples {
			for _, s := range samples {
				if s.Missing {
					missing[name]++
				} else if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
					odd[name]++
				}
			}
		}
	}
	var notes []string
	for _, name := range namesOf(odd) {
		notes = append(notes, fmt.Sprintf("left out of %s: %d NaN or infinite", name, odd[name]))
	}
	for _, name := range namesOf(missing) {
		notes = append(notes, fmt.Sprintf("left out of %s: %d missing", name, missing[name]))
	}
	return notes
}

// groupEvaluator computes the columns of a grouped search.
type groupEvaluator struct {
	stmt *query.Statement
	plan *query.Plan
}

// sort orders groups by "order by", then by their keys.
func (e *groupEvaluator) sort(list []*gathered) {
	sort.SliceStable(list, func(i, j int) bool { return compareKeys(list[i].key, list[j].key) < 0 })
	for k := len(e.stmt.Orders) - 1; k >= 0; k-- {
		o := e.stmt.Orders[k]
		expr := o.Expr
		for _, c := range e.stmt.Columns {
			if expr == nil && c.As && c.Name == o.Alias {
				expr = c.Expr
			}
		}
		values := map[*gathered]Cell{}
		for _, g := range list {
			values[g] = e.eval(expr, g)
		}
		sort.SliceStable(list, func(i, j int) bool { return cellBefore(values[list[i]], values[list[j]], o.Desc) })
	}
}

func compareKeys(a, b []Cell) int {
	for i := range a {
		if cellBefore(a[i], b[i], false) {
			return -1
		}
		if cellBefore(b[i], a[i], false) {
			return 1
		}
	}
	return 0
}

// cellBefore orders numbers, then texts, then NaN, then what is missing; desc turns numbers and texts around.
func cellBefore(a, b Cell, desc bool) bool {
	ra, rb := cellRank(a), cellRank(b)
	if ra >= 2 || rb >= 2 {
		return ra < rb
	}
	if desc {
		a, b, ra, rb = b, a, rb, ra
	}
	if ra != rb {
		return ra < rb
	}
	if ra == 1 {
		return a.S < b.S
	}
	return a.Num < b.Num
}

func cellRank(c Cell) int {
	switch {
	case c.Type == CellNone:
		return 3
	case c.Type == CellText || c.Type == CellBytes:
		return 1
	case math.IsNaN(c.Num):
		return 2
	}
	return 0
}

// fill adds columns and cells: the keys that select does not name, then what it names, or else the number of runs.
func (e *groupEvaluator) fill(t *Table, list []*gathered, labels []string) {
	columns := e.stmt.Columns
	if len(columns) == 0 {
		columns = []query.Column{{Expr: &query.Call{Name: "n"}, Name: "n"}}
	}
	selected := map[string]bool{}
	for _, c := range columns {
		selected[c.Expr.String()] = true
	}
	for _, label := range labels {
		if !selected[label] {
			t.Columns = append(t.Columns, Column{Name: label, Expr: label})
		}
	}
	for _, c := range columns {
		t.Columns = append(t.Columns, Column{Name: c.Name, Expr: c.Expr.String()})
	}
	for _, g := range list {
		var cells []Cell
		for i, label := range labels {
			if !selected[label] {
				cells = append(cells, g.key[i])
			}
		}
		for _, c := range columns {
			cells = append(cells, e.eval(c.Expr, g))
		}
		t.Cells = append(t.Cells, cells)
	}
}

// eval computes an expression over a group.
func (e *groupEvaluator) eval(expr query.Expr, g *gathered) Cell {
	text := expr.String()
	for i, o := range e.plan.Outputs[:e.plan.Keys] {
		if o.Expr == text {
			return g.key[i]
		}
	}
	switch expr := expr.(type) {
	case *query.Number:
		if expr.IsInt {
			return intCell(expr.Int)
		}
		return floatCell(expr.Value)
	case *query.Negate:
		x := e.eval(expr.X, g)
		if x.Missing() {
			return x
		}
		return floatCell(-x.Float())
	case *query.Arith:
		x, y := e.eval(expr.X, g), e.eval(expr.Y, g)
		if x.Missing() || y.Missing() {
			return Cell{}
		}
		return floatCell(query.Compute(expr.Op, x.Float(), y.Float()))
	case *query.Call:
		return e.aggregate(expr, g)
	}
	return Cell{}
}

// aggregate computes a function over the runs of a group.
func (e *groupEvaluator) aggregate(call *query.Call, g *gathered) Cell {
	if call.Star || call.Name == "n" {
		return intCell(int64(len(g.members)))
	}
	want, at := call.Args[0].String(), -1
	for i, o := range e.plan.Outputs[e.plan.Keys:] {
		if o.Expr == want {
			at = e.plan.Keys + i
		}
	}
	var values []float64
	for _, m := range g.members {
		if v := m.cells[at].Float(); !math.IsNaN(v) && !math.IsInf(v, 0) {
			values = append(values, v)
		}
	}
	if call.Name == "count" {
		return intCell(int64(len(values)))
	}
	v, ok := aggregateOf(call.Name, values)
	if !ok {
		return Cell{}
	}
	if e.plan.Outputs[at].Kind == query.KindDuration {
		return Cell{Type: CellDuration, Num: v}
	}
	return floatCell(v)
}

// aggregateOf computes an aggregate of finite values; ok is false if there are too few.
func aggregateOf(name string, values []float64) (v float64, ok bool) {
	n := len(values)
	if n == 0 || n < 2 && (name == "sd" || name == "ci95") {
		return 0, false
	}
	switch name {
	case "min", "max", "median":
		q := map[string]float64{"min": 0, "max": 1, "median": 0.5}[name]
		v, _ = quantile(values, q).(float64)
	case "mean":
		v = average(values)
	case "sd":
		v = deviation(values)
	case "ci95":
		// Half the width of the 95 % interval of the mean by Student's t: t(0.975, n−1)·sd/√n.
		t := distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile(0.975)
		v = t * deviation(values) / math.Sqrt(float64(n))
	}
	return v, true
}

// MarshalJSON writes a cell as JSON value: a number, "NaN", "Infinity", "-Infinity", a text, a bool, a time in Unix
// milliseconds, or null.
func (c Cell) MarshalJSON() ([]byte, error) {
	switch c.Type {
	case CellNone:
		return []byte("null"), nil
	case CellInt, CellTime:
		return json.Marshal(c.I)
	case CellBool:
		return json.Marshal(c.I != 0)
	case CellText:
		return json.Marshal(c.S)
	case CellBytes:
		return json.Marshal([]byte(c.S))
	}
	switch {
	case math.IsNaN(c.Num):
		return []byte(`"NaN"`), nil
	case math.IsInf(c.Num, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(c.Num, -1):
		return []byte(`"-Infinity"`), nil
	}
	return json.Marshal(c.Num)
}

func namesOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
