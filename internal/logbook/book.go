package logbook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/tensor"
	"github.com/gophersnake/gophersnake/tracker"
)

// Book is a lab.Book over a store. Its methods may be called from several
// goroutines.
type Book struct {
	ctx   context.Context // bounds reading from the store
	store *tracker.Store
	env   *tracker.Environment

	mu     sync.Mutex
	notes  []string
	reused int
	differ map[string]int // environment key → reused runs that differ in it
}

// New captures the environment and returns a book over store. Reading stops
// when ctx ends; writing does not, so that an interrupted run can still be
// closed.
func New(ctx context.Context, store *tracker.Store) (*Book, error) {
	env, err := tracker.CaptureEnvironment(ctx)
	if err != nil {
		return nil, err
	}
	return &Book{ctx: ctx, store: store, env: env, differ: map[string]int{}}, nil
}

// Start opens a new run. Its parent is the run whose checkpoint it starts from, if
// the spec names no other.
func (b *Book) Start(spec lab.RunSpec) (lab.Recorder, error) {
	if err := b.findParent(&spec); err != nil {
		return nil, err
	}
	run, err := b.store.StartRun(tracker.RunConfig{
		Experiment: spec.Experiment, Name: spec.Name, Group: spec.Group, Parent: spec.Parent, Seed: int64(spec.Seed),
		Config: spec.Config, Tags: spec.Tags, Environment: b.Environment(deviceOf(spec.Config)),
	})
	if err != nil {
		return nil, err
	}
	return &Recorder{run: run, book: b}, nil
}

// findParent completes a spec with the run whose checkpoint it starts from.
func (b *Book) findParent(spec *lab.RunSpec) (err error) {
	e, err := lab.ParseExperiment(spec.Config)
	if err != nil || spec.Parent != "" {
		return nil // what config a run has is not the book's business
	}
	_, spec.Parent, err = Origin(b.ctx, b.store, e)
	return err
}

// Find returns the newest run of the spec's experiment, group and config that
// finished or diverged, with its weights if they are whole, or else the newest
// interrupted or crashed one that left a checkpoint, or else nil.
func (b *Book) Find(spec lab.RunSpec) (*lab.PastRun, error) {
	runs, err := b.store.Runs(b.ctx, tracker.Filter{Experiment: spec.Experiment, Group: spec.Group, Statuses: []tracker.Status{
		tracker.StatusFinished, tracker.StatusDiverged, tracker.StatusInterrupted, tracker.StatusCrashed}})
	if errors.Is(err, tracker.ErrNotFound) {
		return nil, nil // the experiment is new
	}
	if err != nil {
		return nil, err
	}
	runs = slices.DeleteFunc(runs, func(r tracker.RunInfo) bool { return r.ConfigSHA256 != spec.Hash })
	for _, r := range runs {
		if r.Status == tracker.StatusFinished || r.Status == tracker.StatusDiverged {
			if err := b.noteReuse(r, spec); err != nil {
				return nil, err
			}
			p, err := past(b.ctx, b.store, r)
			if p != nil && errors.Is(err, tracker.ErrCorrupt) {
				b.note(fmt.Sprintf("run %s (%s) is reused without its weights: %v", r.ID, r.Name, err))
				err = nil
			}
			return p, err
		}
	}
	for _, r := range runs {
		p, err := past(b.ctx, b.store, r)
		if errors.Is(err, tracker.ErrCorrupt) {
			b.note(fmt.Sprintf("run %s (%s) cannot be gone on with and is done anew: %v", r.ID, r.Name, err))
			continue
		}
		if err != nil {
			return nil, err
		}
		if p.Checkpoint != nil {
			return p, nil
		}
	}
	return nil, nil
}

// Resume opens a past run again and drops what was logged after step. If the
// environment is another one than the run began in, the tag "resumed_with"
// says in what.
func (b *Book) Resume(p *lab.PastRun, step int64) (lab.Recorder, error) {
	was, err := b.store.Environment(b.ctx, p.ID)
	if err != nil {
		return nil, err
	}
	run, err := b.store.ResumeRun(p.ID)
	if err != nil {
		return nil, err
	}
	r := &Recorder{run: run, book: b}
	if _, err := run.TruncateAfter(step); err != nil {
		return nil, errors.Join(err, run.Finish(tracker.StatusInterrupted))
	}
	var diff []string
	for _, d := range Differences(was, b.Environment(was["extra.device"]).Values()) {
		diff = append(diff, d.String())
	}
	if len(diff) > 0 {
		text := strings.Join(diff, "; ")
		if err := run.SetTag("resumed_with", text[:min(len(text), tracker.MaxTagLength)]); err != nil {
			return nil, errors.Join(err, run.Finish(tracker.StatusInterrupted))
		}
	}
	return r, nil
}

// Environment returns the environment of this process, with the device and its
// kernels.
func (b *Book) Environment(device string) *tracker.Environment {
	env := *b.env
	env.Extra = maps.Clone(b.env.Extra)
	if env.Extra == nil {
		env.Extra = map[string]string{}
	}
	if d, err := tensor.OpenDevice(device, 1); err == nil {
		env.Extra["device"], env.Extra["kernels"] = device, d.Kernels()
	}
	return &env
}

// Notes returns what a reader of the results should know about the runs that
// were found: damaged checkpoints, and reused runs that came to be in another
// environment.
func (b *Book) Notes() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	notes := slices.Clone(b.notes)
	if len(b.differ) > 0 {
		keys := slices.Sorted(maps.Keys(b.differ))
		for i, k := range keys {
			keys[i] = fmt.Sprintf("%s (%d)", k, b.differ[k])
		}
		notes = append(notes, fmt.Sprintf("%d runs were reused; some of them were made with another %s", b.reused, strings.Join(keys, ", ")))
	}
	return notes
}

func (b *Book) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = append(b.notes, text)
}

// noteReuse counts the keys in which a reused run's environment differs from
// this one, of those that can change a number.
func (b *Book) noteReuse(r tracker.RunInfo, spec lab.RunSpec) error {
	was, err := b.store.Environment(b.ctx, r.ID)
	if err != nil {
		return err
	}
	diff := Differences(was, b.Environment(deviceOf(spec.Config)).Values())
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reused++
	for _, d := range diff {
		if changesNumbers(d.Key) {
			b.differ[d.Key]++
		}
	}
	return nil
}

// deviceOf reads the device from an experiment's JSON, "" if there is none.
func deviceOf(config []byte) string {
	var c struct {
		Device string `json:"device"`
	}
	if json.Unmarshal(config, &c) != nil {
		return ""
	}
	return c.Device
}
