package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gophersnake/gophersnake/internal/near"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// OriginMode says what a run takes over from the checkpoint that it starts
// from.
type OriginMode string

// The modes.
const (
	// Continue takes over everything: weights, moments of the optimiser, the
	// number of steps done and what early stopping has seen. Steps of the
	// experiment is the total, and every rate is that of the experiment's own
	// schedule at the step.
	Continue OriginMode = "continue"
	// FromWeights takes over the weights; optimiser, steps and schedule begin
	// anew.
	FromWeights OriginMode = "weights"
)

// OriginModes lists the modes.
func OriginModes() []OriginMode { return []OriginMode{Continue, FromWeights} }

// Origin names the checkpoint that a run starts from. The zero value means
// weights drawn from the seed.
type Origin struct {
	Checkpoint string     `json:"checkpoint,omitempty"` // SHA-256 of the checkpoint file, in hex
	Mode       OriginMode `json:"mode,omitempty"`
	// Redraw names parameters that mode weights draws from the seed instead, and
	// that may have another shape in the checkpoint or none: "head" is everything
	// under that name.
	Redraw []string `json:"redraw,omitempty"`
}

// IsZero reports whether the run starts from fresh weights.
func (o Origin) IsZero() bool { return o.Checkpoint == "" && o.Mode == "" && len(o.Redraw) == 0 }

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Validate reports every field that is wrong.
func (o Origin) Validate() error {
	if o.IsZero() {
		return nil
	}
	var errs []error
	if !sha256Hex.MatchString(o.Checkpoint) {
		errs = append(errs, fmt.Errorf("from.checkpoint is %q, want the SHA-256 of a checkpoint, 64 hexadecimal digits", o.Checkpoint))
	}
	if !slices.Contains(OriginModes(), o.Mode) {
		errs = append(errs, fmt.Errorf("from.mode is %q, want one of %v", o.Mode, OriginModes()))
	}
	if o.Mode == Continue && len(o.Redraw) > 0 {
		errs = append(errs, fmt.Errorf("from.redraw is %q, want none in mode continue: drawn parameters have no moments to go on with", o.Redraw))
	}
	for i, name := range o.Redraw {
		if name == "" || slices.Contains(o.Redraw[:i], name) {
			errs = append(errs, fmt.Errorf("from.redraw has %q, want each parameter's name once", name))
		}
	}
	return errors.Join(errs...)
}

// StartingFrom returns e as an experiment that starts from a checkpoint, whose
// bytes go into Options.From:
//
//	e := parent.Experiment
//	e.Steps = 4000
//	e, err := e.StartingFrom(parent.Checkpoint, lab.Continue)
//	child, err := lab.Run(ctx, e, lab.Options{From: parent.Checkpoint})
//
// It is an error if the checkpoint is damaged, if it has no step left to do in
// mode Continue, or if its parameters are not those of e's model, which is built
// to find out unless its mixer is a custom one. In mode FromWeights redraw names
// the parameters that are drawn anew.
func (e Experiment) StartingFrom(checkpoint []byte, mode OriginMode, redraw ...string) (Experiment, error) {
	e.From = Origin{Checkpoint: checkpointSum(checkpoint), Mode: mode, Redraw: slices.Clone(redraw)}
	if err := e.Validate(); err != nil {
		return e, err
	}
	c, err := e.origin(checkpoint)
	if err != nil || e.Model.Mixer.Kind == Custom {
		return e, err
	}
	_, params, err := Build(e, 1)
	if err != nil {
		return e, err
	}
	return e, c.fits(params, e.From)
}

func checkpointSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// origin reads the checkpoint that the experiment starts from.
func (e Experiment) origin(data []byte) (*Checkpoint, error) {
	c, err := DecodeCheckpoint(data)
	if err != nil {
		return nil, fmt.Errorf("lab: the checkpoint to start from: %w", err)
	}
	if got := checkpointSum(data); got != e.From.Checkpoint {
		return nil, fmt.Errorf("lab: the checkpoint has the SHA-256 %.12s…, want %.12s…, from.checkpoint of the experiment", got, e.From.Checkpoint)
	}
	if e.From.Mode == Continue && c.Step >= e.Steps {
		return nil, fmt.Errorf("lab: steps is %d, want more than %d, which the checkpoint has behind it: in mode continue steps counts from the beginning", e.Steps, c.Step)
	}
	return c, nil
}

// begin puts a run where it starts: at its own checkpoint when it is resumed, at
// the checkpoint that the experiment names, or else at fresh weights.
func (t *trainer) begin() error {
	switch {
	case t.e.From.IsZero() && t.o.From != nil:
		return errors.New("lab: Options.From is given, but the experiment's from is empty; Experiment.StartingFrom fills it in")
	case t.o.Resume != nil:
		return t.resume(t.o.Resume)
	case t.e.From.IsZero():
		return nil
	}
	if err := t.findOrigin(); err != nil {
		return err
	}
	c, err := t.e.origin(t.o.From)
	if err != nil {
		return err
	}
	if err := c.fits(t.params, t.e.From); err != nil {
		return err
	}
	if t.e.From.Mode == FromWeights {
		c.giveWeights(t.params, t.e.From)
		return nil
	}
	if err := c.restore(t.params); err != nil {
		return err
	}
	t.step, t.watch = c.Step, c.watch
	t.result.Steps = c.Step
	if c.stop.Stopped == "" && c.Experiment.Stop == t.e.Stop {
		t.stop = c.stop
	}
	return t.opt.Import(c.optimiser)
}

// findOrigin asks the recorder for the checkpoint to start from if it is not given.
func (t *trainer) findOrigin() (err error) {
	if t.o.From != nil {
		return nil
	}
	finder, ok := t.o.Recorder.(OriginFinder)
	if !ok {
		return fmt.Errorf("lab: the experiment starts from the checkpoint %.12s…: pass its bytes as Options.From", t.e.From.Checkpoint)
	}
	t.o.From, err = finder.Origin(t.e)
	return err
}

// saveOrigin keeps the checkpoint that the run starts from with the run, so that
// it can be replayed whatever becomes of the other run.
func (t *trainer) saveOrigin() error {
	if t.o.From == nil || t.o.Recorder == nil || t.o.Resume != nil {
		return nil
	}
	return t.o.Recorder.SaveArtifact(OriginArtifact, t.o.From)
}

// redraws reports whether a parameter is drawn anew.
func (o Origin) redraws(name string) bool {
	return slices.ContainsFunc(o.Redraw, func(r string) bool { return under(name, r) })
}

// under reports whether a parameter's name is prefix or begins with its parts.
func under(name, prefix string) bool { return name == prefix || strings.HasPrefix(name, prefix+".") }

// fits says how the parameters of a checkpoint differ from those of a model, by
// name and shape, but for those that are drawn anew.
func (c *Checkpoint) fits(params []*tensor.Param, o Origin) error {
	held := map[string]checkpointParam{}
	for _, p := range c.params {
		held[p.Name] = p
	}
	var errs []error
	var names []string
	for _, p := range params {
		names = append(names, p.Name)
		was, ok := held[p.Name]
		delete(held, p.Name)
		switch {
		case o.redraws(p.Name):
		case !ok:
			errs = append(errs, fmt.Errorf("lab: parameter %s is not in the checkpoint, want %v", p.Name, p.Shape()))
		case !was.fits(p):
			errs = append(errs, fmt.Errorf("lab: parameter %s is %s in the checkpoint, want %v", p.Name, was.size(), p.Shape()))
		}
	}
	for _, p := range c.params {
		if _, left := held[p.Name]; left && !o.redraws(p.Name) {
			errs = append(errs, fmt.Errorf("lab: parameter %s of the checkpoint, %s, is not in the model", p.Name, p.size()))
		}
	}
	const most = 5 // one wrong width makes every parameter differ
	if n := len(errs); n > most {
		errs = append(errs[:most], fmt.Errorf("lab: and %d parameters more", n-most))
	}
	if len(errs) > 0 {
		errs = append(errs, errors.New("(hint: the model must be that of the checkpoint; with from.mode=weights, from.redraw=head draws what is under that name anew)"))
	}
	return errors.Join(append(errs, o.known(names))...)
}

// known refuses a name of Redraw under which the model has no parameter.
func (o Origin) known(names []string) error {
	var errs []error
	for _, r := range o.Redraw {
		if slices.ContainsFunc(names, func(n string) bool { return under(n, r) }) {
			continue
		}
		err := fmt.Errorf("lab: from.redraw has %q, want the beginning of a parameter's name, among %q", r, names)
		if meant := near.Name(r, names); meant != "" {
			err = fmt.Errorf("lab: from.redraw has %q, which is no parameter; did you mean %q?", r, meant)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// giveWeights overwrites the parameters that are not drawn anew. They must fit.
func (c *Checkpoint) giveWeights(params []*tensor.Param, o Origin) {
	for i, was := range c.params {
		for _, p := range params {
			if p.Name == was.Name && !o.redraws(p.Name) {
				p.SetData(c.values[i])
			}
		}
	}
}
