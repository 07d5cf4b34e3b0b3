package lab

import (
	"fmt"
	"math"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/ssm"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// trained is the first of an arm's runs that has ended well and kept its
// weights, nil if there is none. The first, not the best: a figure of one run
// should show the usual one.
func (a ArmResult) trained() *Result {
	for _, r := range a.Runs {
		if r.Status == Finished && len(r.Checkpoint) > 0 {
			return r
		}
	}
	return nil
}

// Spectrum is the eigenvalues of an arm's first trained run, all blocks one after
// the other, before and after training.
type Spectrum struct {
	Arm           string
	Before, After []complex128
}

// spectra returns the eigenvalues of every arm whose mixers tell them by a method
// Eigenvalues: from the weights of its runs, or as they were recorded. Weights that
// cannot be read are an error.
func (r *StudyResult) spectra() ([]Spectrum, error) {
	if r.views != nil {
		return r.views.spectra, nil
	}
	var out []Spectrum
	for _, a := range r.Arms {
		s, err := a.spectrum()
		if err != nil {
			return nil, err
		}
		if len(s.Before) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// spectrum is the eigenvalues of the arm's first trained run, the zero value if
// there is none, or none can be told.
func (a ArmResult) spectrum() (Spectrum, error) {
	s := Spectrum{Arm: a.Name}
	run := a.trained()
	if run == nil {
		return s, nil
	}
	before, _, err := BuildWith(run.Experiment, 1, a.NewMixer)
	if err != nil || len(eigenvalues(before)) == 0 {
		return s, err
	}
	after, err := LoadWith(run.Checkpoint, 1, a.NewMixer)
	if err != nil {
		return s, fmt.Errorf("lab: EigenFigure: arm %s: %w", a.Name, err)
	}
	s.Before, s.After = eigenvalues(before), eigenvalues(after.Model)
	return s, nil
}

// EigenFigure draws the eigenvalues of every arm whose mixers tell them by a
// method Eigenvalues, all blocks in one panel: after training, of the arm's
// first run, and before it, of the same experiment at its start. Those of an s6
// are exp(ΔA) with Δ = softplus(bias). The error says so if no arm has any.
func (r *StudyResult) EigenFigure() (*figure.Figure, error) {
	spectra, err := r.spectra()
	if err != nil {
		return nil, err
	}
	var disks []figure.Disk
	for _, s := range spectra {
		if a := r.Arm(s.Arm); a != nil {
			_, paint := a.family()
			disks = append(disks, figure.Disk{Name: a.label(), Color: paint, Before: s.Before, After: s.After})
		}
	}
	c := r.config("eigenvalues λ before and after training", "grey: before", "colour: after", "columns: shares of real λ, after upwards, before downwards",
		"each arm's first run, all blocks", "where Δ comes from the input: at Δ = softplus(bias)")
	return figure.Disks(c, disks)
}

// eigenvalues are those of all blocks whose mixer has some.
func eigenvalues(m *nn.Model) []complex128 {
	var out []complex128
	for _, b := range m.Blocks {
		if s, ok := b.Mixer.(interface{ Eigenvalues() []complex128 }); ok {
			out = append(out, s.Eigenvalues()...)
		}
	}
	return out
}

// selective is the arm that DeltaFigure shows: of those whose step Δ comes from
// the input, on text, the one with the best mean; nil if there is none.
func (r *StudyResult) selective() *ArmResult {
	var best *ArmResult
	worth := math.Inf(-1)
	for i := range r.Arms {
		a := &r.Arms[i]
		m := a.Experiment.Model.Mixer
		if r.Spec.Metric != task.BitsPerByte || m.Kind != S6 || !strings.Contains(m.Select, "delta") || a.trained() == nil {
			continue
		}
		if v := -r.Summary(*a).Mean; best == nil || v > worth {
			best, worth = a, v
		}
	}
	return best
}

// The texts that DeltaFigure shows, by what the model has learned to read.
const (
	codeSample = "// sum adds the numbers of a list, from the first to the last.\nfunc sum(list []float64) (total float64) {\n" +
		"\tfor _, v := range list {\n\t\ttotal += v // the order counts: (a+b)+c is not a+(b+c)\n\t}\n\treturn total\n}\n"
	proseSample = "a small step keeps what was read before and a large one lets it go so that a model may hold a name through a long line " +
		"and forget the blanks between the words once a new word has begun"
)

// DeltaView is the step Δ of a selective model over a text.
type DeltaView struct {
	Arm  string           `json:"arm"`
	Seed uint64           `json:"seed"`
	Text string           `json:"text"`
	Rows []figure.TextRow `json:"rows"` // one a block
}

// deltaView computes Δ of the best arm that selects it, or returns what was
// recorded; nil if the task is no text or no such arm was trained.
func (r *StudyResult) deltaView() (*DeltaView, error) {
	if r.views != nil {
		return r.views.delta, nil
	}
	a := r.selective()
	if a == nil {
		return nil, nil
	}
	v := &DeltaView{Arm: a.Name, Text: proseSample}
	if a.Experiment.Task.Name == task.GoSource {
		v.Text = codeSample
	}
	run := a.trained()
	v.Seed = run.Experiment.Seed
	loaded, err := LoadWith(run.Checkpoint, 1, a.NewMixer)
	if err == nil {
		v.Rows, err = loaded.deltaRows(v.Text)
	}
	if err != nil {
		return nil, fmt.Errorf("lab: DeltaFigure: arm %s: %w", a.Name, err)
	}
	return v, nil
}

// DeltaFigure draws the step Δ of the best arm that computes it from the input
// over a short text, a row a block: the geometric mean over the channels at each
// byte. A small Δ leaves the state as it is, a large one replaces it by what is
// read. The error says so if the task is no text or no such arm was trained.
func (r *StudyResult) DeltaFigure() (*figure.Figure, error) {
	v, err := r.deltaView()
	if err != nil {
		return nil, err
	}
	if v == nil || r.Arm(v.Arm) == nil {
		return nil, fmt.Errorf("lab: DeltaFigure: no trained arm of %s computes Δ from bytes of text", r.Config.Name)
	}
	c := r.config(fmt.Sprintf("the step Δ of %s at each byte of a text", r.Arm(v.Arm).label()), fmt.Sprintf("after training, seed %d", v.Seed),
		"the taller and darker, the more of the state is replaced", "geometric mean over the channels, logarithmic scale", "·: blank, →: tab, ¶: end of line")
	c.LogY = true
	return figure.TextBars(c, visible(v.Text), v.Rows)
}

// deltaRows is the geometric mean over the channels of Δ at each byte, a row for
// every block whose Δ comes from the input.
func (l *Loaded) deltaRows(text string) ([]figure.TextRow, error) {
	b := &task.Batch{B: 1, L: len(text)}
	for _, c := range []byte(text) {
		b.Tokens = append(b.Tokens, int32(c))
	}
	var rows []figure.TextRow
	for i := range l.Model.Blocks {
		m, ok := l.Model.Blocks[i].Mixer.(*ssm.S6)
		if !ok || !m.Config().Selective.Delta {
			continue
		}
		tp := tensor.NewTape(l.Params[0].Tensor.Device())
		tp.SetGrad(false)
		u, err := l.MixerInput(tp, i, b)
		if err != nil {
			return nil, err
		}
		delta := m.Delta(tp, u).Data()
		row := figure.TextRow{Name: fmt.Sprintf("block %d", i+1)}
		for d := len(delta) / len(text); len(delta) > 0; delta = delta[d:] {
			row.Values = append(row.Values, geometricMean(delta[:d]))
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func geometricMean(xs []float64) float64 {
	var sum float64
	for _, x := range xs {
		sum += math.Log(x)
	}
	return math.Exp(sum / float64(len(xs)))
}

// visible is the bytes of a text as symbols that can be seen.
func visible(text string) []string {
	out := make([]string, len(text))
	for i, c := range []byte(text) {
		switch {
		case c == ' ':
			out[i] = "·"
		case c == '\t':
			out[i] = "→"
		case c == '\n':
			out[i] = figure.LineEnd
		case c < ' ' || c > '~':
			out[i] = "▫"
		default:
			out[i] = string(rune(c))
		}
	}
	return out
}
