package lab

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

// tiny returns an experiment of a second or less.
func tiny(kind MixerKind) Experiment {
	e := DefaultExperiment(task.SelectiveCopying)
	e.Task.Length, e.Task.Memorize, e.Task.Batch, e.Task.EvalBatches = 8, 2, 4, 2
	e.Model.D = 8
	e.Model.Mixer = DefaultMixer(kind)
	if kind == Attention {
		e.Model.Mixer.Heads = 2
	} else if e.Model.Mixer.State > 4 {
		e.Model.Mixer.State = 4
	}
	e.Steps, e.EvalEvery, e.LogEvery = 12, 4, 1
	return e
}

// memory is a Recorder and a Book that keeps everything, for tests.
type memory struct {
	mu   sync.Mutex
	runs []*memoryRun
}

type memoryRun struct {
	spec      RunSpec
	curves    map[string]Curve
	artifacts map[string][]byte
	tags      map[string]string
	status    Status
	onLog     func(key string, step int64)
	logErr    error
}

func newMemoryRun() *memoryRun {
	return &memoryRun{curves: map[string]Curve{}, artifacts: map[string][]byte{}, tags: map[string]string{}}
}

func (r *memoryRun) Log(key string, step int64, v float64) error {
	if r.logErr != nil {
		return r.logErr
	}
	c := r.curves[key]
	r.curves[key] = Curve{append(c.Steps, step), append(c.Values, v)}
	if r.onLog != nil {
		r.onLog(key, step)
	}
	return nil
}

func (r *memoryRun) SaveArtifact(name string, data []byte) error {
	r.artifacts[name] = slices.Clone(data)
	return nil
}

func (r *memoryRun) SetTag(k, v string) error     { r.tags[k] = v; return nil }
func (r *memoryRun) End(s Status, _ string) error { r.status = s; return nil }

func (m *memory) Start(spec RunSpec) (Recorder, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := newMemoryRun()
	r.spec = spec
	m.runs = append(m.runs, r)
	return r, nil
}

func (m *memory) Find(spec RunSpec) (*PastRun, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, r := range m.runs {
		if r.spec.Experiment == spec.Experiment && r.spec.Group == spec.Group && r.spec.Hash == spec.Hash && r.status != "" {
			p := &PastRun{ID: string(rune(i)), Status: r.status, Final: map[string]float64{}, Curves: r.curves, Checkpoint: r.artifacts[CheckpointArtifact]}
			for k, c := range r.curves {
				p.Final[k] = c.Values[len(c.Values)-1]
			}
			return p, nil
		}
	}
	return nil, nil
}

func (m *memory) Resume(past *PastRun, step int64) (Recorder, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.runs[[]rune(past.ID)[0]]
	for k, c := range r.curves {
		n := 0
		for n < len(c.Steps) && c.Steps[n] <= step {
			n++
		}
		r.curves[k] = Curve{slices.Clone(c.Steps[:n]), slices.Clone(c.Values[:n])}
	}
	return r, nil
}

// mustRun runs e and fails the test on an error.
func mustRun(t *testing.T, e Experiment, o Options) *Result {
	t.Helper()
	r, err := Run(context.Background(), e, o)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return r
}

// sameCurves fails the test unless both hold the same values at the same
// steps, machine-dependent ones left out.
func sameCurves(t *testing.T, what string, a, b map[string]Curve) {
	t.Helper()
	compared := 0
	for key, c := range a {
		if key == KeySpeed {
			continue
		}
		d := b[key]
		if !slices.Equal(c.Steps, d.Steps) {
			t.Errorf("%s: %s: steps %v and %v", what, key, c.Steps, d.Steps)
			continue
		}
		for i := range c.Values {
			if c.Values[i] != d.Values[i] {
				t.Errorf("%s: %s at step %d: %v and %v", what, key, c.Steps[i], c.Values[i], d.Values[i])
			}
			compared++
		}
	}
	if compared == 0 {
		t.Errorf("%s: nothing was compared", what)
	}
}
