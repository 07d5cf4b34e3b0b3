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
	Version string    `json:"version,omitempty"` // of the program
	CPU     string    `json:"cpu,omitempty"`     // instruction set in use, as the program says
	Variant string    `json:"variant,omitempty"`
	Threads int       `json:"threads"`
	Warmed  float64   `json:"warmed,omitempty"` // seconds of the steps before the first round
	Seconds []float64 `json:"seconds"`          // of a step: the median of each round
	Peak    int64     `json:"peak"`             // greatest resident size, bytes
	Base    int64     `json:"base"`             // of it before the model was built
	Found   []float64 `json:"found"`
	Error   string    `json:"error,omitempty"` // why it could not be measured
}

// Row is what was measured of a workload.
type Row struct {
	Name    string    `json:"name"`
	Params  int       `json:"params"`
	Tried   []Side    `json:"tried"`   // one turn of every variant of the peer, two threads, tuned malloc
	Two     []Side    `json:"two"`     // two threads: ours, the peer; PyTorch with the system's malloc, without torch.compile
	One     []Side    `json:"one"`     // one thread: ours and the peer; and ours on two
	Floor   *Floor    `json:"floor"`   // what the machine allows
	Problem string    `json:"problem"` // in what the sides disagree
	Load    float64   `json:"load"`    // of the machine at the start, mean of a minute
	When    time.Time `json:"when"`    //
	Commit  string    `json:"commit"`  //
}

// bench is the measuring of the comparison.
type bench struct {
	peers    map[string]peer // that lie ready, by name
	dir      string
	rounds   int
	turn     float64       // seconds a process runs in a round
	patience time.Duration // left for waiting for quiet in this row
	progress io.Writer
	commit   string
}

// measure races a workload: first every variant of the peer for a turn, then
// the fastest of them against ours. PyTorch and JAX are given a malloc that keeps
// memory, and race with that of the system, too.
func (b *bench) measure(ctx context.Context, w Workload) (Row, error) {
	row := Row{Name: w.Name, Load: load(), When: time.Now().UTC().Truncate(time.Second), Commit: b.commit}
	peer, err := b.ready(ctx, w.kit())
	if err != nil {
		return row, err
	}
	d := &duel{bench: b, peer: peer, w: w, tuned: w.Against != llamaKit.name, row: &row}
	j := w.Job
	j.Threads, j.Weights = 2, filepath.Join(b.dir, "weights.bin")
	defer removeWeights(j.Weights)
	if err := writeWeightsFile(ctx, j); err != nil {
		return row, err
	}
	best, eager, err := d.fastest(ctx, j)
	if err != nil {
		return row, err
	}
	if err := d.raceTwo(ctx, j, best, eager); err != nil {
		return row, err
	}
	j.Variant = best.ready.Variant
	if err := d.raceOne(ctx, j); err != nil {
		return row, err
	}
	row.Floor, err = b.measureFloor(ctx, j, row.Params)
	return row, err
}

// ready returns a peer, installed if need be.
func (b *bench) ready(ctx context.Context, k kit) (peer, error) {
	p, ok := b.peers[k.name]
	if ok {
		return p, nil
	}
	p, err := k.install(ctx, b.dir, "", b.progress)
	if err == nil {
		b.peers[k.name] = p
	}
	return p, err
}

// writeWeightsFile has a process write the starting weights of a job.
func writeWeightsFile(ctx context.Context, j Job) error {
	j.Variant, j.Kind = j.Kind, kindWeights
	if _, err := ask(ctx, j); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return nil
}

func removeWeights(path string) {
	_, _ = os.Remove(path), os.Remove(path+".json")
}

// duel is the race of a workload with a peer.
type duel struct {
	*bench
	peer  peer
	w     Workload
	tuned bool // the malloc
	row   *Row
}

// compiles reports whether a variant goes through torch.compile.
func compiles(variant string) bool { return strings.HasPrefix(variant, "compile") }

// fastest tries every variant of the peer for a turn and returns the process of
// the fastest, and of the fastest without torch.compile if that is another.
func (d *duel) fastest(ctx context.Context, j Job) (best, eager *process, err error) {
	defer func() {
		if err != nil {
			best.close()
			eager.close()
		}
	}()
	bestTime, eagerTime := math.Inf(1), math.Inf(1)
	for _, v := range d.w.Variants {
		j.Variant = v
		p, s := d.try(ctx, j)
		d.row.Tried = append(d.row.Tried, s)
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
func (d *duel) try(ctx context.Context, j Job) (*process, Side) {
	s := Side{Name: d.peer.name, Variant: j.Variant, Threads: j.Threads}
	p, err := startPeer(ctx, d.peer, j, d.tuned)
	for range 2 {
		var t Turn
		if err == nil {
			d.quiet(ctx)
			t, err = p.turn(ctx, d.turn)
		}
		if err != nil {
			s.Error = err.Error()
			fmt.Fprintf(d.progress, "  %s: %v\n", j.Variant, err)
			return nil, s
		}
		s.add(p, t)
	}
	s.Seconds = []float64{slices.Min(s.Seconds)}
	fmt.Fprintf(d.progress, "  %-12s %9.4g ms a step\n", j.Variant, 1e3*s.Seconds[0])
	return p, s
}

// raceTwo races on two threads and closes best and eager, which may be nil.
func (d *duel) raceTwo(ctx context.Context, j Job, best, eager *process) error {
	defer best.close()
	defer eager.close()
	ours, err := startOurs(ctx, j)
	if err != nil {
		return err
	}
	defer ours.close()
	d.row.Params = ours.ready.Params
	d.row.Problem = disagreement(j, ours.ready, best.ready)
	if eager != nil && d.row.Problem == "" {
		d.row.Problem = disagreement(j, ours.ready, eager.ready)
	}
	d.row.Two = []Side{{Name: "gophersnake"}, {Name: d.peer.name}}
	procs := []*process{ours, best}
	if d.tuned {
		j.Variant = best.ready.Variant
		plain, err := startPeer(ctx, d.peer, j, false)
		if err != nil {
			return err
		}
		defer plain.close()
		d.row.Two = append(d.row.Two, Side{Name: d.peer.name + ", malloc of the system"})
		procs = append(procs, plain)
	}
	if eager != nil {
		d.row.Two = append(d.row.Two, Side{Name: d.peer.name + " without torch.compile"})
		procs = append(procs, eager)
	}
	return d.race(ctx, d.row.Two, procs, []int{2, 2, 2, 2})
}

// raceOne races on one thread, and against ours on two.
func (d *duel) raceOne(ctx context.Context, j Job) error {
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
	theirs, err := startPeer(ctx, d.peer, j, d.tuned)
	if err != nil {
		return err
	}
	defer theirs.close()
	d.row.One = []Side{{Name: "gophersnake"}, {Name: d.peer.name}, {Name: "gophersnake"}}
	return d.race(ctx, d.row.One, []*process{one, theirs, two}, []int{1, 1, 2})
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
	s.Version, s.CPU, s.Variant, s.Warmed = p.ready.Version, p.ready.CPU, p.ready.Variant, p.ready.Warmed
	s.Found, s.Base, s.Peak = p.ready.Found, p.ready.Base, t.Peak
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
// apart: both sides compute in float32, in different orders. Formats of fewer
// bits round to values that far apart, and each side rounds in its own way.
const (
	tolerance       = 1e-3
	narrowTolerance = 2e-2
)

// tolerance is that of the job's format.
func (j Job) tolerance() float64 {
	if j.Format != "" && j.Format != "float32" {
		return narrowTolerance
	}
	return tolerance
}

// disagreement says in what the sides differ that must not differ, or "".
func disagreement(j Job, ours, theirs Ready) string {
	if ours.Params != theirs.Params {
		return fmt.Sprintf("%d parameters against %d", ours.Params, theirs.Params)
	}
	if len(ours.Found) != len(theirs.Found) || len(ours.Found) == 0 {
		return fmt.Sprintf("%d results against %d", len(ours.Found), len(theirs.Found))
	}
	for i, v := range ours.Found {
		if w := theirs.Found[i]; !(math.Abs(v-w) <= j.tolerance()*max(math.Abs(v), math.Abs(w))) {
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
