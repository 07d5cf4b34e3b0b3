package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

func TestEveryMixerTrains(t *testing.T) {
	for _, kind := range Mixers() {
		t.Run(string(kind), func(t *testing.T) {
			e := tiny(kind)
			e.Steps = 60
			e.Schedule.LR = 1e-2
			r := mustRun(t, e, Options{})
			if r.Status != Finished || r.Steps != e.Steps || r.Params == 0 {
				t.Fatalf("result: %v", r)
			}
			loss := r.Curves[KeyTrainLoss].Values
			if first, last := mean(loss[:15]), mean(loss[45:]); !(last < first) {
				t.Errorf("training loss went from %g to %g", first, last)
			}
			if _, ok := r.Final["test/accuracy"]; !ok {
				t.Errorf("no test/accuracy among %v", r.Final)
			}
		})
	}
}

func mean(xs []float64) float64 {
	var s float64
	for _, x := range xs {
		s += x
	}
	return s / float64(len(xs))
}

func TestEveryTaskTrains(t *testing.T) {
	for _, name := range task.Names() {
		cfg := task.DefaultConfig(name)
		if name == task.Text || name == task.Text8 || name == task.Enwik8 {
			continue // need files; the corpus path is tested by go-source
		}
		t.Run(string(name), func(t *testing.T) {
			e := tiny(S6)
			e.Task = cfg
			e.Task.Batch, e.Task.EvalBatches = 2, 1
			e.Steps, e.EvalEvery = 3, 3
			r := mustRun(t, e, Options{})
			key := "test/" + string(specOf(cfg).Metric)
			if v, ok := r.Final[key]; !ok || math.IsNaN(v) {
				t.Errorf("%s is %v (%t)", key, v, ok)
			}
		})
	}
}

func TestSameSeedSameBits(t *testing.T) {
	e := tiny(S6)
	e.Model.D, e.Task.Batch = 32, 16
	e.Model.Block.Dropout = 0.1
	want := mustRun(t, e, Options{Workers: 1})
	old := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(old)
	for _, n := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(n)
		got := mustRun(t, e, Options{Workers: n})
		sameCurves(t, "workers", want.Curves, got.Curves)
	}
	e.Seed++
	if other := mustRun(t, e, Options{}); other.Final[KeyTrainLoss] == want.Final[KeyTrainLoss] {
		t.Error("another seed gave the same loss")
	}
}

func TestResumeEqualsNoInterruption(t *testing.T) {
	for _, device := range []string{"cpu", "reference"} {
		e := tiny(S6)
		e.Device = device
		e.Model.Block.Dropout = 0.2
		whole := mustRun(t, e, Options{})
		ctx, cancel := context.WithCancel(context.Background())
		rec := newMemoryRun()
		rec.onLog = func(key string, step int64) {
			if key == KeyTrainLoss && step == 7 {
				cancel()
			}
		}
		part, err := Run(ctx, e, Options{Recorder: rec})
		if !errors.Is(err, context.Canceled) || part.Status != Interrupted || rec.status != Interrupted {
			t.Fatalf("%s: interrupted run: %v, %v, recorder %q", device, part, err, rec.status)
		}
		rest := mustRun(t, e, Options{Resume: rec.artifacts[CheckpointArtifact]})
		rest.prepend(&PastRun{Curves: rec.curves})
		sameCurves(t, device, whole.Curves, rest.Curves)
		if string(whole.Checkpoint) != string(rest.Checkpoint) {
			t.Errorf("%s: the last checkpoints differ", device)
		}
	}
}

// TestEveryMixerResumes: on one core without a pause or on two with one, the
// bits are the same, with lengths that change from step to step, too.
func TestEveryMixerResumes(t *testing.T) {
	for _, kind := range Mixers() {
		e := tiny(kind)
		e.Model.Block.Dropout, e.Task.TrainLengths = 0.2, []int{4, 9}
		whole := mustRun(t, e, Options{Workers: 1})
		for _, at := range []int64{1, 4, 11} { // early, after an evaluation, before the last step
			ctx, cancel := context.WithCancel(context.Background())
			rec := newMemoryRun()
			rec.onLog = func(key string, step int64) {
				if key == KeyTrainLoss && step == at {
					cancel()
				}
			}
			if _, err := Run(ctx, e, Options{Recorder: rec, Workers: 2}); !errors.Is(err, context.Canceled) {
				t.Fatalf("%s interrupted at step %d: %v", kind, at, err)
			}
			rest := mustRun(t, e, Options{Resume: rec.artifacts[CheckpointArtifact], Workers: 2})
			rest.prepend(&PastRun{Curves: rec.curves})
			sameCurves(t, string(kind), whole.Curves, rest.Curves)
			if string(whole.Checkpoint) != string(rest.Checkpoint) {
				t.Errorf("%s interrupted at step %d: the last checkpoints differ", kind, at)
			}
		}
	}
}

func TestDivergenceIsAStatus(t *testing.T) {
	e := tiny(Diagonal)
	e.Model.Mixer.Param, e.Model.Mixer.Gamma = "re_im", false
	e.Task.Length = 200
	e.Schedule.LR, e.Schedule.WarmUp, e.Optimiser.Clip, e.Optimiser.RecurrentFactor = 5, 0, 0, 1
	e.Steps = 300
	rec := newMemoryRun()
	r := mustRun(t, e, Options{Recorder: rec})
	if r.Status != Diverged || rec.status != Diverged {
		t.Fatalf("status %s, recorder %s", r.Status, rec.status)
	}
	if rec.tags["diverged_at_step"] == "" || len(rec.curves[KeyTrainLoss].Values) == 0 {
		t.Errorf("evidence is missing: tags %v", rec.tags)
	}
}

func TestDivergenceWatch(t *testing.T) {
	var d divergence
	d.observe(1, 1)
	for range divergeSteps - 1 {
		if d.observe(11, 1) {
			t.Fatal("diverged too early")
		}
	}
	if d.observe(5, 1) {
		t.Fatal("a loss that came back counts as divergence")
	}
	for i := range divergeSteps {
		if got := d.observe(11, 1); got != (i == divergeSteps-1) {
			t.Fatalf("step %d: diverged %t", i, got)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		if !(&divergence{First: 1}).observe(v, 1) || !(&divergence{First: 1}).observe(1, v) {
			t.Errorf("%g is not divergence", v)
		}
	}
}

func TestRecorderErrorStopsTheRun(t *testing.T) {
	rec := newMemoryRun()
	rec.logErr = errors.New("disk full")
	_, err := Run(context.Background(), tiny(S6), Options{Recorder: rec})
	if err == nil || !strings.Contains(err.Error(), "disk full") || rec.status != Failed {
		t.Errorf("error %v, status %s", err, rec.status)
	}
}

func TestCheckpointDamage(t *testing.T) {
	e := tiny(S6)
	good := mustRun(t, e, Options{}).Checkpoint
	if _, err := DecodeCheckpoint(good); err != nil {
		t.Fatalf("good checkpoint: %v", err)
	}
	for i := 0; i < len(good); i += 1 + len(good)/97 {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x40
		if _, err := DecodeCheckpoint(bad); err == nil {
			t.Errorf("flipping a bit of byte %d of %d goes unnoticed", i, len(good))
		}
		if _, err := DecodeCheckpoint(good[:i]); err == nil {
			t.Errorf("cutting to %d of %d bytes goes unnoticed", i, len(good))
		}
	}
	other := e
	other.Steps++
	_, err := Run(context.Background(), other, Options{Resume: good})
	if err == nil || !strings.Contains(err.Error(), "steps: 12 → 13") {
		t.Errorf("resuming another experiment: %v", err)
	}
}

func FuzzDecodeCheckpoint(f *testing.F) {
	r, err := Run(context.Background(), tiny(S6), Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(r.Checkpoint)
	f.Add([]byte(checkpointMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := DecodeCheckpoint(data); err == nil && c.Step < 0 {
			t.Error("negative step")
		}
	})
}

// A run keeps what its corpus was and what the test shares with training; a task
// without a corpus has neither.
func TestCorpusIsKeptWithTheRun(t *testing.T) {
	e := tiny(S6)
	plain := newMemoryRun()
	mustRun(t, e, Options{Recorder: plain})
	e.Task = task.DefaultConfig(task.Text)
	e.Task.Path = filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(e.Task.Path, bytes.Repeat([]byte("the same line over and over again\n"), 200), 0o644); err != nil {
		t.Fatal(err)
	}
	e.Task.Length, e.Task.Batch, e.Task.EvalBatches = 16, 2, 1
	rec := newMemoryRun()
	mustRun(t, e, Options{Recorder: rec})
	var m task.Manifest
	if err := json.Unmarshal(rec.artifacts["corpus.json"], &m); err != nil {
		t.Fatal(err)
	}
	if m.Overlap == nil || m.Overlap.Test.Scored != 1 || len(m.Files) != 1 || len(m.SHA256) != 64 {
		t.Errorf("corpus.json is %s", rec.artifacts["corpus.json"])
	}
	if got := rec.tags["corpus_overlap"]; got != "valid 100.0 %, test 100.0 %" {
		t.Errorf("tag corpus_overlap is %q", got)
	}
	if plain.artifacts["corpus.json"] != nil || plain.tags["corpus_overlap"] != "" {
		t.Error("a run without a corpus has a manifest")
	}
}

func TestGenerate(t *testing.T) {
	e := tiny(S6)
	e.Task = task.DefaultConfig(task.GoSource)
	e.Task.Length, e.Task.Batch, e.Task.EvalBatches = 16, 2, 1
	e.Steps, e.EvalEvery = 2, 2
	ckpt := mustRun(t, e, Options{}).Checkpoint
	draw := func(o GenerateOptions) string {
		var out []byte
		if err := Generate(context.Background(), ckpt, o, func(tok int32) bool { out = append(out, byte(tok)); return true }); err != nil {
			t.Fatalf("Generate: %v", err)
		}
		return string(out)
	}
	o := GenerateOptions{Prompt: []int32{'f', 'u', 'n', 'c'}, Tokens: 20, Temperature: 1, Seed: 3}
	a := draw(o)
	if len(a) != 20 || a != draw(o) {
		t.Errorf("the same seed draws %q and %q", a, draw(o))
	}
	for _, bad := range []GenerateOptions{{Tokens: 1}, {Prompt: []int32{256}, Tokens: 1}, {Prompt: []int32{1}, Tokens: -1}, {Prompt: []int32{1}, Temperature: math.NaN()}} {
		if err := Generate(context.Background(), ckpt, bad, func(int32) bool { return true }); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}
