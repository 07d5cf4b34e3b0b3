package tracker

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/tracker/query"
)

// ladder fills a store: mixers s6 and rnn, two learning rates, three seeds; loss is the number of the run, the last rnn
// diverged.
func ladder(t *testing.T) (*Store, *fakeClock) {
	t.Helper()
	clock := newFakeClock()
	s := openTest(t, WithClock(clock.now))
	n := 0
	for _, mixer := range []string{"s6", "rnn"} {
		for _, lr := range []string{"0.1", "1e-3"} {
			for seed := range int64(3) {
				n++
				r := startRun(t, s, RunConfig{Experiment: "ladder", Group: "g-" + mixer, Name: fmt.Sprintf("%s-%d", mixer, n), Seed: seed,
					Config: fmt.Appendf(nil, `{"mixer":%q,"optim":{"lr":%s,"clip":true},"seed":%d}`, mixer, lr, seed),
					Tags:   map[string]string{"stage": []string{"draft", "final"}[n%2]}})
				for step := range int64(4) {
					must(t, r.Log("loss", step, float64(n)+float64(3-step)))
				}
				must(t, r.LogContext("eval", "loss", 3, float64(n)/2))
				must(t, r.Log("val/acc", 3, 1/float64(n)))
				clock.move(time.Hour)
				if n == 12 {
					must(t, r.Log("loss", 4, math.NaN()))
					must(t, r.Finish(StatusDiverged))
				} else {
					must(t, r.Finish(StatusFinished))
				}
			}
		}
	}
	return s, clock
}

func search(t *testing.T, s *Store, text string) *Table {
	t.Helper()
	table, err := s.Search(ctx, text)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return table
}

// found are the numbers of the runs, in order.
func found(t *Table) string {
	var numbers []string
	for _, r := range t.Runs {
		numbers = append(numbers, r.Name[strings.Index(r.Name, "-")+1:])
	}
	return strings.Join(numbers, " ")
}

// TestSearch: filters and what they select, oldest first.
func TestSearch(t *testing.T) {
	s, _ := ladder(t)
	for filter, want := range map[string]string{
		"metrics.loss < 3":                                                               "1 2",
		"not metrics.loss > 2":                                                           "1 2 12", // 12 is NaN, so the comparison is false
		"metrics.loss is nan":                                                            "12",
		"metrics.loss is not nan and metrics.loss >= 11":                                 "11",
		"min(metrics.loss) >= 11":                                                        "11 12", // NaN is left out of min
		"metrics.loss@eval = 1.5":                                                        "3",
		"metrics.`val/acc` > 0.4 and seed = 0":                                           "1",
		"params.mixer = 'rnn' and params.optim.lr < 0.01":                                "10 11 12",
		"params.optim.lr = '0.001' and seed = 1":                                         "5 11",
		"params.optim.clip = false":                                                      "",
		"params.seed in (0, 2) and experiment = 'ladder' and group like 'g-s%'":          "1 3 4 6",
		"tags.stage = 'final' and metrics.loss between 3 and 7":                          "3 5 7",
		"first_below(metrics.loss, 5) = 1":                                               "2",
		"at(metrics.loss, 1) = 9":                                                        "7",
		"tail_mean(metrics.loss, 2) = 8.5":                                               "8",
		"slope(metrics.loss) = -1 and seed = 2":                                          "3 6 9 12",
		"slope(metrics.loss, 3) < -0.99 and metrics.loss < 2":                            "1",
		"median(metrics.loss) = 4.5":                                                     "3",
		"abs(sd(metrics.loss) - 1.2909944487358056) < 1e-12":                             "1 2 3 4 5 6 7 8 9 10 11 12",
		"count(metrics.loss) = 5 or nan_count(metrics.loss) > 0":                         "12",
		"status = 'diverged'":                                                            "12",
		"created < '2026-01-02 05:00'":                                                   "1 2",
		"now - created <= 2h":                                                            "11 12",
		"created >= now - 3h and created < now - 1h":                                     "10 11",
		"duration = 1h and seed = 0 and last_step = 3":                                   "1 4 7 10",
		"duration > 3599 and seed = 0 and duration < 60 * 2m":                            "1 4 7 10",
		"metrics.loss / 2 = metrics.loss@eval and seed = 1":                              "2 5 8 11",
		"from ladder name = 's6-1'":                                                      "1",
		"metrics.loss < 0.5 * 4 ^ 2 and seed * 10 + 1 = 21 and not params.mixer = 'rnn'": "3 6",
	} {
		if got := found(search(t, s, filter+" order by run")); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", filter, got, want)
		}
	}
}

// TestMLflowFilters: what MLflow's documentation and clients write means here what it means there.
func TestMLflowFilters(t *testing.T) {
	s, clock := ladder(t)
	for filter, want := range map[string]string{
		`metrics.loss < 3 AND params."mixer" = "s6"`:                          "1 2",
		"metric.loss <= 1 and parameter.mixer = 's6' and tag.stage = 'final'": "1",
		`params."optim.lr" = "0.001" and attributes.status = "FINISHED"`:      "4 5 6 10 11",
		"status = 'FAILED'":                "12",
		"attribute.status != 'FINISHED'":   "12",
		"status IN ('RUNNING', 'KILLED')":  "",
		"run_name LIKE '%-1%'":             "1 10 11 12",
		"attributes.run_name ILIKE 'S6-_'": "1 2 3 4 5 6",
		"tags.stage != 'final' and tags.`stage` ILIKE 'D%' and metrics.loss < 4":      "2",
		fmt.Sprintf("start_time > %d", clock.now().Add(-150*time.Minute).UnixMilli()): "11 12",
		"metrics.\"val/acc\" >= 1": "1",
		"params.mixer NOT IN ('rnn') and metrics.loss != 1 and metrics.loss < 3": "2",
		"params.optim.clip = 'true' and metrics.loss < 2":                        "1",
		"params.mixer IS NULL": "",
	} {
		if got := found(search(t, s, filter+" order by run")); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", filter, got, want)
		}
	}
	for _, filter := range []string{"metrics.nothing < 1", "params.nothing = 'a'", "tags.nothing = 'a'", "metrics.loss@nowhere < 1", "params.mixer > 3"} {
		if _, err := s.Search(ctx, filter); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want an error", filter, err)
		}
		table, err := s.SearchWith(ctx, Search{Text: filter, Lenient: true})
		if err != nil || table.Len() != 0 || table.Total != 0 {
			t.Errorf("%s: lenient got %v, %v", filter, table, err)
		}
	}
}

// TestSearchOrder: values, then NaN, then missing, in both directions; equals by run id; pages join up.
func TestSearchOrder(t *testing.T) {
	s, _ := ladder(t)
	r := startRun(t, s, RunConfig{Experiment: "ladder", Name: "x-13", Seed: 1, Tags: map[string]string{"stage": "draft"}})
	must(t, r.Finish(StatusFinished))
	for order, want := range map[string]string{
		"":                                 "13 12 11 10 9 8 7 6 5 4 3 2 1",
		"order by metrics.loss":            "1 2 3 4 5 6 7 8 9 10 11 12 13",
		"order by metrics.loss desc":       "11 10 9 8 7 6 5 4 3 2 1 12 13",
		"order by metrics.loss + 0 desc":   "11 10 9 8 7 6 5 4 3 2 1 12 13",
		"order by params.mixer desc, run":  "1 2 3 4 5 6 7 8 9 10 11 12 13",
		"order by seed desc, tags.stage":   "6 12 3 9 2 8 13 5 11 4 10 1 7",
		"order by tags.stage desc":         "1 3 5 7 9 11 2 4 6 8 10 12 13",
		"order by -metrics.loss@eval, run": "12 11 10 9 8 7 6 5 4 3 2 1 13",
	} {
		if got := found(search(t, s, order)); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", order, got, want)
		}
		var pages []string
		for offset := 0; ; offset += 5 {
			table, err := s.SearchWith(ctx, Search{Text: order, Limit: 5, Offset: offset})
			must(t, err)
			if table.Total != 13 || table.More() != (offset+5 < 13) || table.More() != (len(table.Notes) == 1) {
				t.Errorf("offset %d: total %d, more %t, notes %q", offset, table.Total, table.More(), table.Notes)
			}
			if table.Len() == 0 {
				break
			}
			pages = append(pages, found(table))
		}
		if got := strings.Join(pages, " "); got != want {
			t.Errorf("%s in pages\ngot  %s\nwant %s", order, got, want)
		}
	}
}

// TestSearchLarge: long lists and many terms stay within SQLite's limits.
func TestSearchLarge(t *testing.T) {
	s, _ := ladder(t)
	for _, q := range []struct{ first, item, last string }{
		{"seed in (1", ", 7", ")"}, {"params.seed in (1", ", 7", ")"}, {"params.mixer not in ('s6'", ", '1'", ")"},
		{"metrics.loss in (1", ", 7.5", ")"}, {"seed = 1", " or seed = 9", ""}, {"status in ('finished'", ", 'failed'", ")"},
		{"metrics.loss = 1", " and metrics.loss < 9", ""},
	} {
		text := q.first + strings.Repeat(q.item, (2000-len(q.first))/len(q.item)) + q.last
		if table, err := s.Search(ctx, text); err != nil || table.Len() == 0 {
			t.Errorf("%s…: %v, %v", q.first, table, err)
		}
	}
}

// TestSearchUsesIndexes: a comparison of a metric, param or tag with a constant reads an index, not the table.
func TestSearchUsesIndexes(t *testing.T) {
	s, _ := ladder(t)
	for filter, index := range map[string]string{
		"metrics.loss < 3": "latest_by_last", "min(metrics.loss) < 3 or seed = 1": "latest_by_min", "not max(metrics.loss) = 3": "latest_by_max",
		"params.optim.lr > 0.01": "params_by_value", "tags.stage = 'final'": "tags_by_value",
	} {
		stmt, err := query.Parse(filter)
		must(t, err)
		plan, err := query.Compile(stmt, query.Env{})
		must(t, err)
		q := plan.Match(10, 0)
		table, err := s.SQL(ctx, "EXPLAIN QUERY PLAN "+q.Text, q.Args...)
		must(t, err)
		details, err := table.Texts("detail")
		must(t, err)
		if steps := strings.Join(details, "\n"); !strings.Contains(steps, "INDEX "+index+" (key_id=? AND ") {
			t.Errorf("%s does not use %s:\n%s", filter, index, steps)
		}
	}
}

// TestSearchParts: a question from parts means the same as its text; deleted runs are apart.
func TestSearchParts(t *testing.T) {
	s, _ := ladder(t)
	table, err := s.SearchWith(ctx, Search{Text: "metrics.loss < 9 or seed = 2", Where: []string{"params.mixer = 'rnn'", "seed > 0 or seed < 0", ""},
		Select: []string{"name", "metrics.loss as l"}, OrderBy: []string{"l desc"}, Experiments: []string{"ladder"}, Limit: 2})
	must(t, err)
	want := "select name, metrics.loss as l from 'ladder' where (metrics.loss < 9 or seed = 2) and params.mixer = 'rnn' and " +
		"(seed > 0 or seed < 0) order by l desc limit 2"
	if got := found(table); got != "9 8" || table.Query != want || fmt.Sprint(table.Header()) != "[name l]" || table.Total != 3 {
		t.Errorf("got %s of %d, %s\n%s", got, table.Total, table.Header(), table.Query)
	}
	_, err = s.SearchWith(ctx, Search{Where: []string{"metrics.los < 1"}})
	wantError(t, err, ErrInvalid, "metrics.los", "did you mean metrics.loss?", "^^^^^^^^^^^")
	_, err = s.SearchWith(ctx, Search{Where: []string{"seed = 1) or (seed = 2"}})
	wantError(t, err, ErrInvalid, "there is no (")
	_, err = s.SearchWith(ctx, Search{Limit: -2})
	wantError(t, err, ErrInvalid, "Search.Limit is -2")
	table, err = s.SearchWith(ctx, Search{Text: "from ladder", Experiments: []string{"other"}})
	if err != nil || table.Len() != 0 {
		t.Errorf("an experiment that Text excludes: %v, %v", table, err)
	}
	must(t, s.DeleteRun(ctx, "rnn-12"))
	for text, want := range map[string]string{"seed = 2": "9 6 3", "deleted": "12", "seed = 2 and (deleted or not deleted)": "12 9 6 3", "select name, deleted where seed = 2": "9 6 3"} {
		if got := found(search(t, s, text)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	if table, err = s.SearchWith(ctx, Search{Deleted: true}); err != nil || found(table) != "12" {
		t.Errorf("deleted: %v, %v", table, err)
	}
}

// TestSearchHints: names that the database does not know, with those that may be meant.
func TestSearchHints(t *testing.T) {
	s, _ := ladder(t)
	for text, want := range map[string]string{
		"los < 1":                                 "did you mean metrics.loss?",
		"mixr = 's6'":                             "did you mean params.mixer?",
		"metrics.val < 1":                         "did you mean metrics.`val/acc`?",
		"metrics.mixer < 1":                       "did you mean params.mixer?",
		"metrics.loss@evl < 1":                    "write metrics.loss, metrics.loss@eval",
		"metrics.`val/acc`@eval < 1":              "write metrics.`val/acc`",
		"params.optim.l = 1":                      "did you mean params.optim.lr, params.optim.clip?",
		"tags.stag = 'a'":                         "did you mean tags.stage?",
		"from ladr":                               "did you mean ladder?",
		"params.mixer < 3":                        "params.mixer is a text in every run, and 3 is a number",
		"params.optim.lr = 'fast'":                "params.optim.lr is a number in every run, and 'fast' is a text",
		"select n() group by config except batch": "no config has the field batch",
	} {
		_, err := s.Search(ctx, text)
		wantError(t, err, ErrInvalid, want, "^")
		var e *query.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: the error is a %T", text, err)
		}
	}
}

// TestGroupBy: groups by config but seed, with aggregates that leave NaN out and say so, and the values behind them.
func TestGroupBy(t *testing.T) {
	s, _ := ladder(t)
	table := search(t, s, "select mean(metrics.loss) as m, sd(metrics.loss), ci95(metrics.loss) as ci, n() as n, count(metrics.loss) as ok, "+
		"max(metrics.loss) - min(metrics.loss) as spread, mean(min(metrics.loss)) group by config except seed order by m desc")
	want := `params.mixer  params.optim.lr     m  sd(metrics.loss)       ci  n  ok  spread  mean(min(metrics.loss))
rnn                     0.001  10.5          0.707107   6.3531  3   2       1                       11
rnn                       0.1     8                 1  2.48414  3   3       2                        8
s6                      0.001     5                 1  2.48414  3   3       2                        5
s6                        0.1     2                 1  2.48414  3   3       2                        2
left out of metrics.loss: 1 NaN or infinite`
	if got := table.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	g := table.Groups[0]
	if g.Label() != "params.mixer=rnn params.optim.lr=0.001" || len(g.Runs) != 3 || g.Runs[2].Name != "rnn-12" || table.Runs != nil {
		t.Errorf("group %q with %d runs", g.Label(), len(g.Runs))
	}
	if fmt.Sprint(g.SampleNames()) != "[metrics.loss min(metrics.loss)]" || fmt.Sprint(g.Values("metrics.loss")) != "[10 11]" {
		t.Errorf("samples %v: %v", g.SampleNames(), g.Samples)
	}
	if x := g.Samples["metrics.loss"][2]; !math.IsNaN(x.Value) || x.Missing || x.Seed != 2 || !x.HasSeed || x.Run != g.Runs[2].ID {
		t.Errorf("sample %+v", x)
	}
	for text, want := range map[string]string{
		"group by config":       "12: params.mixer params.optim.lr params.seed n",
		"group by params.mixer": "2: params.mixer n",
		"select params.mixer, seed, n() group by params.mixer, seed order by n(), seed desc limit 2 offset 1": "2: params.mixer seed n()",
		"select n() group by config except lr, seed":                                                          "2: params.mixer n()",
		"select n() group by config except lr":                                                                "6: params.mixer params.seed n()",
		"select mean(duration) as d where seed = 0 group by status":                                           "1: status d",
	} {
		table := search(t, s, text)
		if got := fmt.Sprintf("%d: %s", table.Len(), strings.Join(table.Header(), " ")); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	if c := search(t, s, "select mean(duration) where seed = 0 group by status").Cells[0][1]; c.Type != CellDuration || c.String() != "1h0m0s" {
		t.Errorf("mean duration is %+v", c)
	}
	one := search(t, s, "select sd(metrics.loss), ci95(metrics.loss), mean(metrics.loss) where metrics.loss = 3 group by status")
	if !one.Cells[0][1].Missing() || !one.Cells[0][2].Missing() || one.Cells[0][3].Float() != 3 {
		t.Errorf("of one run: %+v", one.Cells)
	}
}

// TestTable: typed cells, access by name, text and JSON.
func TestTable(t *testing.T) {
	s, _ := ladder(t)
	table := search(t, s, "select name, seed, params.optim.lr as lr, params.optim.clip, metrics.loss, created, duration, metrics.loss < 3 as good, "+
		"parent where name in ('s6-1', 'rnn-12') order by run")
	want := `name    seed     lr  params.optim.clip  metrics.loss  created              duration  good   parent
s6-1       0    0.1  true                          1  2026-01-02 03:04:05    1h0m0s  true
rnn-12     2  0.001  true                        NaN  2026-01-02 14:04:05    1h0m0s  false`
	if got := table.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	b, err := json.Marshal(table.Cells[1])
	must(t, err)
	if string(b) != `["rnn-12",2,0.001,true,"NaN",1767362645678,3600,false,null]` {
		t.Errorf("JSON %s", b)
	}
	lr, err := table.Floats("params.optim.lr") // by expression, though it has another name
	must(t, err)
	names, err := table.Texts("name")
	must(t, err)
	if fmt.Sprint(lr, names) != "[0.1 0.001] [s6-1 rnn-12]" {
		t.Error(lr, names)
	}
	row := table.Cells[0]
	seed, ok := row[1].Int()
	_, notInt := row[0].Int()
	clip, isBool := row[3].Bool()
	if seed != 0 || !ok || notInt || !clip || !isBool || !row[5].Time().Equal(table.Runs[0].Created) || row[6].Float() != 3600 || !row[8].Missing() {
		t.Errorf("row %+v", row)
	}
	if _, err = table.Column("nme"); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), `did you mean "name"?`) {
		t.Error(err)
	}
}

// TestSearchLive: a search sees what this process has just logged, shows runs of dead processes as crashed, and works on
// a closed, a read-only and an empty store as it should.
func TestSearchLive(t *testing.T) {
	path := testPath(t)
	s := openQuiet(t, path)
	if table := search(t, s, "status = 'running'"); table.Len() != 0 || table.Total != 0 {
		t.Errorf("empty store: %v", table)
	}
	r := startRun(t, s, RunConfig{Name: "live"})
	must(t, r.Log("loss", 1, 0.25))
	if got := search(t, s, "metrics.loss < 0.5 and status = 'RUNNING'"); got.Len() != 1 || got.Runs[0].Status != StatusRunning {
		t.Errorf("live: %v", got)
	}
	crashStore(s)
	if _, err := s.Search(ctx, ""); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	ro := openAt(t, path, WithReadOnly())
	for text, want := range map[string]int{"status = 'crashed' and finished = updated": 1, "status = 'FAILED'": 1, "status = 'running'": 0} {
		if table := search(t, ro, text); table.Len() != want || want == 1 && table.Runs[0].Status != StatusCrashed {
			t.Errorf("read-only, %s: %v", text, table)
		}
	}
	if table := search(t, openAt(t, path), "status = 'crashed'"); table.Len() != 1 {
		t.Errorf("crashed: %v", table)
	}
}
