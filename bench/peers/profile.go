package main

import "context"

// Profile is where the time of a step goes.
type Profile struct {
	Name  string   `json:"name"`
	Step  float64  `json:"step"`  // seconds of a step with timing, mean
	Plain float64  `json:"plain"` // without
	Ops   []OpTime `json:"ops"`
}

// profileJob is the step that is looked into.
func profileJob(quick bool) Job {
	j := training("mamba", 128, 8, 1024, nil, 0).Job
	if quick {
		j.Length = 64
	}
	j.Threads = 2
	return j
}

// measureProfile times every operation of a step, and the step without that.
func (b *bench) measureProfile(ctx context.Context, j Job) (*Profile, error) {
	plain, err := startOurs(ctx, j)
	if err != nil {
		return nil, err
	}
	defer plain.close()
	j.Profile = true
	p, err := startOurs(ctx, j)
	if err != nil {
		return nil, err
	}
	defer p.close()
	without, err := plain.turn(ctx, 5*b.turn)
	if err != nil {
		return nil, err
	}
	with, err := p.turn(ctx, 5*b.turn)
	if err != nil {
		return nil, err
	}
	return &Profile{Name: training(j.Model, j.D, j.Batch, j.Length, nil, 0).Name, Step: mean(with.Seconds), Plain: mean(without.Seconds), Ops: with.Ops}, nil
}

func mean(xs []float64) float64 {
	var sum float64
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}
