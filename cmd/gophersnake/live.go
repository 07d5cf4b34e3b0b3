package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/live"
	"github.com/gophersnake/gophersnake/tracker"
)

func (a *App) topCommand() *cobra.Command {
	var every time.Duration
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "top",
		Short: "watch the runs that are under way",
		Long: `Shows the runs under way and the newest others with their curves, and moves with
them: choose a run and press enter for its metrics. Any number of processes may
log to the database meanwhile. Without a terminal the list is written once.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := positive(cmd, "every", every); err != nil {
				return err
			}
			if err := notNegative(cmd, "limit"); err != nil {
				return err
			}
			return a.withStore(func(s *tracker.Store) error {
				if asJSON {
					return a.topJSON(cmd.Context(), s, limit)
				}
				return a.liveView(cmd.Context(), s, live.Options{Every: every, Limit: limit})
			})
		},
	}
	cmd.Flags().DurationVar(&every, "every", time.Second, "time between looks at the database")
	cmd.Flags().IntVar(&limit, "limit", 50, "at most so many runs")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the list once, as a JSON array")
	return cmd
}

// topJSON writes the runs as runs list --json does, with the steps that they will take.
func (a *App) topJSON(ctx context.Context, s *tracker.Store, limit int) error {
	rows, err := live.Rows(ctx, s, limit)
	if err != nil {
		return err
	}
	out := []object{}
	for _, r := range rows {
		o := listed{RunInfo: r.Run, metrics: r.Metrics}.json()
		if r.Steps > 0 {
			o["steps"] = r.Steps
		}
		out = append(out, o)
	}
	return a.printJSON(out)
}

func (a *App) runsWatchCommand() *cobra.Command {
	var every time.Duration
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "watch RUN",
		Short: "follow a run while it goes on",
		Long: `Shows a run's metrics and curves and moves with it. Without a terminal every new
value is a line, and the command ends when the run does.`,
		Args:              takes("RUN"),
		ValidArgsFunction: a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := positive(cmd, "every", every); err != nil {
				return err
			}
			return a.withStore(func(s *tracker.Store) error {
				if asJSON {
					return live.FollowAs(cmd.Context(), a.Out, s, args[0], all, every, jsonLines())
				}
				if width(a.Out) == 0 {
					return live.Follow(cmd.Context(), a.Out, s, args[0], all, every)
				}
				return a.liveView(cmd.Context(), s, live.Options{Every: every, Run: args[0]})
			})
		},
	}
	cmd.Flags().DurationVar(&every, "every", time.Second, "time between looks at the database")
	cmd.Flags().BoolVar(&all, "all", false, "without a terminal: begin with what was logged before")
	cmd.Flags().BoolVar(&asJSON, "json", false, "every value as a JSON object on a line, and the run at its end")
	return cmd
}

// jsonLines are the lines of runs watch --json.
func jsonLines() live.Lines {
	line := func(o object) string {
		text, err := json.Marshal(o)
		if err != nil { // names, numbers and times always marshal
			return err.Error()
		}
		return string(text)
	}
	return live.Lines{
		Value: func(metric string, p tracker.Point) string {
			return line(object{"metric": metric, "step": p.Step, "time": p.Time.UTC(), "value": jsonNumber(p.Value)})
		},
		End: func(r tracker.RunInfo) string {
			return line(object{"id": r.ID, "status": r.Status, "status_detail": r.StatusDetail, "last_step": r.LastStep})
		},
	}
}

func (a *App) liveView(ctx context.Context, s *tracker.Store, o live.Options) error {
	o.In, o.Out = a.In, a.Out
	if width(a.Out) == 0 {
		return live.Print(ctx, a.Out, s, o)
	}
	return live.Watch(ctx, s, o)
}

// positive refuses a duration of 0 or less.
func positive(cmd *cobra.Command, flag string, d time.Duration) error {
	if d > 0 {
		return nil
	}
	return usage(cmd, fmt.Errorf("--%s is %v, want more than 0", flag, d))
}
