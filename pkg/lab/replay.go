package lab

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Mismatch is a logged value that came out differently.
type Mismatch struct {
	Key       string
	Step      int64
	Was, Came float64 // NaN on the side that lacks the value
}

func (m Mismatch) String() string {
	return fmt.Sprintf("%s at step %d was %v, came out as %v", m.Key, m.Step, m.Was, m.Came)
}

// ReplayReport says whether a run came out again.
type ReplayReport struct {
	Compared  int        // values
	Different int        // of them
	First     []Mismatch // of the earliest step with a difference
	Replayed  *Result
}

// Equal reports whether every value came out bit for bit.
func (r *ReplayReport) Equal() bool { return r.Compared > 0 && r.Different == 0 }

// String says the outcome in a line or two.
func (r *ReplayReport) String() string {
	if r.Equal() {
		return fmt.Sprintf("equal: %d of %d logged values came out bit for bit", r.Compared, r.Compared)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "different: %d of %d values", r.Different, r.Compared)
	for _, m := range r.First {
		fmt.Fprintf(&b, "\n  %s", m)
	}
	return b.String()
}

// Replay runs an experiment again and compares every value that a run logs of
// training and evaluation, bit for bit: metrics under "train/", "valid/" and
// "test". What depends on the machine, and what somebody else logged beside, is
// left out. A custom mixer is that of o.NewMixer; the checkpoint that the
// experiment starts from is o.From or, without it, past's.
func Replay(ctx context.Context, e Experiment, past *PastRun, o Options) (*ReplayReport, error) {
	o.Resume = nil
	if o.From == nil {
		o.From = past.From
	}
	res, err := Run(ctx, e, o)
	if err != nil {
		return nil, err
	}
	return compareRuns(past.Curves, res), nil
}

func compareRuns(was map[string]Curve, res *Result) *ReplayReport {
	r := &ReplayReport{Replayed: res}
	var all []Mismatch
	keys := map[string]bool{}
	for k := range was {
		keys[k] = true
	}
	for k := range res.Curves {
		keys[k] = true
	}
	for k := range keys {
		if !replayed(k) {
			continue
		}
		a, b := byStep(was[k]), byStep(res.Curves[k])
		for step, v := range a {
			w, ok := b[step]
			r.Compared++
			if !ok {
				w = math.NaN()
			}
			if !ok || math.Float64bits(v) != math.Float64bits(w) && !(math.IsNaN(v) && math.IsNaN(w)) {
				all = append(all, Mismatch{k, step, v, w})
			}
		}
		for step, w := range b {
			if _, ok := a[step]; !ok {
				r.Compared++
				all = append(all, Mismatch{k, step, math.NaN(), w})
			}
		}
	}
	r.Different = len(all)
	slices.SortFunc(all, func(a, b Mismatch) int {
		if a.Step != b.Step {
			return int(a.Step - b.Step)
		}
		return strings.Compare(a.Key, b.Key)
	})
	for _, m := range all {
		if m.Step == all[0].Step {
			r.First = append(r.First, m)
		}
	}
	return r
}

// replayed reports whether a run logs values under the key that follow from its
// experiment.
func replayed(key string) bool {
	for _, prefix := range []string{"train/", "valid/", "test/", "test@"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

func byStep(c Curve) map[int64]float64 {
	m := make(map[int64]float64, len(c.Steps))
	for i, s := range c.Steps {
		m[s] = c.Values[i]
	}
	return m
}
