package live

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

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
	f := follower{store: s, seen: map[value]bool{}, counts: map[string]int64{}}
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
			fmt.Fprintf(w, "%s is %s at step %d\n", info.ID, info.Status, max(0, info.LastStep))
			return nil
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
				fmt.Fprintf(w, "step %-7d %-28s %.6g\n", p.Step, name, p.Value)
			}
		}
		f.counts[name] = m.Count
	}
	return nil
}
