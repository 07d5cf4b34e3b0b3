package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/tracker"
)

func (a *App) queryCommand() *cobra.Command {
	var form string
	cmd := &cobra.Command{
		Use:   "query [STATEMENT|-]",
		Short: "ask the history: select … where … group by … order by …",
		Long: `Answers a statement of the query language; a filter alone is one too. MLflow's
filters work as they are. tracker/QUERY.md has the whole language.

  select   columns: name, group, params.schedule.lr, min(metrics.` + "`train/loss`" + `) as best
  from     experiments
  where    metrics.` + "`test/accuracy`" + ` > 0.9 and (params.model.mixer.kind = 's6' or not tags.draft = 'yes')
  group by config except seed | group | params.model.d
  order by, limit, offset

A dash reads the statement from standard input.`,
		Example: "  gophersnake query 'status = \"diverged\" and created > now - 7d'\n" +
			"  gophersnake query 'select group, mean(metrics.`test/accuracy`) as acc, count(*) group by group order by acc desc'\n" +
			"  gophersnake query --json 'metrics.`train/loss` < 1.5 limit 5' | jq '.[].id'",
		Args:              takes("STATEMENT"),
		ValidArgsFunction: a.completeQuery,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.answer(cmd, form, args[0], func(s *tracker.Store, text string) (*tracker.Table, error) { return s.Search(cmd.Context(), text) })
		},
	}
	formFlags(cmd, &form)
	return cmd
}

func (a *App) sqlCommand() *cobra.Command {
	var form string
	var cfg tracker.SQLConfig
	cmd := &cobra.Command{
		Use:   "sql STATEMENT|-",
		Short: "ask the database in SQL, read-only",
		Long: `Answers an SQL statement over the documented views v_runs, v_metrics, v_latest,
v_params, v_tags and v_artifacts (tracker/SCHEMA.md). Nothing can be changed, and a
statement that takes longer than --timeout is stopped. NULL in a value column is NaN.`,
		Example: `  gophersnake sql "SELECT name, last_value FROM v_latest WHERE key = 'train/loss' ORDER BY 2 LIMIT 10"
  gophersnake sql --csv - < question.sql > answer.csv`,
		Args: takes("STATEMENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.answer(cmd, form, args[0], func(s *tracker.Store, text string) (*tracker.Table, error) {
				return s.SQLWith(cmd.Context(), cfg, text)
			})
		},
	}
	formFlags(cmd, &form)
	cmd.Flags().DurationVar(&cfg.Timeout, "timeout", 10*time.Second, "stop after this time")
	cmd.Flags().IntVar(&cfg.MaxRows, "max-rows", 100_000, "at most so many rows")
	return cmd
}

// The forms of an answer.
const (
	formTable    = "table"
	formJSON     = "json"
	formCSV      = "csv"
	formMarkdown = "markdown"
)

func formFlags(cmd *cobra.Command, form *string) {
	*form = formTable
	for _, f := range []string{formJSON, formCSV, formMarkdown} {
		about := map[string]string{formJSON: "a JSON array of objects", formCSV: "comma-separated values", formMarkdown: "a Markdown table"}[f]
		cmd.Flags().BoolFunc(f, about, func(string) error {
			if *form != formTable {
				return errors.New("only one of --json, --csv and --markdown")
			}
			*form = f
			return nil
		})
	}
}

// answer reads a statement, asks it and prints what comes.
func (a *App) answer(cmd *cobra.Command, form, text string, ask func(*tracker.Store, string) (*tracker.Table, error)) error {
	if text == "-" {
		all, err := io.ReadAll(a.In)
		if err != nil {
			return err
		}
		text = string(all)
	}
	return a.withStore(func(s *tracker.Store) error {
		t, err := ask(s, text)
		if err != nil {
			return err
		}
		return a.printAnswer(t, form)
	})
}

func (a *App) printAnswer(t *tracker.Table, form string) error {
	switch form {
	case formJSON:
		return a.printJSON(tableJSON(t))
	case formCSV:
		_, err := io.WriteString(a.Out, asTable(t).CSV())
		return err
	case formMarkdown:
		_, err := io.WriteString(a.Out, asTable(t).Markdown())
		return err
	}
	if t.Len() == 0 {
		fmt.Fprintln(a.Out, "nothing")
		return nil
	}
	_, err := fmt.Fprintln(a.Out, asTable(t))
	return err
}

// asTable is an answer with its notes, for print.
func asTable(t *tracker.Table) *table.Table {
	out := table.New("", t.Header()...)
	out.Rows, out.Notes = t.Rows(), t.Notes
	return out
}

// tableJSON is an object a row; with runs as rows each has its id.
func tableJSON(t *tracker.Table) []object {
	out := make([]object, t.Len())
	for i, cells := range t.Cells {
		row := object{}
		for k, c := range cells {
			row[t.Columns[k].Name] = cellJSON(c)
		}
		if t.Runs != nil {
			row["id"] = t.Runs[i].ID
		}
		if t.Groups != nil {
			ids := []string{}
			for _, r := range t.Groups[i].Runs {
				ids = append(ids, r.ID)
			}
			row["runs"] = ids
		}
		out[i] = row
	}
	return out
}

func cellJSON(c tracker.Cell) any {
	switch c.Type {
	case tracker.CellNone:
		return nil
	case tracker.CellFloat, tracker.CellDuration:
		return jsonNumber(c.Float())
	case tracker.CellInt:
		return json.Number(c.String())
	case tracker.CellBool:
		return c.Num != 0
	case tracker.CellTime:
		return c.Time().UTC()
	case tracker.CellBytes:
		return []byte(c.S)
	}
	return c.Text()
}

// completeQuery offers the names that a statement can contain, for its last word.
func (a *App) completeQuery(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeFilter(cmd, args, word)
}

// completeFilter is completeQuery for any argument or flag.
func (a *App) completeFilter(cmd *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	names, err := a.queryNames(completionContext(cmd))
	if err != nil {
		return nil, directive
	}
	cut := strings.LastIndexAny(word, " (,+-*/") + 1
	var out []cobra.Completion
	for _, name := range names {
		if strings.HasPrefix(name, word[cut:]) {
			out = append(out, word[:cut]+name)
		}
	}
	return out, directive
}

// queryNames are the metrics, params and tags of the database, as the language
// writes them.
func (a *App) queryNames(ctx context.Context) ([]string, error) {
	store, err := tracker.Open(a.db, tracker.WithReadOnly())
	if err != nil {
		return nil, err
	}
	defer store.Close()
	t, err := store.SQL(ctx, `SELECT DISTINCT 'metrics.', key FROM v_latest UNION SELECT DISTINCT 'params.', key FROM v_params
		UNION SELECT DISTINCT 'tags.', key FROM v_tags ORDER BY 1, 2`)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, row := range t.Cells {
		key := row[1].Text()
		if strings.ContainsFunc(key, func(r rune) bool {
			return !(r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
		}) {
			key = "`" + key + "`"
		}
		out = append(out, row[0].Text()+key)
	}
	return out, nil
}
