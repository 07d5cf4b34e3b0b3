package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Side is what was measured of one process.
type Side struct {
	Name    string    `json:"name"`
	Variant string    `json:"variant,omitempty"`
	Threads int       `json:"threads"`
	Seconds []float64 `json:"seconds"` // of a step: the median of each round
	Peak    int64     `json:"peak"`    // greatest resident size, bytes
	Base    int64     `json:"base"`    // of it before the model was built
	Found   []float64 `json:"found"`
	Error   string    `json:"error,omitempty"` // why it could not be measured
}

// Row is what was measured of a workload.
type Row struct {
	Name    string    `json:"name"`
	Params  int       `json:"params"`
	Tried   []Side    `json:"tried"`   // one turn of every variant of the peer, two threads, tuned malloc
	Two     []Side    `json:"two"`     // two threads: ours, the peer, the peer with the malloc of the system, and without torch.compile
	One     []Side    `json:"one"`     // one thread: ours and the peer; and ours on two
	Problem string    `json:"problem"` // in what the sides disagree
	Load    float64   `json:"load"`    // of the machine at the start, mean of a minute
	When    time.Time `json:"when"`    //
	Commit  string    `json:"commit"`  //
}

// bench is the measuring of the comparison.
type bench struct {
	peer     peer
	dir      string
	rounds   int
	turn     float64       // seconds a process runs in a round
	patience time.Duration // left for waiting for quiet in this row
	progress io.Writer
	commit   string
}

// measure races a workload: first every variant of the peer for a turn, then
// the fastest of them against ours.
func (b *bench) measure(ctx context.Context, w Workload) (Row, error) {
	row := Row{Name: w.Name, Load: load(), When: time.Now().UTC().Truncate(time.Second), Commit: b.commit}
	j := w.Job
	j.Threads, j.Weights = 2, filepath.Join(b.dir, "weights.bin")
	weights := j
	weights.Kind, weights.Variant = kindWeights, j.Kind
	defer os.Remove(j.Weights)
	if err := run(ctx, weights); err != nil {
		return row, fmt.Errorf("weights: %w", err)
	}
	best, eager, err := b.fastest(ctx, w, j, &row)
	if err != nil {
		return row, err
	}
	if err := b.raceTwo(ctx, j, best, eager, &row); err != nil {
		return row, err
	}
	j.Variant = best.ready.Variant
	return row, b.raceOne(ctx, j, &row)
}

// compiles reports whether a variant goes through torch.compile.
func compiles(variant string) bool { return strings.HasPrefix(variant, "compile") }

// fastest tries every variant of the peer for a turn and returns the process of
// the fastest, and of the fastest without torch.compile if that is another.
func (b *bench) fastest(ctx context.Context, w Workload, j Job, row *Row) (best, eager *process, err error) {
	defer func() {
		if err != nil {
			best.close()
			eager.close()
		}
	}()
	bestTime, eagerTime := math.Inf(1), math.Inf(1)
	for _, v := range w.Variants {
		j.Variant = v
		p, s := b.try(ctx, j)
		row.Tried = append(row.Tried, s)
		if ctx.Err() != nil {
			p.close()
			return best, eager, context.Cause(ctx)
		}
		if p == nil {
			continue
		}
		if t := s.Seconds[0]; compiles(v) && t < bestTime {
			best, p, bestTime = p, best, t
		} else if !compiles(v) && t < eagerTime {
			eager, p, eagerTime = p, eager, t
		}
		p.close()
	}
	if best == nil && eager == nil {
		return nil, nil, fmt.Errorf("no variant of the peer works")
	}
	if eagerTime <= bestTime {
		best.close()
		best, eager = eager, nil
	}
	return best, eager, nil
}

// try gives a variant of the peer two turns, of which the faster counts; the
// process is nil if it fails.
func (b *bench) try(ctx context.Context, j Job) (*process, Side) {
	s := Side{Name: "PyTorch", Variant: j.Variant, Threads: j.Threads}
	p, err := startPeer(ctx, b.peer, j, true)
	for range 2 {
		var t Turn
		if err == nil {
			b.quiet(ctx)
			t, err = p.turn(ctx, b.turn)
		}
		if err != nil {
			s.Error = err.Error()
			fmt.Fprintf(b.progress, "  %s: %v\n", j.Variant, err)
			return nil, s
		}
		s.add(p, t)
	}
	s.Seconds = []float64{slices.Min(s.Seconds)}
	fmt.Fprintf(b.progress, "  %-12s %9.4g ms a step\n", j.Variant, 1e3*s.Seconds[0])
	return p, s
}

// raceTwo races on two threads and closes best and eager, which may be nil.
func (b *bench) raceTwo(ctx context.Context, j Job, best, eager *process, row *Row) error {
	defer best.close()
	defer eager.close()
	ours, err := startOurs(ctx, j)
	if err != nil {
		return err
	}
	defer ours.close()
	j.Variant = best.ready.Variant
	plain, err := startPeer(ctx, b.peer, j, false)
	if err != nil {
		return err
	}
	defer plain.close()
	row.Params = ours.ready.Params
	row.Problem = disagreement(j, ours.ready, best.ready)
	row.Two = []Side{{Name: "gophersnake"}, {Name: "PyTorch"}, {Name: "PyTorch, malloc of the system"}}
	procs := []*process{ours, best, plain}
	if eager != nil {
		row.Two = append(row.Two, Side{Name: "PyTorch without torch.compile"})
		procs = append(procs, eager)
	}
	return b.race(ctx, row.Two, procs, []int{2, 2, 2, 2})
}

// raceOne races on one thread, and against ours on two.
func (b *bench) raceOne(ctx context.Context, j Job, row *Row) error {
	two, err := startOurs(ctx, j)
	if err != nil {
		return err
	}
	defer two.close()
	j.Threads = 1
	one, err := startOurs(ctx, j)
	if err != nil {
		return err
	}
	defer one.close()
	theirs, err := startPeer(ctx, b.peer, j, true)
	if err != nil {
		return err
	}
	defer theirs.close()
	row.One = []Side{{Name: "gophersnake"}, {Name: "PyTorch"}, {Name: "gophersnake"}}
	return b.race(ctx, row.One, []*process{one, theirs, two}, []int{1, 1, 2})
}

// race gives every process a turn, round after round.
func (b *bench) race(ctx context.Context, sides []Side, procs []*process, threads []int) error {
	for round := range b.rounds {
		for i, p := range procs {
			b.quiet(ctx)
			t, err := p.turn(ctx, b.turn)
			if err != nil {
				return err
			}
			sides[i].Threads = threads[i]
			sides[i].add(p, t)
		}
		fmt.Fprintf(b.progress, "  round %d of %d:", round+1, b.rounds)
		for i := range sides {
			fmt.Fprintf(b.progress, "  %.4g ms", 1e3*sides[i].Seconds[round])
		}
		fmt.Fprintln(b.progress)
	}
	return nil
}

// add adds a round.
func (s *Side) add(p *process, t Turn) {
	s.Variant, s.Found, s.Base, s.Peak = p.ready.Variant, p.ready.Found, p.ready.Base, t.Peak
	s.Seconds = append(s.Seconds, median(t.Seconds))
}

// best is the fastest round, in seconds a step: what other programs on the
// machine disturbed least.
func (s Side) best() float64 {
	if len(s.Seconds) == 0 {
		return math.NaN()
	}
	return slices.Min(s.Seconds)
}

// median returns the middle of xs, the upper of two.
func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	if len(s) == 0 {
		return math.NaN()
	}
	return s[len(s)/2]
}

// tolerance is how far losses after a few steps and norms of gradients may lie
// apart: both sides compute in float32, in different orders.
const tolerance = 1e-3

// disagreement says in what the sides differ that must not differ, or "".
func disagreement(j Job, ours, theirs Ready) string {
	if ours.Params != theirs.Params {
		return fmt.Sprintf("%d parameters against %d", ours.Params, theirs.Params)
	}
	if len(ours.Found) != len(theirs.Found) || len(ours.Found) == 0 {
		return fmt.Sprintf("%d results against %d", len(ours.Found), len(theirs.Found))
	}
	for i, v := range ours.Found {
		if w := theirs.Found[i]; !(math.Abs(v-w) <= tolerance*max(math.Abs(v), math.Abs(w))) {
			return fmt.Sprintf("result %d is %g against %g", i, v, w)
		}
	}
	if j.Kind != kindTrain {
		return ""
	}
	first, last := ours.Found[0], ours.Found[len(ours.Found)-1]
	if chance := math.Log(float64(j.Vocab)); math.Abs(first-chance) > 0.5 {
		return fmt.Sprintf("the first loss is %.3f, want about ln V = %.3f", first, chance)
	}
	if last >= first {
		return fmt.Sprintf("the loss does not fall: %.4f to %.4f", first, last)
	}
	return ""
}
