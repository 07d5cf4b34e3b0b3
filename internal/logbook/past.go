package logbook

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/tracker"
)

// Past loads a run for replay, resumption or generation: what it logged, its
// newest checkpoint (nil if it left none), and its experiment. A checkpoint
// that is damaged is an error that is tracker.ErrCorrupt; the rest is returned
// all the same.
func Past(ctx context.Context, store *tracker.Store, ref string) (*lab.PastRun, lab.Experiment, error) {
	info, err := store.Run(ctx, ref)
	if err != nil {
		return nil, lab.Experiment{}, err
	}
	e, err := Experiment(ctx, store, info.ID)
	if err != nil {
		return nil, lab.Experiment{}, err
	}
	p, err := past(ctx, store, info)
	return p, e, err
}

// Experiment reads the experiment that a run carried out.
func Experiment(ctx context.Context, store *tracker.Store, ref string) (lab.Experiment, error) {
	config, err := store.ConfigJSON(ctx, ref)
	if err != nil {
		return lab.Experiment{}, err
	}
	e, err := lab.ParseExperiment(config)
	if err != nil {
		return lab.Experiment{}, fmt.Errorf("the config of run %s is no experiment of this version of the lab: %w", ref, err)
	}
	return e, nil
}

// past reads what a run logged and its newest checkpoint. If that is damaged,
// what was logged is returned beside the error.
func past(ctx context.Context, store *tracker.Store, info tracker.RunInfo) (*lab.PastRun, error) {
	p := &lab.PastRun{ID: info.ID, Status: lab.Status(info.Status), Final: map[string]float64{}, Curves: map[string]lab.Curve{}}
	metrics, err := store.Latest(ctx, info.ID)
	if err != nil {
		return nil, err
	}
	for _, m := range metrics {
		if m.Context != "" {
			continue // not logged by the lab
		}
		points, err := store.History(ctx, info.ID, m.Key, "")
		if err != nil {
			return nil, err
		}
		c := lab.Curve{Steps: make([]int64, len(points)), Values: make([]float64, len(points))}
		for i, pt := range points {
			c.Steps[i], c.Values[i] = pt.Step, pt.Value
		}
		p.Final[m.Key], p.Curves[m.Key] = m.Last, c
	}
	p.Checkpoint, err = store.ReadArtifact(ctx, info.ID, lab.CheckpointArtifact)
	if err != nil {
		p.Checkpoint = nil // not half of one
	}
	if errors.Is(err, tracker.ErrNotFound) {
		err = nil
	}
	return p, err
}

// Collection returns the name under which the runs of a study are collected: the
// newest of NAME, NAME.2, NAME.3, … that the store holds, or with fresh the one
// after it, so that nothing of an earlier one is found.
func Collection(ctx context.Context, store *tracker.Store, name string, fresh bool) (string, error) {
	experiments, err := store.Experiments(ctx)
	if err != nil {
		return "", err
	}
	newest := 0
	for _, e := range experiments {
		if e.Name == name {
			newest = max(newest, 1)
		}
		if tail, ok := strings.CutPrefix(e.Name, name+"."); ok {
			if n, err := strconv.Atoi(tail); err == nil {
				newest = max(newest, n)
			}
		}
	}
	if fresh {
		newest++
	}
	if newest < 2 {
		return name, nil
	}
	return fmt.Sprintf("%s.%d", name, newest), nil
}
