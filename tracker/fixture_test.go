package tracker

import (
	"database/sql"
	"fmt"
	"math"
	"sort"
	"strings"
	"testing"
	"time"
)

// fillFixture logs one of everything. Later versions may add to it, never change it.
func fillFixture(t *testing.T, s *Store, clock *fakeClock) {
	s.self = process{host: "fixture", pid: 1, start: "boot/ns/1"}
	parent := startRun(t, s, RunConfig{Experiment: "ladder", Name: "sweep", NoSeed: true, Note: "the whole sweep"})
	must(t, parent.Finish(StatusFinished))
	env := &Environment{GoVersion: "go1.26.8", OS: "linux", Arch: "amd64", CPU: "a processor", Cores: 2, MaxProcs: 2, Host: "fixture",
		CommandLine: []string{"/bin/gophersnake", "ladder"}, Git: GitState{Commit: "0123abcd", Dirty: true},
		GitDiff: []byte("diff --git a/x b/x\n"), Modules: map[string]string{"example.org/m": "v1.2.3"}}
	r := startRun(t, s, RunConfig{Experiment: "ladder", Name: "lru-7", Group: "arms", Parent: "sweep", Seed: 7, Environment: env,
		Config: []byte(`{"seed":7,"model":{"width":48,"kind":"lru","bias":true},"lr":0.001,"decay":1e-4,"layers":[1,2],` +
			`"big":18446744073709551615,"none":null,"empty":{}}`), Tags: map[string]string{"rung": "3d"}})
	for step, v := range []float64{3, 2.5, math.NaN(), math.Inf(1), math.Inf(-1), 2} {
		clock.move(time.Second)
		must(t, r.Log("loss", int64(step), v))
	}
	must(t, r.Log("loss", 2, 2.25))
	must(t, r.Log("loss", 2, 2.125))
	must(t, r.LogContext("eval", "loss", 5, 1.75))
	must(t, r.LogText("sample", 5, "to be or not"))
	_, err := r.AddArtifact(ArtifactSpec{Name: "checkpoints/best", Data: []byte("weights"), Kind: "checkpoint", Step: 5, HasStep: true})
	must(t, err)
	clock.move(time.Second)
	must(t, r.FinishWith(StatusDiverged, "loss was NaN at step 2"))
}

// fixtureText is everything that the views show, and what the Go reader makes of it.
func fixtureText(t *testing.T, s *Store) string {
	t.Helper()
	var b strings.Builder
	for _, view := range []string{"v_runs", "v_metrics", "v_latest", "v_params", "v_tags", "v_artifacts"} {
		fmt.Fprintf(&b, "== %s\n", view)
		rows, err := s.rdb.Query("SELECT * FROM " + view)
		must(t, err)
		writeRows(t, &b, rows)
	}
	fmt.Fprintln(&b, "== environment_values")
	rows, err := s.rdb.Query("SELECT key, value FROM environment_values ORDER BY environment_id, key")
	must(t, err)
	writeRows(t, &b, rows)
	fmt.Fprintln(&b, "== Go")
	params, err := s.Params(ctx, "lru-7")
	must(t, err)
	for _, p := range params {
		fmt.Fprintf(&b, "%+v\n", p)
	}
	b.WriteString(dump(t, s, "lru-7"))
	return b.String()
}

func writeRows(t *testing.T, b *strings.Builder, rows *sql.Rows) {
	t.Helper()
	defer rows.Close()
	var lines []string
	columns, err := rows.Columns()
	must(t, err)
	for rows.Next() {
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		must(t, rows.Scan(cells...))
		var line strings.Builder
		for i, c := range cells {
			fmt.Fprintf(&line, "%s=%v ", columns[i], *c.(*any))
		}
		lines = append(lines, line.String())
	}
	must(t, rows.Err())
	sort.Strings(lines) // the order of a view is SQLite's own affair
	fmt.Fprintln(b, strings.Join(lines, "\n"))
}
