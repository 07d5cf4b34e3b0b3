package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/tracker"
)

// completeRun offers the ids and names of the newest runs as first argument.
func (a *App) completeRun(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeRuns(cmd, args, word)
}

// completeRuns offers the ids and names of the newest runs as any argument.
func (a *App) completeRuns(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeThose(cmd, tracker.Filter{Limit: 500})
}

// completeDeleted offers the ids of deleted runs: nothing else finds them.
func (a *App) completeDeleted(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeThose(cmd, tracker.Filter{Limit: 500, Deleted: true})
}

func (a *App) completeThose(cmd *cobra.Command, f tracker.Filter) ([]cobra.Completion, cobra.ShellCompDirective) {
	store, err := tracker.Open(a.db, tracker.WithReadOnly())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer store.Close()
	runs, err := store.Runs(completionContext(cmd), f)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	count := map[string]int{}
	for _, r := range runs {
		count[r.Name]++
	}
	var out []cobra.Completion
	for _, r := range runs {
		about := fmt.Sprintf("%s/%s, %s", r.Experiment, r.Name, r.Status)
		out = append(out, cobra.CompletionWithDesc(r.ID, about))
		if count[r.Name] == 1 && r.Name != r.ID && !f.Deleted {
			out = append(out, cobra.CompletionWithDesc(r.Name, about))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeExperiment offers the names of experiments.
func (a *App) completeExperiment(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	store, err := tracker.Open(a.db, tracker.WithReadOnly())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer store.Close()
	experiments, err := store.Experiments(completionContext(cmd))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, e := range experiments {
		out = append(out, cobra.CompletionWithDesc(e.Name, counted(e.Runs, "run")))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completionContext is the command's context, which completion may lack.
func completionContext(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}

// completeFrom offers fixed values for a flag.
func completeFrom(cmd *cobra.Command, flag string, names []string) {
	cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
}

// completeGroup offers the names of groups.
func (a *App) completeGroup(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeSQL(cmd, "SELECT DISTINCT run_group FROM v_runs WHERE run_group IS NOT NULL AND NOT deleted ORDER BY 1")
}

// completeTag offers tags as KEY=VALUE.
func (a *App) completeTag(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeSQL(cmd, "SELECT DISTINCT key || '=' || value FROM v_tags ORDER BY 1 LIMIT 500")
}

// completeTagKey offers the keys of tags.
func (a *App) completeTagKey(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeSQL(cmd, "SELECT DISTINCT key FROM v_tags ORDER BY 1")
}

// completeSQL offers the first column of a statement's answer.
func (a *App) completeSQL(cmd *cobra.Command, statement string) ([]cobra.Completion, cobra.ShellCompDirective) {
	store, err := tracker.Open(a.db, tracker.WithReadOnly())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer store.Close()
	t, err := store.SQL(completionContext(cmd), statement)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, row := range t.Cells {
		out = append(out, row[0].Text())
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
