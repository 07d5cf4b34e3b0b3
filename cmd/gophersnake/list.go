package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/near"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// lists is what the command list can list.
func lists() []string { return []string{"tasks", "rungs", "mixers", "fields"} }

func (a *App) listCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list tasks | rungs | mixers | fields",
		Short: "list tasks, rungs, mixers and fields of an experiment",
		Long: `Lists what an experiment can be made of: the tasks of --task, the rungs of --rung,
the mixers of --mixer, or the fields of --set with what they are by default.

A task's own fields and a mixer's are in its defaults:

  gophersnake run --task mqar --mixer s4d --print`,
		Example: `  gophersnake list rungs
  gophersnake list fields`,
		Args:      takes("one of " + strings.Join(lists(), ", ")),
		ValidArgs: lists(),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "tasks":
				a.print(listing("Tasks", taskRows(task.Names()), "task", "what a model must do"))
			case "rungs":
				a.print(listing("Rungs of the ladder", rungRows(true), "rung", "name", "the one change", "what follows from it"))
			case "mixers":
				a.print(listing("Mixers", mixerRows(), "mixer", "what it is"))
			case "fields":
				e := lab.DefaultExperiment(task.SelectiveCopying)
				a.print(listing(fmt.Sprintf("Fields of an experiment, with the defaults of %s", e.Task.Name), fieldRows(e), "field", "default"))
			default:
				return unknownList(cmd, args[0])
			}
			return nil
		},
	}
}

func unknownList(cmd *cobra.Command, name string) error {
	err := fmt.Errorf("there is no list of %q, want one of %s", name, strings.Join(lists(), ", "))
	if meant := near.Name(name, lists()); meant != "" {
		err = fmt.Errorf("there is no list of %q; did you mean %q?", name, meant)
	}
	return usage(cmd, err)
}

// listing is rows as a table.
func listing(title string, rows [][]string, columns ...string) *table.Table {
	t := table.New(title, columns...)
	for _, r := range rows {
		t.Add(r...)
	}
	return t
}

func taskRows(names []task.Name) [][]string {
	var rows [][]string
	for _, n := range names {
		rows = append(rows, []string{string(n), n.About()})
	}
	return rows
}

func rungRows(follows bool) [][]string {
	var rows [][]string
	for _, r := range lab.Rungs() {
		row := []string{r.Number, r.Name, r.Change}
		if follows {
			row = append(row, r.Follows)
		}
		rows = append(rows, row)
	}
	return rows
}

func mixerRows() [][]string {
	var rows [][]string
	for _, k := range lab.Mixers() {
		rows = append(rows, []string{string(k), k.About()})
	}
	return rows
}

// fieldRows returns the paths of --set and what e has there, "–" for nothing.
func fieldRows(e lab.Experiment) [][]string {
	var rows [][]string
	for _, path := range lab.FieldPaths() {
		value, at := "–", json.RawMessage(e.JSON())
		for _, key := range strings.Split(path, ".") {
			var object map[string]json.RawMessage
			if json.Unmarshal(at, &object) != nil {
				break
			}
			at = object[key]
		}
		if at != nil {
			value = strings.Trim(string(at), `"[]`) // as --set takes it
		}
		rows = append(rows, []string{path, value})
	}
	return rows
}

// choicesHelp is the part of run's help that lists what to choose from.
func choicesHelp() string {
	return columned("Tasks (--task):", taskRows(task.Names())) + rungsHelp() + columned("Mixers (--mixer):", mixerRows())
}

// ladderHelp is the same for the ladder, which has its own tasks.
func ladderHelp() string {
	return columned("Tasks (--task):", taskRows(lab.PresetTasks())) + rungsHelp()
}

func rungsHelp() string {
	return columned("Rungs (--rung), each with what it changes:", rungRows(false))
}

// columned writes rows below a heading, their columns in line.
func columned(heading string, rows [][]string) string {
	widths := make([]int, 8)
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	b.WriteString("\n\n" + heading)
	for _, r := range rows {
		b.WriteString("\n")
		for i, cell := range r[:len(r)-1] {
			fmt.Fprintf(&b, "  %-*s", widths[i], cell)
		}
		b.WriteString("  " + r[len(r)-1])
	}
	return b.String()
}
