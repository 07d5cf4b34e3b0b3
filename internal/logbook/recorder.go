package logbook

import (
	"fmt"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/tracker"
)

// Recorder is a lab.Recorder that logs to a run of the tracker.
type Recorder struct {
	run  *tracker.Run
	book *Book // nil if the run was opened without one
}

// Record returns a recorder that logs to run and finishes it at End.
func Record(run *tracker.Run) *Recorder { return &Recorder{run: run} }

// Origin looks in the book's store for the checkpoint that an experiment starts
// from.
func (r *Recorder) Origin(e lab.Experiment) ([]byte, error) {
	if r.book == nil {
		return nil, fmt.Errorf("the experiment starts from the checkpoint %.12s…: pass its bytes as Options.From", e.From.Checkpoint)
	}
	data, _, err := Origin(r.book.ctx, r.book.store, e)
	return data, err
}

// ID returns the run's id.
func (r *Recorder) ID() string { return r.run.ID() }

// Run returns the run that is logged to.
func (r *Recorder) Run() *tracker.Run { return r.run }

// Log records one value of a metric at a step.
func (r *Recorder) Log(key string, step int64, value float64) error {
	return r.run.Log(key, step, value)
}

// SaveArtifact keeps a file under a name.
func (r *Recorder) SaveArtifact(name string, data []byte) error {
	spec := tracker.ArtifactSpec{Name: name, Data: data}
	if name == lab.CheckpointArtifact || name == lab.OriginArtifact {
		spec.Kind, spec.MediaType = "checkpoint", "application/octet-stream"
	}
	_, err := r.run.AddArtifact(spec)
	return err
}

// SetTag notes a fact about the run.
func (r *Recorder) SetTag(key, value string) error {
	return r.run.SetTag(key, value)
}

// End commits what was logged and closes the run. The statuses of the lab are
// statuses of the tracker under the same names.
func (r *Recorder) End(status lab.Status, detail string) error {
	return r.run.FinishWith(tracker.Status(status), detail)
}
