package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/tracker"
)

// examples are the lines below "Examples:" of every command, and the README's.
func examples(t *testing.T) []string {
	t.Helper()
	var all strings.Builder
	eachCommand((&App{}).root(), func(cmd *cobra.Command) { all.WriteString(cmd.Example + "\n") })
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range strings.Split(string(readme), "```\n") {
		if i%2 == 1 {
			all.WriteString(block)
		}
	}
	return strings.Split(all.String(), "\n")
}

func eachCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		eachCommand(sub, visit)
	}
}

// words splits a line as a shell does, up to a pipe, a redirection or a comment.
// It is nil for a line with variables or that is no call of this program.
func words(line string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`'([^']*)'|"([^"]*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
		if slices.Contains([]string{"|", ">", "<", "&&", "#"}, m[3]) {
			break
		}
		if strings.HasPrefix(m[2], "$") {
			return nil
		}
		out = append(out, m[1]+m[2]+m[3])
	}
	if len(out) < 2 || out[0] != "gophersnake" && out[0] != "bin/gophersnake" {
		return nil
	}
	return out[1:]
}

// historyDB is a database with a few runs as the ladder leaves them.
func historyDB(t *testing.T) string {
	t.Helper()
	store, err := tracker.Open("gophersnake.db")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	book, err := logbook.New(context.Background(), store)
	if err != nil {
		t.Fatal(err)
	}
	for _, rung := range []string{"mamba", "lru"} {
		for seed := range uint64(3) {
			e := lab.DefaultExperiment(task.Induction)
			e.Task.Batch, e.Task.EvalBatches, e.Steps, e.EvalEvery, e.Seed = 2, 1, 2, 1, seed+1
			rec, err := book.Start(lab.RunSpec{Experiment: "ladder-quick/induction", Group: rung, Name: rung + "-seed" + string(rune('1'+seed)),
				Config: e.JSON(), Hash: e.Hash(), Seed: e.Seed, Tags: map[string]string{"phase": "report", "reviewed": "no"}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := lab.Run(context.Background(), e, lab.Options{Recorder: rec}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return "gophersnake.db"
}

// TestExamplesOfQuestionsRun: every question in the help and in the README, put
// as it stands there, has an answer.
func TestExamplesOfQuestionsRun(t *testing.T) {
	lines := examples(t)
	t.Chdir(t.TempDir())
	db := historyDB(t)
	asked := map[string]int{}
	for _, line := range lines {
		args := words(line)
		if args == nil || slices.Contains(args, "RUN") || strings.Contains(line, "k3v9") || slices.Contains(args, "-") {
			continue
		}
		about := args[0]
		if about == "runs" && len(args) > 1 {
			about += " " + args[1]
		}
		if !slices.Contains([]string{"query", "sql", "runs list", "runs compare", "runs diff", "runs show", "runs tag", "export"}, about) {
			continue
		}
		if i := slices.Index(args, "--out"); i >= 0 {
			args[i+1] = "export-" + strings.ReplaceAll(args[i+1], "/", "-")
		}
		asked[about]++
		var out, problems bytes.Buffer
		a := &App{Name: "gophersnake", In: strings.NewReader(""), Out: &out, Err: &problems}
		if code := a.Main(context.Background(), append(args, "--db", db)); code != 0 {
			t.Errorf("%s: exit code %d, %s", strings.TrimSpace(line), code, &problems)
		}
	}
	if asked["query"] < 5 || asked["runs compare"] < 2 || asked["export"] < 3 || asked["sql"] < 2 || asked["runs list"] < 4 {
		t.Errorf("only these were asked: %v", asked)
	}
}

// TestNamesInHelpExist: a param or metric that a help text or the README names is
// one that runs have.
func TestNamesInHelpExist(t *testing.T) {
	e := lab.DefaultExperiment(task.Induction)
	e.Task.Batch, e.Task.EvalBatches, e.Steps, e.EvalEvery = 2, 1, 2, 1
	result, err := lab.Run(context.Background(), e, lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"README.md": strings.Join(examples(t), "\n")}
	eachCommand((&App{}).root(), func(cmd *cobra.Command) { texts[cmd.CommandPath()] = cmd.Long + "\n" + cmd.Example })
	name := regexp.MustCompile("(?:^|[^/\\w])(params|metrics)\\.(?:`([^`]+)`|([\\w/.]*\\w))")
	checked := 0
	for where, text := range texts {
		for _, m := range name.FindAllStringSubmatch(text, -1) {
			checked++
			if key := m[2] + m[3]; m[1] == "params" && !slices.Contains(lab.FieldPaths(), key) {
				t.Errorf("%s names the param %q, which is no field of an experiment", where, key)
			} else if _, ok := result.Curves[key]; m[1] == "metrics" && !ok {
				t.Errorf("%s names the metric %q, which a run does not log", where, key)
			}
		}
	}
	if checked < 15 {
		t.Errorf("only %d names were checked", checked)
	}
}
