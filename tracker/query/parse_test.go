package query

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// TestGrammar: what a query means, as its canonical text with all parentheses that it needs.
func TestGrammar(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"  \n ":                              "",
		"metrics.loss < 0.5":                 "where metrics.loss < 0.5",
		"metric.loss<.5 AND param.a='x'":     "where metrics.loss < 0.5 and params.a = 'x'",
		"seed == 3":                          "where seed = 3",
		"seed <> 3":                          "where seed != 3",
		"seed=1 or seed=2 and name='a'":      "where seed = 1 or seed = 2 and name = 'a'",
		"(seed=1 or seed=2) and name='a'":    "where (seed = 1 or seed = 2) and name = 'a'",
		"not seed=1 and name='a'":            "where not seed = 1 and name = 'a'",
		"NOT (seed=1 Or name='a')":           "where not (seed = 1 or name = 'a')",
		"seed*2+1 > 3-4-5":                   "where seed * 2 + 1 > 3 - 4 - 5",
		"seed > 3-(4-5)":                     "where seed > 3 - (4 - 5)",
		"-seed^2 > -2 ^ -1":                  "where -seed ^ 2 > -2 ^ -1",
		"(-seed)^2 > 2^3^4":                  "where (-seed) ^ 2 > 2 ^ 3 ^ 4",
		"seed > (2^3)^4":                     "where seed > (2 ^ 3) ^ 4",
		"metrics.`val loss` < 1":             "where metrics.`val loss` < 1",
		`metrics."val loss"@"my eval" < 1`:   "where metrics.`val loss`@`my eval` < 1",
		"metrics.loss@eval < 1e-3":           "where metrics.loss@eval < 0.001",
		"params.model.n = 16":                "where params.model.n = 16",
		"tags.a = 'it''s'":                   "where tags.a = 'it''s'",
		`tags.a = "say ""hi"""`:              `where tags.a = 'say "hi"'`,
		"seed in (1,2) ":                     "where seed in (1, 2)",
		"seed not in (1)":                    "where seed not in (1)",
		"seed between 1 and 2 and seed=1":    "where seed between 1 and 2 and seed = 1",
		"seed not between 1 and 2":           "where seed not between 1 and 2",
		"name like 'a%' and name ilike 'B_'": "where name like 'a%' and name ilike 'B_'",
		"name not like 'a%'":                 "where name not like 'a%'",
		"params.a IS NOT NULL":               "where params.a is not null",
		"metrics.a is nan":                   "where metrics.a is nan",
		"created > now() - 2d":               "where created > now - 2d",
		"attributes.start_time > 17e11":      "where created > 1.7e+12",
		"attribute.run_name = 'x'":           "where name = 'x'",
		"run.status = 'FINISHED'":            "where status = 'FINISHED'",
		"metrics.a < inf":                    "where metrics.a < inf",
		"tail_mean(metrics.a,10) < 1":        "where tail_mean(metrics.a, 10) < 1",
		"group = 'a' group by group":         "where group = 'a' group by group",
		"select name from a, 'b c' where seed=1 order by seed desc, name limit 3 offset 4": "select name from 'a', 'b c' where seed = 1 order by seed desc, name limit 3 offset 4",
		"from a seed = 1 limit 2":                          "from 'a' where seed = 1 limit 2",
		"select min(metrics.a) as best order by best desc": "select min(metrics.a) as best order by best desc",
		"select mean(metrics.a) as `my mean` group by config except seed, params.data.seed order by `my mean`": "select mean(metrics.a) as `my mean` group by config except seed, data.seed order by `my mean`",
		"group by config":                                "group by config",
		"group by params.x, params.y":                    "group by params.x, params.y",
		"select count(*), n() group by config":           "select count(*), n() group by config",
		"deleted and not deleted":                        "where deleted and not deleted",
		"metrics.größe < 1":                              "where metrics.größe < 1",
		"metrics.5x > 1":                                 "where metrics.`5x` > 1",
		"select metrics.loss<0.5 and seed=1 as good":     "select metrics.loss < 0.5 and seed = 1 as good",
		"(((seed)))=((1))":                               "where seed = 1",
		"seed is not null or metrics.a is not nan":       "where seed is not null or metrics.a is not nan",
		"created between '2026-01-01' and '2026-02-01'":  "where created between '2026-01-01' and '2026-02-01'",
		"params.flag = true and params.other != FALSE":   "where params.flag = true and params.other != false",
		"env.go.version like 'go1.26%'":                  "where env.go.version like 'go1.26%'",
		"seed + - - 1 > +2":                              "where seed + --1 > 2",
		"pow(seed, 2) % 3 / 4 * 5 >= (1 - seed) * 2 - 3": "where pow(seed, 2) % 3 / 4 * 5 >= (1 - seed) * 2 - 3",
	} {
		stmt, err := Parse(text)
		if err != nil {
			t.Errorf("%s\n%v", text, err)
			continue
		}
		if got := stmt.String(); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
		checkRoundTrip(t, stmt)
	}
}

// checkRoundTrip: the canonical text parses to an equal tree.
func checkRoundTrip(t *testing.T, stmt *Statement) {
	t.Helper()
	text := stmt.String()
	again, err := Parse(text)
	if err != nil {
		t.Fatalf("the canonical text of\n%s\nis\n%s\nwhich does not parse: %v", stmt.Source, text, err)
	}
	if a, b := bare(stmt), bare(again); !reflect.DeepEqual(a, b) {
		t.Fatalf("%s\nand its canonical text\n%s\ngive different trees", stmt.Source, text)
	}
	if again.String() != text {
		t.Fatalf("canonical text %s becomes %s", text, again.String())
	}
}

// bare is a statement without places, for comparing.
func bare(s *Statement) any {
	c := *s
	c.Source = ""
	v := strip(reflect.ValueOf(c))
	return v.Interface()
}

// strip copies a value with every Span zero and every NaN a number.
func strip(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return v
		}
		inner := strip(v.Elem())
		if v.Kind() == reflect.Interface {
			out := reflect.New(v.Type()).Elem()
			out.Set(inner)
			return out
		}
		out := reflect.New(inner.Type())
		out.Elem().Set(inner)
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			if v.Type().Field(i).Type != reflect.TypeFor[Span]() {
				out.Field(i).Set(strip(v.Field(i)))
			}
		}
		return out
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(strip(v.Index(i)))
		}
		return out
	case reflect.Float64:
		if v.Float() != v.Float() {
			return reflect.ValueOf(-12345.678)
		}
	}
	return v
}

// TestErrors: every mistake is marked where it is, with a message and a hint that help.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ text, marked, msg, hint string }{
		{"metrics.loss <", "", "expected a value, found the end", "stops in the middle"},
		{"metrics.loss < 0.5 metrics.b > 1", "metrics.b", "expected and, or", ""},
		{"metrics.loss < 0.5, metrics.b > 1", ",", "expected and, or", "join conditions by and, or"},
		{"(seed = 1", "", `expected ")"`, ""},
		{"seed = 1)", ")", "expected and, or", "there is no ("},
		{"loss < 1", "loss", "loss is no attribute", "metrics.loss"},
		{"metrics. < 1", " ", "a name is missing", "backticks"},
		{"metriks.loss < 1", "metriks.loss", "metriks. is no kind of name", "metrics., params."},
		{"attributes.foo = 1", "attributes.foo", "foo is no attribute", "run_name"},
		{"0 < seed < 5", "<", "cannot be chained", "0 < x and x < 1"},
		{"seed = 'a", "'a", "the quote ' is not closed", ""},
		{"seed ; 1", ";", "has no meaning here", "one query"},
		{"seed = 1 && seed = 2", "&", "has no meaning", "and, or, not"},
		{"name = ‘a’", "‘", "has no meaning", "straight quotes"},
		{"seed > 5x", "5x", `"5x" is no number`, "durations"},
		{"seed > 1e999", "1e999", "beyond the range", "inf"},
		{"seed is 3", "3", "expected null or nan", "="},
		{"seed = null", "null", "null is no value", "is null"},
		{"avg(metrics.a) > 1", "avg", "there is no function avg", "mean"},
		{"at(metrics.a) > 1", "at(metrics.a)", "wrong number of arguments", "at(metrics.loss, 1000)"},
		{"select * where seed = 1", "*", "name the columns", "for example"},
		{"seed = 1 limit x", "x", "limit needs a whole number", ""},
		{"seed = 1 limit -1", "-", "limit needs a whole number", ""},
		{"params.a@eval = 1", "params.a@eval", "only metrics have a context", ""},
		{"seed not 1", "1", "expected in, between", ""},
		{"seed in 1", "1", `expected "("`, ""},
		{"seed in ()", ")", "expected a value", ""},
		{"where", "", "expected a value", ""},
		{"select seed order seed", "seed", `expected "by"`, ""},
		{strings.Repeat("(", 500) + "1", "(", "nested too deeply", ""},
		{strings.Repeat("not ", 500) + "deleted", "not", "nested too deeply", ""},
		{strings.Repeat("-", 500) + "1 < seed", "-", "nested too deeply", ""},
		{"seed" + strings.Repeat("+1", 500) + " > 2", "+", "nested too deeply", ""},
		{"seed" + strings.Repeat("^1", 500) + " > 2", "1", "nested too deeply", ""},
		{strings.Repeat("x", MaxBytes+1), "", "the query has", ""},
		// Found while compiling.
		{"seed < 'a'", "seed < 'a'", "seed is a int, and 'a' is a text", "without quotes"},
		{"tags.v > 3", "tags.v > 3", "tags.v is a text, and 3 is a number", "number(tags.v)"},
		{"name + 1 > 2", "name", "name is a text", "number(name)"},
		{"metrics.a = nan", "nan", "never true", "is nan"},
		{"metrics.a", "metrics.a", "is a number, not a condition", "metrics.a = "},
		{"0.5", "0.5", "not a condition", "compare it"},
		{"status = 'done'", "'done'", "there is no status 'done'", "finished"},
		{"status < 'finished'", "'finished'", "cannot be compared", "status ="},
		{"created > 'yesterday'", "'yesterday'", "is no time", "now - 2d"},
		{"created + created > 1", "created + created", "there is no time + time", "now - 2d"},
		{"name like 3", "3", "like needs a text", "%"},
		{"metrics.a like 'x'", "metrics.a", "like is for texts", ""},
		{"seed in (seed)", "seed", "holds values", ""},
		{"tail_mean(metrics.a, 0) < 1", "0", "whole number from 1", "tail_mean("},
		{"min(params.a) < 1", "params.a", "min needs the name of a metric", "min(metrics.loss)"},
		{"ci95(metrics.a) < 1", "ci95(metrics.a)", "group", "group by config"},
		{"select metrics.a group by config", "metrics.a", "differs from run to run", "mean(metrics.a)"},
		{"order by 1", "1", "differs from run to run", ""},
		{"tags.a is nan", "tags.a is nan", "only numbers can be NaN", ""},
		{"deleted < true", "deleted < true", "is a bool", ""},
	} {
		stmt, err := Parse(c.text)
		if err == nil {
			_, err = Compile(stmt, Env{})
		}
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, ErrQuery) {
			t.Errorf("%.60s: got %v, want an *Error", c.text, err)
			continue
		}
		checkPlace(t, e)
		if got := e.Text[e.Pos:e.End]; got != c.marked || !strings.Contains(e.Msg, c.msg) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%.60s:\n%v\nmarks %q, want %q, message with %q, hint with %q", c.text, err, got, c.marked, c.msg, c.hint)
		}
	}
}

// checkPlace: the place lies within the text, and the message can be made.
func checkPlace(t *testing.T, e *Error) {
	t.Helper()
	if e.Pos < 0 || e.End < e.Pos || e.End > len(e.Text) || e.Msg == "" || !strings.Contains(e.Error(), "^") {
		t.Fatalf("%q: bytes %d to %d of %d, message %q", e.Text, e.Pos, e.End, len(e.Text), e.Msg)
	}
}

// TestErrorText shows a whole error: the line it is in, and carets under the mistake, counted in characters.
func TestErrorText(t *testing.T) {
	_, err := Parse("name = 'größe'\n\tand los < 1\nand seed = 1")
	want := "query: line 2, column 6: los is no attribute of a run\n" +
		"  \tand los < 1\n" +
		"  \t    ^^^\n" +
		"(hint: did you mean metrics.los, params.los, tags.los or the text 'los'?)"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	_, err = Parse("name = 'größe' los")
	if err == nil || !strings.HasSuffix(err.Error(), "\n  name = 'größe' los\n                 ^^^") {
		t.Errorf("got\n%v", err)
	}
}

// TestNothingSpliced: no text of the query gets into the SQL.
func TestNothingSpliced(t *testing.T) {
	const evil = "zz'; DROP TABLE runs; --"
	quoted := Quote(evil)
	name := "`" + evil + "`"
	text := "select metrics." + name + " as " + name + ", params." + name + " from " + quoted + " where tags." + name + " = " + quoted +
		" and name like " + quoted + " and params." + name + " in (" + quoted + ") and env." + name + " != " + quoted +
		" and metrics." + name + "@" + name + " < 7654321 and tail_mean(metrics." + name + ", 7654321) > 7654321.5 order by " + name
	stmt, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile(stmt, Env{Crashed: []int64{7654321}})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []SQL{plan.Match(7654321, 7654321), plan.Count(), plan.Values([]int64{7654321})} {
		if strings.Contains(q.Text, "DROP") || strings.Contains(q.Text, "zz") || strings.Contains(q.Text, "7654321") {
			t.Errorf("the query shows in the SQL:\n%s", q.Text)
		}
		if n := strings.Count(q.Text, "?"); n != len(q.Args) || n == 0 {
			t.Errorf("%d question marks, %d arguments", n, len(q.Args))
		}
	}
}

// FuzzParse: no text makes the parser or the compiler panic; errors lie within the text; the canonical text of what
// parses gives an equal tree.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"metrics.loss < 0.5 and params.mixer = 's6' or not (tags.stage in ('a','b'))",
		"select min(metrics.`a b`@eval) as best from x, 'y' where created > now - 2d group by config except seed order by best desc limit 1 offset 2",
		"-(-2)^-3 % seed between 1 and 2 or name not ilike \"a%\"", "metrics.a is not nan and params.\"b\" is null", "a.b.c@d 1e5 .5 5d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		stmt, err := Parse(text)
		if err == nil {
			checkRoundTrip(t, stmt)
			_, err = Compile(stmt, Env{})
		}
		var e *Error
		if errors.As(err, &e) {
			checkPlace(t, e)
		} else if err != nil {
			t.Fatalf("%q: the error is a %T", text, err)
		}
	})
}
