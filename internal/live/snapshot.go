package live

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// row is a run of the list.
type row struct {
	run     tracker.RunInfo
	metrics []tracker.Summary
	steps   int64           // that it will take, 0 if its config does not say
	curve   []tracker.Point // of the metric shown in the list
	key     string          // that metric
	rate    float64         // steps a second since the last look, 0 if unknown
	seen    time.Time
}

// mainMetrics are looked for in this order; otherwise the first metric is shown.
var mainMetrics = []string{"train/loss", "loss", "test/loss", "valid/loss"}

func mainMetric(metrics []tracker.Summary) string {
	for _, want := range mainMetrics {
		if slices.ContainsFunc(metrics, func(m tracker.Summary) bool { return m.Key == want && m.Context == "" }) {
			return want
		}
	}
	for _, m := range metrics {
		if m.Context == "" && !strings.HasPrefix(m.Key, "system/") {
			return m.Key
		}
	}
	return ""
}

// gather reads the runs under way, and then the newest others, limit in all.
// Rows of the last look whose runs have not moved are taken over.
func gather(ctx context.Context, s *tracker.Store, limit int, now time.Time, before []row) ([]row, error) {
	running, err := s.Runs(ctx, tracker.Filter{Statuses: []tracker.Status{tracker.StatusRunning}, Limit: limit})
	if err != nil {
		return nil, err
	}
	infos := running
	if len(infos) < limit {
		newest, err := s.Runs(ctx, tracker.Filter{Order: tracker.OrderUpdated, Limit: limit})
		if err != nil {
			return nil, err
		}
		for _, r := range newest {
			if len(infos) < limit && !slices.ContainsFunc(infos, func(x tracker.RunInfo) bool { return x.RowID == r.RowID }) {
				infos = append(infos, r)
			}
		}
	}
	rows := make([]row, len(infos))
	for i, info := range infos {
		if rows[i], err = look(ctx, s, info, now, before); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// look reads one run, unless it is where it was.
func look(ctx context.Context, s *tracker.Store, info tracker.RunInfo, now time.Time, before []row) (row, error) {
	r := row{run: info, seen: now}
	i := slices.IndexFunc(before, func(b row) bool { return b.run.RowID == info.RowID })
	if i >= 0 {
		was := before[i]
		r.steps, r.rate = was.steps, was.rate
		if was.run.LastStep == info.LastStep && was.run.Status == info.Status {
			r.metrics, r.curve, r.key = was.metrics, was.curve, was.key
			if info.Status == tracker.StatusRunning {
				r.seen = was.seen // the rate counts from its last move
			}
			return r, nil
		}
		if dt := now.Sub(was.seen).Seconds(); dt > 0 {
			r.rate = float64(info.LastStep-was.run.LastStep) / dt
		}
	} else if err := r.readSteps(ctx, s); err != nil {
		return r, err
	}
	var err error
	if r.metrics, err = s.Latest(ctx, info.ID); err != nil {
		return r, err
	}
	if r.key = mainMetric(r.metrics); r.key != "" {
		r.curve, err = s.History(ctx, info.ID, r.key, "")
	}
	return r, err
}

// readSteps finds how many steps the run will take, if its config has a field
// "steps".
func (r *row) readSteps(ctx context.Context, s *tracker.Store) error {
	params, err := s.Params(ctx, r.run.ID)
	for _, p := range params {
		if p.Key == "steps" && p.Type == tracker.ParamInt {
			r.steps = int64(p.Number)
		}
	}
	return err
}

// last is the last value of a metric.
func (r row) last(key string) (float64, bool) {
	for _, m := range r.metrics {
		if m.Key == key && m.Context == "" {
			return m.Last, true
		}
	}
	return 0, false
}

// values of the curve, for a sparkline.
func (r row) values() []float64 {
	out := make([]float64, len(r.curve))
	for i, p := range r.curve {
		out[i] = p.Value
	}
	return out
}
