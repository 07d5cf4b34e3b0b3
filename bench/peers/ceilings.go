package main

import (
	"context"

	"github.com/gophersnake/gophersnake/internal/kernel/ceiling"
)

// Ceiling is a figure of what the machine can do.
type Ceiling struct {
	Name    string  `json:"name"` // "multiply-add", "reading", "reading and writing"
	Level   string  `json:"level"`
	Workers int     `json:"workers"`
	Value   float64 `json:"value"` // operations or bytes a second
}

const multiplyAdd = "multiply-add"

// askCeilings measures in a process of its own.
func askCeilings(ctx context.Context) ([]Ceiling, error) {
	r, err := ask(ctx, Job{Kind: kindCeilings, Threads: 2})
	return r.Ceilings, err
}

// measureCeilings measures every level on one and two workers.
func measureCeilings() (out []Ceiling) {
	m := ceiling.New()
	for _, workers := range []int{1, 2} {
		out = append(out, Ceiling{multiplyAdd, "", workers, m.FLOPs(workers)})
		for _, l := range m.Levels() {
			set := float64(l.Size)
			if !l.Shared {
				set *= float64(workers)
			}
			out = append(out, Ceiling{"reading", l.Name, workers, m.Bytes(workers, ceiling.Read, set)},
				Ceiling{"reading and writing", l.Name, workers, m.Bytes(workers, ceiling.Mixed, set)})
		}
	}
	return out
}

// Floor is what the machine allows for a step, and where our step exceeds it.
type Floor struct {
	Step       float64            `json:"step"`       // seconds of our step, its operations timed
	Arithmetic float64            `json:"arithmetic"` // seconds of what is counted of the arithmetic
	Moved      float64            `json:"moved"`      // seconds with every operation's operands moved once
	Over       map[string]float64 `json:"over"`       // seconds by class of operation above Moved
	Between    float64            `json:"between"`    // seconds of the step outside the operations
	Level      string             `json:"level"`      // generation: what the weights fit in
}

// measureFloor times a training step's operations, each with its floor, or
// computes a token's from the weights that have to be read.
func (b *bench) measureFloor(ctx context.Context, j Job, params int) (*Floor, error) {
	if j.Kind == kindGenerate {
		return generationFloor(j, params), nil
	}
	j.Profile = true
	p, err := startOurs(ctx, j)
	if err != nil {
		return nil, err
	}
	defer p.close()
	b.quiet(ctx)
	t, err := p.turn(ctx, b.turn)
	if err != nil {
		return nil, err
	}
	return floorOf(t), nil
}

// floorOf adds up a step.
func floorOf(t Turn) *Floor {
	f := &Floor{Step: mean(t.Seconds), Over: map[string]float64{}}
	f.Between = f.Step
	for _, o := range t.Ops {
		f.Arithmetic += o.Arithmetic
		f.Moved += o.Floor
		f.Over[o.Class] += o.Seconds - o.Floor
		f.Between -= o.Seconds
	}
	return f
}

// generationFloor is reading every weight matrix once, from the cache that holds
// it: on one worker or on two, whichever is faster.
func generationFloor(j Job, params int) *Floor {
	bytes := weightBytes(j, params)
	m := ceiling.New()
	f := &Floor{Moved: bytes / m.Bytes(1, ceiling.Read, bytes), Level: m.Level(1, bytes)}
	if two := bytes / m.Bytes(2, ceiling.Read, bytes); two < f.Moved {
		f.Moved, f.Level = two, m.Level(2, bytes)
	}
	f.Arithmetic = f.Moved
	return f
}

// weightBytes returns the bytes of the weights that a token needs: of an embedding
// that is not also the head that is one row, which does not count.
func weightBytes(j Job, params int) float64 {
	if !j.Tied {
		params -= j.Vocab * j.D
	}
	return float64(params) * bytesOf(j.Format)
}

// bytesOf returns the bytes of a weight.
func bytesOf(format string) float64 {
	switch format {
	case "bf16":
		return 2
	case "int8":
		return 1
	}
	return 4
}
