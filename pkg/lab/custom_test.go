package lab

import (
	"context"
	"errors"
	"maps"
	"math"
	"strings"
	"testing"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// leaky is h_t = (1−z_t) h_{t−1} + z_t x_t with z_t = σ(W x_t + b), a mixer that
// the lab does not know.
type leaky struct {
	gate *nn.Linear
	ones *tensor.Tensor
	d    int
}

func newLeaky(b *nn.Builder, width int, c MixerConfig) (nn.Mixer, error) {
	m := &leaky{gate: nn.NewLinear(b.Sub("gate"), width, width, true), d: width,
		ones: tensor.From(b.Device, initializer.Constant(width, 1), width)}
	m.gate.B.SetData(initializer.Constant(width, c.Params["bias"]))
	return m, nil
}

func (m *leaky) Name() string { return "leaky" }

func (m *leaky) NewState(batch int) *nn.State {
	s := nn.NewState()
	s.Set("h", tensor.New(m.ones.Device(), batch, m.d))
	return s
}

func (m *leaky) Forward(tp *tensor.Tape, x *tensor.Tensor, s *nn.State) *tensor.Tensor {
	z := tp.Map(tensor.Sigmoid, m.gate.Forward(tp, x))
	h := tp.Scan(tp.AddRow(tp.Scale(-1, z), m.ones), tp.Mul(z, x), s.Get("h"))
	s.Advance(x.Dim(1))
	return h
}

// tinyLeaky returns an experiment with that mixer, not bound.
func tinyLeaky() Experiment {
	e := tiny(Identity)
	e.Model.Mixer = CustomMixer("leaky", map[string]float64{"bias": -1.5})
	return e
}

func bound(t *testing.T, e Experiment, f MixerFunc) Experiment {
	t.Helper()
	e, err := Bind(e, f)
	if err != nil {
		t.Fatalf("Bind: %v", err)
	}
	return e
}

// wantError fails the test unless err says all of the parts.
func wantError(t *testing.T, what string, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: error %v, want one with %q", what, err, part)
		}
	}
}

// TestCustomMixerTrains: as any other, to the same bits on one core and on two,
// with an interruption and in a replay.
func TestCustomMixerTrains(t *testing.T) {
	e := bound(t, tinyLeaky(), newLeaky)
	e.Model.Block.Dropout = 0.2
	whole := mustRun(t, e, Options{NewMixer: newLeaky, Workers: 1})
	if loss := whole.Curves[KeyTrainLoss].Values; loss[0] == loss[11] || whole.Params == 0 {
		t.Errorf("it does not train: %v, losses %v", whole, loss)
	}
	ctx, cancel := context.WithCancel(context.Background())
	rec := newMemoryRun()
	rec.onLog = func(key string, step int64) {
		if key == KeyTrainLoss && step == 7 {
			cancel()
		}
	}
	if _, err := Run(ctx, e, Options{NewMixer: newLeaky, Recorder: rec, Workers: 2}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	rest := mustRun(t, e, Options{NewMixer: newLeaky, Resume: rec.artifacts[CheckpointArtifact], Workers: 2})
	rest.prepend(&PastRun{Curves: rec.curves})
	sameCurves(t, "resumed", whole.Curves, rest.Curves)

	report, err := Replay(context.Background(), e, &PastRun{Curves: whole.Curves}, Options{NewMixer: newLeaky})
	if err != nil || !report.Equal() {
		t.Errorf("replay: %v, %v", report, err)
	}
	curves := maps.Clone(whole.Curves)
	curves["lambda/max"] = Curve{Steps: []int64{1}, Values: []float64{0.5}} // somebody else's
	report, err = Replay(context.Background(), e, &PastRun{Curves: curves}, Options{NewMixer: newLeaky})
	if err != nil || !report.Equal() {
		t.Errorf("replay of a run with a metric that is not the lab's: %v, %v", report, err)
	}
	n, err := Arm{Experiment: e, NewMixer: newLeaky}.CountParams()
	if err != nil || n != whole.Params {
		t.Errorf("the arm has %d parameters (%v), the run %d", n, err, whole.Params)
	}
	past := &PastRun{Checkpoint: whole.Checkpoint}
	if n, err := past.Params(e); err != nil || n != whole.Params {
		t.Errorf("the checkpoint has %d parameters (%v), the run %d", n, err, whole.Params)
	}
}

// TestCustomParamsReachTheMixer: another param is another result and another
// experiment, and is recorded.
func TestCustomParamsReachTheMixer(t *testing.T) {
	a := bound(t, tinyLeaky(), newLeaky)
	open, err := tinyLeaky().Set("model.mixer.params.bias=1.5")
	if err != nil {
		t.Fatal(err)
	}
	if tinyLeaky().Model.Mixer.Params["bias"] != -1.5 || a.Model.Mixer.Params["bias"] != -1.5 {
		t.Error("Set changed the map of the experiment that it started from")
	}
	b := bound(t, open, newLeaky)
	if a.Hash() == b.Hash() || a.Model.Mixer.Fingerprint == b.Model.Mixer.Fingerprint {
		t.Error("another bias is the same experiment")
	}
	x, y := mustRun(t, a, Options{NewMixer: newLeaky}), mustRun(t, b, Options{NewMixer: newLeaky})
	if x.Final["test/loss"] == y.Final["test/loss"] {
		t.Error("another bias gave the same loss")
	}
	back, err := ParseExperiment(b.JSON())
	if err != nil || back.Model.Mixer.Params["bias"] != 1.5 || back.Model.Mixer.Name != "leaky" || back.Hash() != b.Hash() {
		t.Errorf("JSON: %+v, %v", back.Model.Mixer, err)
	}
}

func TestConstructorAndKindBelongTogether(t *testing.T) {
	other := func(b *nn.Builder, width int, c MixerConfig) (nn.Mixer, error) {
		m, err := newLeaky(b, width, c)
		m.(*leaky).gate.B.SetData(initializer.Constant(width, 0.1))
		return m, err
	}
	withBias := bound(t, tinyLeaky(), newLeaky)
	for _, c := range []struct {
		what string
		e    Experiment
		f    MixerFunc
		want string
	}{
		{"no constructor", tinyLeaky(), nil, `uses the mixer "leaky", which is defined in a notebook or a program`},
		{"constructor of a built-in kind", tiny(S6), newLeaky, `model.mixer.kind is "s6", which is built in`},
		{"nil", tinyLeaky(), func(*nn.Builder, int, MixerConfig) (nn.Mixer, error) { return nil, nil }, `mixer "leaky" returned nil`},
		{"nil pointer", tinyLeaky(), func(*nn.Builder, int, MixerConfig) (nn.Mixer, error) { return (*leaky)(nil), nil }, `mixer "leaky" returned nil`},
		{"its error", tinyLeaky(), func(*nn.Builder, int, MixerConfig) (nn.Mixer, error) { return nil, errors.New("odd width") }, `mixer "leaky": odd width`},
		{"another layer", withBias, other, `not the mixer "leaky" of the experiment`},
	} {
		_, err := Run(context.Background(), c.e, Options{NewMixer: c.f})
		wantError(t, "Run: "+c.what, err, c.want)
		_, err = Bind(c.e, c.f)
		wantError(t, "Bind: "+c.what, err, c.want)
		arm := Arm{Name: "a", Experiment: c.e, NewMixer: c.f}
		_, err = RunStudy(context.Background(), StudyConfig{Name: "s", Arms: []Arm{arm}, LRs: []float64{1e-2}, Seeds: []uint64{1}}, StudyOptions{})
		wantError(t, "RunStudy: "+c.what, err, c.want, "arm a")
	}
	_, err := CountParams(tinyLeaky())
	wantError(t, "CountParams", err, `uses the mixer "leaky"`)
}

// narrow is a mixer that loses half of its channels.
type narrow struct{ nn.Identity }

func (narrow) Forward(tp *tensor.Tape, x *tensor.Tensor, _ *nn.State) *tensor.Tensor {
	return tp.Split(x, x.Dim(2)/2, x.Dim(2)/2)[0]
}

func TestBindRefusesAnotherShape(t *testing.T) {
	_, err := Bind(tinyLeaky(), func(*nn.Builder, int, MixerConfig) (nn.Mixer, error) { return narrow{}, nil })
	wantError(t, "half the channels", err, `Forward of the mixer "leaky" maps [2 7 16] to [2 7 8]`)
}

func TestCustomConfigErrors(t *testing.T) {
	for _, c := range []struct {
		edit func(m *MixerConfig)
		want string
	}{
		{func(m *MixerConfig) { m.Name = "" }, `model.mixer.name is "", want 1 to 64 letters`},
		{func(m *MixerConfig) { m.Name = "a b" }, `model.mixer.name is "a b"`},
		{func(m *MixerConfig) { m.Name = "s6" }, "one that is no kind of mixer"},
		{func(m *MixerConfig) { m.Params = map[string]float64{"x": math.NaN()} }, "model.mixer.params.x is NaN"},
		{func(m *MixerConfig) { m.Params = map[string]float64{"a.b": 1} }, `params has the name "a.b"`},
		{func(m *MixerConfig) { m.Fingerprint = "zz" }, `fingerprint is "zz"`},
		{func(m *MixerConfig) { m.State = 4 }, "state is 4, want nothing: kind custom"},
		{func(m *MixerConfig) { m.Kind = S6 }, "name is leaky, want nothing: kind s6"},
		{func(m *MixerConfig) { m.Kind = "leaky" }, `kind is "leaky", want one of identity`},
	} {
		e := tinyLeaky()
		c.edit(&e.Model.Mixer)
		wantError(t, c.want, e.Validate(), c.want)
	}
	e := tiny(S6)
	e.Model.Mixer.Params = map[string]float64{}
	if err := e.Validate(); err != nil || e.Hash() != tiny(S6).Hash() {
		t.Errorf("an empty map of params: %v, or another hash", err)
	}
}

// TestCustomMixerOnTheLadder: one study of rungs and a mixer of one's own; what
// it is compared with is in the table; and a study with another layer of the
// same name does not take the old layer's runs for its own.
func TestCustomMixerOnTheLadder(t *testing.T) {
	arms, err := Ladder(tiny(S6), "conv", "selective")
	if err != nil {
		t.Fatal(err)
	}
	arms = append(arms, Arm{Name: "leaky", Experiment: tinyLeaky(), NewMixer: newLeaky, From: "conv", Change: "a gated average"})
	c := StudyConfig{Name: "s", Arms: arms, LRs: []float64{1e-2, 2e-2}, TuneSeeds: []uint64{9}, Seeds: []uint64{1, 2}}
	book := &memory{}
	r, err := RunStudy(context.Background(), c, StudyOptions{Book: book, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got := cell(t, r, "leaky", "step"); got != "from conv" {
		t.Errorf("step %q, want from conv", got)
	}
	if got := cell(t, r, "leaky", "the one change"); got != "a gated average" {
		t.Errorf("change %q", got)
	}
	again, err := RunStudy(context.Background(), c, StudyOptions{Book: book, Workers: 2})
	if err != nil || len(book.runs) != 12 {
		t.Fatalf("the study ran again: %d runs, %v", len(book.runs), err)
	}
	sameCurves(t, "reused", r.Arms[2].Runs[1].Curves, again.Arms[2].Runs[1].Curves)
	if was, is := r.Arms[2].Runs[0].Params, again.Arms[2].Runs[0].Params; was != is || is == 0 {
		t.Errorf("%d parameters, reused %d", was, is)
	}
	c.Arms[2].NewMixer = func(b *nn.Builder, width int, _ MixerConfig) (nn.Mixer, error) {
		return newLeaky(b, width, CustomMixer("", map[string]float64{"bias": 3}))
	}
	if _, err := RunStudy(context.Background(), c, StudyOptions{Book: book, Workers: 2}); err != nil || len(book.runs) != 16 {
		t.Errorf("a layer that was edited: %d runs in the book, want 4 more than 12 (%v)", len(book.runs), err)
	}
	c.Arms[2].From = "mambo"
	wantError(t, "an arm compared with none", c.Validate(), `compared with "mambo"`)
}
