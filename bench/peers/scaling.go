package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/pkg/lab/stats"
)

// Curve is one block's time and memory by length.
type Curve struct {
	Rung    string    `json:"rung"`
	Peer    string    `json:"peer"`    // whose, "" for ours
	Variant string    `json:"variant"` // the peer's way
	Threads int       `json:"threads"`
	Problem string    `json:"problem"` // in what the peer's gradients differ from ours, or ""
	Lengths []int     `json:"lengths"`
	Seconds []float64 `json:"seconds"` // of forward and backward of one sequence, the fastest of a point's
	Peak    []int64   `json:"peak"`    // greatest resident size of the point's process, bytes
	Skipped string    `json:"skipped"` // why the longer lengths are missing, or ""
}

// scaling says what the curves are measured at.
type scaling struct {
	D        int     // width
	Lengths  []int   //
	Longest  float64 // seconds a pass may take: a length that would take more is skipped
	Greatest int64   // bytes a process may take, likewise
}

// every is by what factor a peer's lengths grow: its processes are slow to start.
const every = 4

func defaultScaling(quick bool) scaling {
	s := scaling{D: 32, Longest: 10, Greatest: 8 << 30}
	longest := 65536
	if quick {
		longest = 2048
	}
	for l := 256; l <= longest; l *= 2 {
		s.Lengths = append(s.Lengths, l)
	}
	return s
}

// curves lists the blocks, ours on two cores and on one, and PyTorch's in its
// ways.
func curves() (out []Curve) {
	rungs := []string{"conv", "attention", "rnn", "lru", "selective", "mamba"}
	for _, threads := range []int{2, 1} {
		for _, rung := range rungs {
			out = append(out, Curve{Rung: rung, Threads: threads})
		}
	}
	ways := map[string][]string{"lru": {"pscan"}, "selective": {"pscan", "compiled"}, "mamba": {"pscan", "compiled"}}
	for _, rung := range rungs {
		variants := ways[rung]
		if variants == nil {
			variants = []string{"eager"}
		}
		for _, v := range variants {
			out = append(out, Curve{Rung: rung, Peer: torchKit.name, Variant: v, Threads: 2})
		}
	}
	return out
}

// name tells the curve from all others.
func (k Curve) name() string {
	switch {
	case k.Peer == "" && k.Threads == 1:
		return k.Rung + ", one thread"
	case k.Peer == "":
		return k.Rung
	}
	return fmt.Sprintf("%s, %s %s", k.Rung, k.Peer, k.Variant)
}

// statesLadder is the state sizes whose cost is compared.
var statesLadder = []int{1, 2, 4, 8, 16, 32, 64}

// measureStates races the selective scan with different N against each other.
func (b *bench) measureStates(ctx context.Context) ([]Side, error) {
	var procs []*process
	defer func() {
		for _, p := range procs {
			p.close()
		}
	}()
	var sides []Side
	var threads []int
	for _, n := range statesLadder {
		p, err := startOurs(ctx, Job{Kind: kindScan, Batch: 8, Length: 1024, D: 256, State: n, Threads: 2, Warm: 2})
		if err != nil {
			return nil, err
		}
		procs, threads = append(procs, p), append(threads, 2)
		sides = append(sides, Side{Name: fmt.Sprint(n)})
	}
	return sides, b.race(ctx, sides, procs, threads)
}

// measureCurve measures a block at every length, each point in a process of its
// own.
func (b *bench) measureCurve(ctx context.Context, k *Curve, s scaling) error {
	for i, l := range s.Lengths {
		if k.Peer != "" && i > 0 && l != every*k.Lengths[len(k.Lengths)-1] {
			continue
		}
		if k.Skipped = s.refuse(k, l); k.Skipped != "" {
			return nil
		}
		if err := b.point(ctx, k, l, s.D); err != nil {
			return err
		}
	}
	return nil
}

// refuse says why a length is not measured, going on from the last two points,
// or "".
func (s scaling) refuse(k *Curve, l int) string {
	n := len(k.Lengths)
	if n < 2 {
		return ""
	}
	grow := float64(l) / float64(k.Lengths[n-1])
	before := float64(k.Lengths[n-1]) / float64(k.Lengths[n-2])
	exponent := math.Log(k.Seconds[n-1]/k.Seconds[n-2]) / math.Log(before)
	if t := k.Seconds[n-1] * math.Pow(grow, exponent); t > s.Longest {
		return fmt.Sprintf("L=%d would take about %.0f s a pass, more than %.0f", l, t, s.Longest)
	}
	if m := float64(k.Peak[n-1]) * grow; m > float64(s.Greatest) {
		return fmt.Sprintf("L=%d would take about %.1f GB, more than %.1f", l, m/1e9, float64(s.Greatest)/1e9)
	}
	return ""
}

// point measures one block at one length. At the shortest, a peer's gradients are
// compared with ours.
func (b *bench) point(ctx context.Context, k *Curve, l, d int) error {
	j := Job{Kind: kindBlock, Model: k.Rung, Variant: k.Variant, Batch: 1, Length: l, D: d, Heads: blockHeads,
		Threads: k.Threads, Warm: 1}
	p, err := b.startBlock(ctx, k, j)
	if err != nil {
		return err
	}
	defer p.close()
	b.quiet(ctx)
	t, err := p.turn(ctx, b.turn)
	if err != nil {
		return err
	}
	fastest := slices.Min(t.Seconds)
	k.Lengths, k.Seconds, k.Peak = append(k.Lengths, l), append(k.Seconds, fastest), append(k.Peak, t.Peak)
	fmt.Fprintf(b.progress, "  %-28s L=%-6d %9.4g ms %7.1f MB\n", k.name(), l, 1e3*fastest, float64(t.Peak)/1e6)
	return nil
}

// blockHeads is how many heads the ladder's attention over 32 channels has.
const blockHeads = 4

// startBlock starts a process on a block, for a peer with our weights.
func (b *bench) startBlock(ctx context.Context, k *Curve, j Job) (*process, error) {
	if k.Peer == "" {
		return startOurs(ctx, j)
	}
	peer, err := b.ready(ctx, torchKit)
	if err != nil {
		return nil, err
	}
	j.Weights, j.Warm = filepath.Join(b.dir, "weights.bin"), 2
	defer removeWeights(j.Weights)
	if err := writeWeightsFile(ctx, j); err != nil {
		return nil, err
	}
	p, err := startPeer(ctx, peer, j, true)
	if err != nil || len(k.Lengths) > 0 {
		return p, err
	}
	ours, err := startOurs(ctx, j)
	if err != nil {
		p.close()
		return nil, err
	}
	defer ours.close()
	k.Problem = disagreement(j, ours.ready, p.ready)
	return p, nil
}

// fitFrom is the first length that is fitted: from there on a pass is more than
// the cost of starting its operations.
const fitFrom = 1024

// fit is the exponent of growth of ys from fitFrom on; an error if there are
// too few points.
func (k Curve) fit(ys []float64) (stats.PowerLaw, error) {
	var x, y []float64
	for i, l := range k.Lengths {
		if l >= fitFrom {
			x, y = append(x, float64(l)), append(y, ys[i])
		}
	}
	if len(x) < 3 {
		return stats.PowerLaw{}, errors.New("too few points")
	}
	return stats.LogLogSlope(x, y, 0.95)
}

// growth returns by how many bytes the peaks exceed the one at the shortest
// length, whose own place holds NaN: what the process takes at any length is
// not the length's.
func (k Curve) growth() []float64 {
	out := make([]float64, len(k.Peak))
	for i, p := range k.Peak {
		out[i] = float64(p - k.Peak[0])
	}
	if len(out) > 0 {
		out[0] = math.NaN()
	}
	return out
}

// plot draws ys of every curve against the length.
func plot(curves []Curve, title, unit string, ys func(Curve) []float64) (*figure.Figure, error) {
	var series []figure.Series
	for _, k := range curves {
		s := figure.Series{Name: k.name(), Y: ys(k)}
		for _, l := range k.Lengths {
			s.X = append(s.X, float64(l))
		}
		if len(s.X) > 1 {
			series = append(series, s)
		}
	}
	return figure.Scaling(figure.Config{Title: title, XLabel: "sequence length L", YLabel: unit, Width: 9, Height: 6,
		Note: fmt.Sprintf("forward and backward of one block, width 32, batch 1; lines: power law from L=%d on", fitFrom)}, series, fitFrom)
}
