package live

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// Row is a run of the list, as it is now.
type Row struct {
	Run     tracker.RunInfo
	Metrics []tracker.Summary
	Steps   int64 // that it will take, 0 if its config does not say
}

// Rows reads the list once: the runs under way, then the newest others.
func Rows(ctx context.Context, s *tracker.Store, limit int) ([]Row, error) {
	rows, err := gather(ctx, s, Options{Limit: limit}.limit(), time.Now(), nil)
	out := make([]Row, len(rows))
	for i, r := range rows {
		out[i] = Row{r.run, r.metrics, r.steps}
	}
	return out, err
}

// Print writes the list once, without colours.
func Print(ctx context.Context, w io.Writer, s *tracker.Store, o Options) error {
	rows, err := gather(ctx, s, o.limit(), time.Now(), nil)
	if err != nil {
		return err
	}
	const width = 140
	fmt.Fprintln(w, header(width))
	for _, r := range rows {
		fmt.Fprintln(w, r.line(width, false))
	}
	return nil
}

// Follow writes every value that a run logs from now on as a line, until the run
// has ended or ctx ends. What it has logged so far comes first if all is true.
func Follow(ctx context.Context, w io.Writer, s *tracker.Store, ref string, all bool, every time.Duration) error {
	return FollowAs(ctx, w, s, ref, all, every, plainLines())
}

func plainLines() Lines {
	return Lines{
		Value: func(metric string, p tracker.Point) string {
			return fmt.Sprintf("step %-7d %-28s %.6g", p.Step, metric, p.Value)
		},
		End: func(r tracker.RunInfo) string {
			return fmt.Sprintf("%s is %s at step %d", r.ID, r.Status, max(0, r.LastStep))
		},
	}
}

// Lines says how Follow writes a value of a metric, and the end of the run; the
// name of a metric has its context behind an @.
type Lines struct {
	Value func(metric string, p tracker.Point) string
	End   func(tracker.RunInfo) string
}

// FollowAs is Follow with lines of another form.
func FollowAs(ctx context.Context, w io.Writer, s *tracker.Store, ref string, all bool, every time.Duration, lines Lines) error {
	f := follower{store: s, lines: lines, seen: map[value]bool{}, counts: map[string]int64{}}
	for out := io.Discard; ; out = w {
		if all {
			out = w
		}
		info, err := s.Run(ctx, ref)
		if err != nil {
			return err
		}
		if err := f.write(ctx, out, info.ID); err != nil {
			return err
		}
		if info.Status != tracker.StatusRunning {
			_, err := fmt.Fprintln(w, lines.End(info))
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(every):
		}
	}
}

// follower knows what has been written. Values may come in any order of steps,
// so that a position in the history would not do.
type follower struct {
	store  *tracker.Store
	lines  Lines
	seen   map[value]bool
	counts map[string]int64 // by metric
}

// value tells one logged value from all others, but for equal ones of one step
// and millisecond.
type value struct {
	metric string
	step   int64
	ms     int64
	bits   uint64
}

// write writes the values that are new since the last call, metric by metric.
func (f *follower) write(ctx context.Context, w io.Writer, id string) error {
	metrics, err := f.store.Latest(ctx, id)
	if err != nil {
		return err
	}
	for _, m := range metrics {
		name := shown(m)
		if m.Count == f.counts[name] {
			continue
		}
		points, err := f.store.History(ctx, id, m.Key, m.Context)
		if err != nil {
			return err
		}
		for _, p := range points {
			v := value{name, p.Step, p.Time.UnixMilli(), math.Float64bits(p.Value)}
			if !f.seen[v] {
				f.seen[v] = true
				fmt.Fprintln(w, f.lines.Value(name, p))
			}
		}
		f.counts[name] = m.Count
	}
	return nil
}
