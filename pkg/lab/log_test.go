package lab

import (
	"fmt"
	"slices"
	"testing"
)

// TestLogsWhenAsked: the first step, every LogEvery-th, the last, and the one
// that diverges.
func TestLogsWhenAsked(t *testing.T) {
	e := tiny(S6)
	e.LogEvery = 5
	r := mustRun(t, e, Options{})
	for _, key := range []string{KeyTrainLoss, KeyGradNorm, KeyLR} {
		if got := r.Curves[key].Steps; !slices.Equal(got, []int64{1, 5, 10, 12}) {
			t.Errorf("%s was logged at steps %v, want 1, 5, 10, 12", key, got)
		}
	}
	bad := tiny(Diagonal)
	bad.Model.Mixer.Param, bad.Model.Mixer.Gamma = "re_im", false
	bad.Task.Length = 200
	bad.Schedule.LR, bad.Schedule.WarmUp, bad.Optimiser.Clip, bad.Optimiser.RecurrentFactor = 5, 0, 0, 1
	bad.Steps, bad.LogEvery = 300, 300
	r = mustRun(t, bad, Options{})
	if got := r.Curves[KeyTrainLoss].Steps; r.Status != Diverged || r.Steps == 1 || !slices.Equal(got, []int64{1, int64(r.Steps)}) {
		t.Errorf("%v: logged at steps %v, want the first and the last", r, got)
	}
}

// checkpointSteps notes of which steps a run kept a checkpoint.
type checkpointSteps struct {
	*memoryRun
	steps []int
}

func (r *checkpointSteps) SaveArtifact(name string, data []byte) error {
	c, err := DecodeCheckpoint(data)
	if err != nil || name != CheckpointArtifact {
		return fmt.Errorf("artifact %s: %w", name, err)
	}
	r.steps = append(r.steps, c.Step)
	return nil
}

// TestCheckpointsWhenAsked: every CheckpointEvery-th step and the last, once.
func TestCheckpointsWhenAsked(t *testing.T) {
	for every, want := range map[int][]int{0: {12}, 5: {5, 10, 12}, 6: {6, 12}} {
		rec := &checkpointSteps{memoryRun: newMemoryRun()}
		mustRun(t, tiny(S6), Options{Recorder: rec, CheckpointEvery: every})
		if !slices.Equal(rec.steps, want) {
			t.Errorf("every %d steps: checkpoints of steps %v, want %v", every, rec.steps, want)
		}
	}
}

// TestPrepend: values of a run before its interruption stand before those after,
// a step that was done again counts once, and a metric that was not logged again
// is kept.
func TestPrepend(t *testing.T) {
	r := &Result{Final: map[string]float64{"a": 9}, Curves: map[string]Curve{"a": {Steps: []int64{2, 3}, Values: []float64{7, 9}}}}
	r.prepend(&PastRun{Curves: map[string]Curve{
		"a": {Steps: []int64{1, 2}, Values: []float64{5, 6}}, "b": {Steps: []int64{1, 4}, Values: []float64{3, 4}}}})
	a, b := r.Curves["a"], r.Curves["b"]
	if !slices.Equal(a.Steps, []int64{1, 2, 3}) || !slices.Equal(a.Values, []float64{5, 7, 9}) || r.Final["a"] != 9 {
		t.Errorf("a is %v, at the end %g", a, r.Final["a"])
	}
	if !slices.Equal(b.Steps, []int64{1, 4}) || r.Final["b"] != 4 {
		t.Errorf("b is %v, at the end %g", b, r.Final["b"])
	}
}
