package logbook

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// decay is h_t = a_j h_{t−1} + x_t with a trained a_j, a mixer that the lab does
// not know.
type decay struct{ a *tensor.Param }

func newDecay(b *nn.Builder, width int, c lab.MixerConfig) (nn.Mixer, error) {
	start := make([]float64, width)
	for i := range start {
		start[i] = c.Params["start"]
	}
	return decay{b.Param("a", tensor.NoDecay, start, width)}, nil
}

func (decay) Name() string           { return "decay" }
func (decay) NewState(int) *nn.State { return nn.NewState() }
func (m decay) Forward(tp *tensor.Tape, x *tensor.Tensor, _ *nn.State) *tensor.Tensor {
	return tp.Scan(m.a.Tensor, x, nil)
}

// TestCustomMixerInTheStore: name, params and fingerprint of a mixer of one's
// own are in the database; without its constructor the run cannot be done again,
// with it every value comes out, and with another one nothing is trained.
func TestCustomMixerInTheStore(t *testing.T) {
	store, book := newStore(t)
	e := tiny(lab.Identity)
	e.Model.Mixer = lab.CustomMixer("decay", map[string]float64{"start": 0.5})
	e, err := lab.Bind(e, newDecay)
	if err != nil {
		t.Fatal(err)
	}
	rec := start(t, book, e)
	r, err := lab.Run(context.Background(), e, lab.Options{Recorder: rec, NewMixer: newDecay})
	if err != nil {
		t.Fatal(err)
	}
	config, err := store.ConfigJSON(context.Background(), rec.ID())
	if err != nil {
		t.Fatal(err)
	}
	var stored lab.Experiment
	if err := json.Unmarshal(config, &stored); err != nil {
		t.Fatal(err)
	}
	if m := stored.Model.Mixer; m.Kind != lab.Custom || m.Name != "decay" || m.Params["start"] != 0.5 || len(m.Fingerprint) != 16 {
		t.Errorf("the database has the mixer %+v", m)
	}
	past, again, err := Past(context.Background(), store, rec.ID())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := past.Params(again); err != nil || n != r.Params {
		t.Errorf("%d parameters (%v), want %d", n, err, r.Params)
	}
	_, err = lab.Replay(context.Background(), again, past, lab.Options{})
	if err == nil || !strings.Contains(err.Error(), `uses the mixer "decay", which is defined in a notebook or a program`) {
		t.Errorf("replay without the constructor: %v", err)
	}
	report, err := lab.Replay(context.Background(), again, past, lab.Options{NewMixer: newDecay})
	if err != nil || !report.Equal() {
		t.Errorf("replay: %v, %v", report, err)
	}
	edited := func(b *nn.Builder, width int, c lab.MixerConfig) (nn.Mixer, error) {
		return newDecay(b, width, lab.CustomMixer("decay", map[string]float64{"start": 0.51}))
	}
	_, err = lab.Replay(context.Background(), again, past, lab.Options{NewMixer: edited})
	if err == nil || !strings.Contains(err.Error(), `not the mixer "decay" of the experiment`) {
		t.Errorf("replay with a layer that was edited: %v", err)
	}
}
