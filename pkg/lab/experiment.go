package lab

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/gophersnake/gophersnake/internal/near"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/optim"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Experiment decides a result completely: same value, same bits. Start from
// DefaultExperiment and override.
type Experiment struct {
	Task      task.Config       `json:"task"`
	Model     ModelConfig       `json:"model"`
	Optimiser optim.AdamWConfig `json:"optimiser"`
	Schedule  optim.Schedule    `json:"schedule"`
	Steps     int               `json:"steps"` // updates of the parameters
	// Accumulate is the number of batches that an update takes its gradient from,
	// 0 for one. The gradient is that of the mean over the scored positions of all
	// of them, as if they were one batch. Batch i of step s is number
	// s·Accumulate + i of the training data.
	Accumulate int    `json:"accumulate,omitempty"`
	EvalEvery  int    `json:"eval_every"`    // steps between two evaluations on the split "valid"
	LogEvery   int    `json:"log_every"`     // steps between two logged training losses
	Seed       uint64 `json:"seed"`          // of parameters, data and dropout, each a stream of its own
	Device     string `json:"device"`        // "cpu" (float32) or "reference" (float64)
	Stop       Stop   `json:"stop,omitzero"` // when to end before Steps
	From       Origin `json:"from,omitzero"` // the checkpoint to start from
}

// ModelConfig is the model of an experiment. Its input and output sizes follow
// from the task.
type ModelConfig struct {
	D      int            `json:"d"`      // width of the residual stream
	Layers int            `json:"layers"` // number of blocks
	Tied   bool           `json:"tied,omitempty"`
	Block  nn.BlockConfig `json:"block"`
	Mixer  MixerConfig    `json:"mixer"`
}

// DefaultExperiment returns a small Mamba on a task, sized for two cores.
func DefaultExperiment(name task.Name) Experiment {
	return Experiment{
		Task:      task.DefaultConfig(name),
		Model:     ModelConfig{D: 16, Layers: 2, Block: nn.DefaultBlockConfig(), Mixer: DefaultMixer(S6)},
		Optimiser: optim.DefaultAdamWConfig(),
		Schedule:  optim.DefaultSchedule(),
		Steps:     1000, EvalEvery: 100, LogEvery: 10, Seed: 1, Device: "cpu",
	}
}

// maxAccumulate keeps the batches of a step in memory.
const maxAccumulate = 1 << 16

// Validate reports every field that is wrong, all at once.
func (e Experiment) Validate() error {
	var errs []error
	under := func(prefix string, list ...error) {
		for _, err := range list {
			for _, one := range flatten(err) {
				errs = append(errs, fmt.Errorf("%s%w", prefix, one))
			}
		}
	}
	atLeast := func(field string, v, lo, hi int) {
		if v < lo || v > hi {
			errs = append(errs, fmt.Errorf("%s is %d, want %d to %d", field, v, lo, hi))
		}
	}
	taskErrs := e.Task.Validate()
	under("", taskErrs...)
	if len(taskErrs) == 0 {
		under("model.", e.modelConfig(specOf(e.Task)).Validate())
		under("", e.Stop.validate(specOf(e.Task).Metric))
	}
	under("model.mixer.", e.Model.Mixer.validate(e.Model.Block.Width(e.Model.D)))
	under("", e.Optimiser.Validate(), e.Schedule.Validate(), e.From.Validate())
	atLeast("steps", e.Steps, 1, 1<<30)
	if e.Accumulate < 0 || e.Accumulate == 1 || e.Accumulate > maxAccumulate {
		errs = append(errs, fmt.Errorf("accumulate is %d, want 0 for one batch a step, or 2 to %d batches", e.Accumulate, maxAccumulate))
	}
	atLeast("eval_every", e.EvalEvery, 1, 1<<30)
	atLeast("log_every", e.LogEvery, 1, 1<<30)
	if !slices.Contains(tensor.DeviceNames(), e.Device) {
		errs = append(errs, fmt.Errorf("device is %q, want one of %s", e.Device, strings.Join(tensor.DeviceNames(), ", ")))
	}
	return errors.Join(errs...)
}

// flatten returns the errors that errors.Join has joined, one by one.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, flatten(e)...)
	}
	return out
}

// specOf returns the parts of a task's Spec that a model's shape depends on,
// without reading a corpus.
func specOf(c task.Config) task.Spec { return task.SpecOf(c) }

// modelConfig returns the nn config of the experiment's model on a task.
func (e Experiment) modelConfig(spec task.Spec) nn.ModelConfig {
	c := nn.ModelConfig{D: e.Model.D, Layers: e.Model.Layers, Tied: e.Model.Tied, Block: e.Model.Block,
		Vocab: spec.VocabIn, Inputs: spec.Channels, Outputs: spec.VocabOut, Head: nn.LMHead}
	if spec.Regression {
		c.Outputs, c.Head = 1, nn.LastHead
	}
	return c
}

// JSON returns the canonical form: compact, keys sorted, empty optional fields
// left out. Equal experiments have equal bytes.
func (e Experiment) JSON() []byte {
	raw, err := json.Marshal(e)
	if err != nil {
		panic("lab: Experiment.JSON: " + err.Error()) // NaN or Inf: Validate refuses them
	}
	out, err := canonical(raw)
	if err != nil {
		panic("lab: Experiment.JSON: " + err.Error())
	}
	return out
}

// canonical sorts the keys of every object and drops white space; numbers keep
// their digits.
func canonical(raw []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// Hash returns the SHA-256 of JSON in hex: the experiment's identity.
func (e Experiment) Hash() string {
	sum := sha256.Sum256(e.JSON())
	return hex.EncodeToString(sum[:])
}

// ParseExperiment reads an experiment from JSON. Unknown fields, anything after
// the value, and values out of range are errors.
func ParseExperiment(data []byte) (Experiment, error) {
	return parseOver(Experiment{}, data)
}

// Override returns e with the fields that the JSON object names replaced. The
// result is validated.
func (e Experiment) Override(data []byte) (Experiment, error) { return parseOver(e, data) }

func parseOver(e Experiment, data []byte) (Experiment, error) {
	// JSON decodes into the arrays and maps that are there: they are the caller's.
	e.ownLists()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return Experiment{}, explainJSON(err, data)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Experiment{}, errors.New("lab: experiment: there is something after the JSON object")
	}
	if err := e.Validate(); err != nil {
		return Experiment{}, err
	}
	return e, nil
}

// ownLists gives e lists and maps of its own.
func (e *Experiment) ownLists() {
	e.Task.TrainLengths, e.Task.EvalLengths = slices.Clone(e.Task.TrainLengths), slices.Clone(e.Task.EvalLengths)
	e.Task.Include, e.Task.Exclude = slices.Clone(e.Task.Include), slices.Clone(e.Task.Exclude)
	e.Model.Mixer.Params = maps.Clone(e.Model.Mixer.Params)
	e.From.Redraw = slices.Clone(e.From.Redraw)
}

// explainJSON adds the line, and for an unknown field the known names closest
// to it.
func explainJSON(err error, data []byte) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		return fmt.Errorf("lab: experiment: line %d: %w", line, err)
	}
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("lab: experiment: there is nothing, want a JSON object")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("lab: experiment: the JSON object ends in the middle")
	case errors.As(err, &mistyped) && mistyped.Field == "":
		return fmt.Errorf("lab: experiment: JSON %s, want an object", mistyped.Value)
	case errors.As(err, &mistyped):
		return fmt.Errorf("lab: experiment: %s is JSON %s, want %s", mistyped.Field, mistyped.Value, wanted(mistyped.Type))
	}
	if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
		name := strings.Trim(field, `"`)
		if near := near.Name(name, fieldNames()); near != "" {
			return fmt.Errorf("lab: experiment: unknown field %q; did you mean %q?", name, near)
		}
		return fmt.Errorf("lab: experiment: unknown field %q; `gophersnake run --print` shows every field", name)
	}
	return fmt.Errorf("lab: experiment: %w", err)
}
