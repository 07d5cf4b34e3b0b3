package nb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"sync"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// TrainConfig says how Train names and carries out a run. Nothing in it changes
// a result.
type TrainConfig struct {
	Collection      string            // the experiment of the store that the run belongs to
	Group           string            // runs that are compared, "" for the mixer's name
	Name            string            // "" for mixer, task and seed
	Tags            map[string]string //
	CheckpointEvery int               // steps between checkpoints, 0 for one at the end or when stopped
	Workers         int               // cores, 0 for all
	Quiet           bool              // show nothing
	NewMixer        lab.MixerFunc     // of an experiment with a mixer of one's own; nil for a built-in kind
}

// DefaultTrainConfig returns what Train uses: the collection "notebook".
func DefaultTrainConfig() TrainConfig { return TrainConfig{Collection: "notebook"} }

// Train carries out an experiment with a live bar and a live curve, and logs it
// to the store that Open opened last, if one is open. The stop button ends it:
// the result so far is returned with the error context.Canceled, is kept in
// LastResult, and is in the store with a checkpoint.
func Train(e lab.Experiment) (*lab.Result, error) { return TrainWith(e, DefaultTrainConfig()) }

// TrainWith is Train with a config.
func TrainWith(e lab.Experiment, c TrainConfig) (*lab.Result, error) {
	e, err := lab.Bind(e, c.NewMixer)
	if err != nil {
		return nil, err // before anything is shown or logged
	}
	book := currentBook()
	corpora := task.NewCache()
	if book != nil {
		corpora = book.corpora
	}
	if e, err = lab.Resolve(e, corpora); err != nil {
		return nil, err
	}
	t := &training{book: book}
	if err := t.open(e, c); err != nil {
		return nil, err
	}
	if !c.Quiet {
		t.show(e)
	}
	return t.run(Context(), e, lab.Options{Recorder: t, Progress: t.progress, CheckpointEvery: c.CheckpointEvery, Workers: c.Workers, Corpora: corpora, NewMixer: c.NewMixer})
}

// training is a run under way. It stands between the run and its recorder to
// see what is logged.
type training struct {
	book  *Book
	log   lab.Recorder // nil when nobody is told
	ended bool
	bar   *Bar  // nil when nothing is shown
	plot  *Plot //

	mu   sync.Mutex
	note string // the last evaluation
}

// open starts the run in the store.
func (t *training) open(e lab.Experiment, c TrainConfig) error {
	if t.book == nil {
		return nil
	}
	if c.Group == "" {
		c.Group = e.Model.Mixer.Label()
	}
	if c.Name == "" {
		c.Name = fmt.Sprintf("%s-%s-seed%d", e.Model.Mixer.Label(), e.Task.Name, e.Seed)
	}
	log, err := t.book.Start(lab.RunSpec{Experiment: c.Collection, Group: c.Group, Name: c.Name, Config: e.JSON(), Hash: e.Hash(), Seed: e.Seed, Tags: c.Tags})
	t.log = log
	return err
}

func (t *training) show(e lab.Experiment) {
	t.bar = newBar(nameOf(e), e.Steps)
	t.plot = Curve(nameOf(e), "step", lossLabel(e))
}

// run trains, and closes bar, curve and recorder however that ends.
func (t *training) run(ctx context.Context, e lab.Experiment, o lab.Options) (r *lab.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			// The kernel reports the panic; the store must not keep a run that
			// goes on for ever.
			status := lab.Failed
			if ctx.Err() != nil {
				status = lab.Interrupted // the stop button ends interpreted code by a panic
			}
			if !t.ended {
				_ = t.End(status, fmt.Sprintf("panic: %v", p))
			}
			t.close(fmt.Sprintf("%s by a panic", status))
			panic(p)
		}
	}()
	r, err = lab.Run(ctx, e, o)
	t.close(t.outcome(r, err))
	if r != nil {
		here.mu.Lock()
		here.last, here.drawn = r, nil
		if t.plot != nil {
			here.drawn = ctx
		}
		here.mu.Unlock()
	}
	return r, err
}

// outcome is what the bar says in the end.
func (t *training) outcome(r *lab.Result, err error) string {
	text := ""
	switch {
	case r != nil:
		text = fmt.Sprintf("%s at loss %.4g", r.Status, lastOf(r, lab.KeyTrainLoss))
	case err != nil:
		text = "failed"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	where := "not logged: nb.Open opens a store"
	if rec, ok := t.log.(*logbook.Recorder); ok {
		where = fmt.Sprintf("run %s in %s", rec.ID(), filepath.Base(t.book.path))
	}
	return joined(text, t.note, where)
}

func lastOf(r *lab.Result, key string) float64 {
	if v, ok := r.Final[key]; ok {
		return v
	}
	return math.NaN()
}

func (t *training) close(note string) {
	if t.bar == nil {
		return
	}
	t.bar.Note(note)
	t.bar.Done()
	t.plot.Done()
}

// progress moves the bar.
func (t *training) progress(p lab.Progress) {
	if t.bar == nil {
		return
	}
	t.mu.Lock()
	note := t.note
	t.mu.Unlock()
	t.bar.Set(p.Step)
	t.bar.Note(joined(fmt.Sprintf("loss %.4g", p.Loss), note, fmt.Sprintf("%.0f tokens/s", p.TokensPerSecond)))
}

// Log implements lab.Recorder: losses go to the curve, evaluations to the bar.
func (t *training) Log(key string, step int64, value float64) error {
	if t.bar != nil {
		switch key {
		case lab.KeyTrainLoss, "valid/loss":
			t.plot.Add(key, float64(step), value)
		case "valid/" + string(task.Accuracy), "valid/" + string(task.BitsPerByte), "valid/" + string(task.MSE):
			t.mu.Lock()
			t.note = fmt.Sprintf("%s %.4g", key, value)
			t.mu.Unlock()
		}
	}
	if t.log == nil {
		return nil
	}
	return t.log.Log(key, step, value)
}

// SaveArtifact implements lab.Recorder.
func (t *training) SaveArtifact(name string, data []byte) error {
	if t.log == nil {
		return nil
	}
	return t.log.SaveArtifact(name, data)
}

// SetTag implements lab.Recorder.
func (t *training) SetTag(key, value string) error {
	if t.log == nil {
		return nil
	}
	return t.log.SetTag(key, value)
}

// End implements lab.Recorder.
func (t *training) End(s lab.Status, detail string) error {
	t.ended = true
	if t.log == nil {
		return nil
	}
	return t.log.End(s, detail)
}

// Stopped reports whether err says that the stop button ended a call.
func Stopped(err error) bool { return errors.Is(err, context.Canceled) }
