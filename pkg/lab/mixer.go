package lab

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/rnn"
	"github.com/gophersnake/gophersnake/pkg/ssm"
)

// MixerKind names what carries information along time.
type MixerKind string

// The mixers.
const (
	Identity  MixerKind = "identity"  // nothing: the block's convolution alone
	Attention MixerKind = "attention" // causal softmax attention
	Dense     MixerKind = "dense"     // dense recurrence, tanh or linear
	GRU       MixerKind = "gru"
	LSTM      MixerKind = "lstm"
	MinGRU    MixerKind = "mingru"
	MinLSTM   MixerKind = "minlstm"
	Diagonal  MixerKind = "diagonal" // complex diagonal recurrence up to the LRU
	SISO      MixerKind = "siso"     // the same with states of its own for each channel
	S4D       MixerKind = "s4d"
	S6        MixerKind = "s6" // selective state space, Mamba's
)

// Mixers lists the built-in mixers; Custom stands for all others.
func Mixers() []MixerKind {
	return []MixerKind{Identity, Attention, Dense, GRU, LSTM, MinGRU, MinLSTM, Diagonal, SISO, S4D, S6}
}

// MixerConfig holds the settings of every kind of mixer in one flat struct, so
// that two of them differ in the fields that were changed and no others. A
// field that the kind does not use must be empty.
type MixerConfig struct {
	Kind         MixerKind `json:"kind"`
	Heads        int       `json:"heads,omitempty"`        // attention
	HeadDim      int       `json:"head_dim,omitempty"`     // attention: channels of a head, 0 for the width over heads
	State        int       `json:"state,omitempty"`        // N: hidden units, or states per channel for siso, s4d and s6
	Nonlinearity string    `json:"nonlinearity,omitempty"` // dense: "tanh" or "none"
	Start        string    `json:"start,omitempty"`        // dense: how A starts
	Param        string    `json:"param,omitempty"`        // diagonal, siso: how λ is trained
	RMin         float64   `json:"r_min,omitempty"`        // diagonal, siso: λ starts uniform by area on the ring
	RMax         float64   `json:"r_max,omitempty"`        //
	MaxPhase     float64   `json:"max_phase,omitempty"`    //
	Gamma        bool      `json:"gamma,omitempty"`        // diagonal, siso: learned input scale √(1−|λ|²)
	Select       string    `json:"select,omitempty"`       // s6: which of "delta,b,c" are computed from the input; "none" for none
	A            string    `json:"a,omitempty"`            // s4d, s6: where A starts
	Signed       bool      `json:"signed,omitempty"`       // s6: eigenvalues in (−1,1)
	DeltaRank    int       `json:"delta_rank,omitempty"`   // s6: width of Δ's projection, 0 for ⌈d/16⌉
	DtMin        float64   `json:"dt_min,omitempty"`       // s4d, s6: Δ starts log-uniform on [dt_min, dt_max)
	DtMax        float64   `json:"dt_max,omitempty"`       //

	Name        string             `json:"name,omitempty"`        // custom: what it is called
	Params      map[string]float64 `json:"params,omitempty"`      // custom: its settings
	Fingerprint string             `json:"fingerprint,omitempty"` // custom: what it computes, written by Bind
}

// DefaultMixer returns the usual settings of a kind.
func DefaultMixer(k MixerKind) MixerConfig {
	c := MixerConfig{Kind: k}
	switch k {
	case Attention:
		c.Heads = 2
	case Dense:
		c.State, c.Nonlinearity, c.Start = 32, string(rnn.Tanh), string(rnn.Ginibre)
	case GRU, LSTM, MinGRU, MinLSTM:
		c.State = 32
	case Diagonal:
		c.State, c.Param, c.RMin, c.RMax, c.MaxPhase, c.Gamma = 32, string(ssm.ParamPolar), ringMin, ringMax, 2*math.Pi, true
	case SISO:
		c.State, c.Param, c.RMin, c.RMax, c.MaxPhase, c.Gamma = 1, string(ssm.ParamPolar), ringMin, ringMax, 2*math.Pi, true
	case S4D:
		c.State, c.A, c.DtMin, c.DtMax = 16, string(ssm.ALin), 0.001, 0.1
	case S6:
		c.State, c.Select, c.A, c.DtMin, c.DtMax = 16, "delta,b,c", string(ssm.AReal), 0.001, 0.1
	}
	return c
}

// uses lists the JSON fields that a kind reads.
func (k MixerKind) uses() []string {
	switch k {
	case Attention:
		return []string{"heads", "head_dim"}
	case Dense:
		return []string{"state", "nonlinearity", "start"}
	case GRU, LSTM, MinGRU, MinLSTM:
		return []string{"state"}
	case Diagonal, SISO:
		return []string{"state", "param", "r_min", "r_max", "max_phase", "gamma"}
	case S4D:
		return []string{"state", "a", "dt_min", "dt_max"}
	case S6:
		return []string{"state", "select", "a", "signed", "delta_rank", "dt_min", "dt_max"}
	case Custom:
		return []string{"name", "params", "fingerprint"}
	}
	return nil
}

// mixerList is the kinds of mixers for messages.
func mixerList() string {
	var names []string
	for _, k := range Mixers() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// validate reports every field that is wrong for a mixer over width channels.
func (c MixerConfig) validate(width int) error {
	if c.Kind != Custom && !slices.Contains(Mixers(), c.Kind) {
		return fmt.Errorf("kind is %q, want one of %s, or %s", c.Kind, mixerList(), Custom)
	}
	var errs []error
	v, t := reflect.ValueOf(c), reflect.TypeFor[MixerConfig]()
	for i := 1; i < t.NumField(); i++ {
		field, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if !empty(v.Field(i)) && !slices.Contains(c.Kind.uses(), field) {
			errs = append(errs, fmt.Errorf("%s is %v, want nothing: kind %s does not use it", field, v.Field(i), c.Kind))
		}
	}
	switch c.Kind {
	case Attention:
		switch {
		case c.HeadDim < 0 || c.HeadDim%2 != 0 || c.HeadDim > 1<<12:
			errs = append(errs, fmt.Errorf("head_dim is %d, want an even number to 4096, or 0 for the width over heads", c.HeadDim))
		case c.HeadDim > 0 && (c.Heads < 1 || c.Heads > 1<<10):
			errs = append(errs, fmt.Errorf("heads is %d, want 1 to 1024", c.Heads))
		case c.HeadDim == 0 && (c.Heads < 1 || width%c.Heads != 0 || width/c.Heads%2 != 0):
			errs = append(errs, fmt.Errorf("heads is %d, want a divisor of %d channels that leaves an even number per head", c.Heads, width))
		}
	case Dense:
		errs = append(errs, c.dense(width).Validate())
	case GRU:
		errs = append(errs, c.gru(width).Validate())
	case LSTM:
		errs = append(errs, c.lstm(width).Validate())
	case MinGRU, MinLSTM:
		errs = append(errs, c.min(width).Validate())
	case Diagonal:
		errs = append(errs, c.diagonal(width).Validate())
	case SISO:
		errs = append(errs, c.siso(width).Validate())
	case S4D:
		errs = append(errs, c.s4d(width).Validate())
	case S6:
		_, err := parseSelect(c.Select)
		errs = append(errs, err, c.s6(width, width).Validate())
	case Custom:
		errs = append(errs, c.validateCustom())
	}
	return errors.Join(errs...)
}

// empty reports whether JSON leaves the field out.
func empty(v reflect.Value) bool {
	return v.IsZero() || v.Kind() == reflect.Map && v.Len() == 0
}

// NewMixer is the one switch over the built-in mixers.
func NewMixer(b *nn.Builder, width int, m ModelConfig) (nn.Mixer, error) {
	c := m.Mixer
	switch c.Kind {
	case Identity:
		return nn.Identity{}, nil
	case Attention:
		if c.HeadDim > 0 {
			return nn.NewHeads(b, width, c.Heads, c.HeadDim)
		}
		return nn.NewAttention(b, width, c.Heads)
	case Dense:
		return rnn.NewDense(b, c.dense(width))
	case GRU:
		return rnn.NewGRU(b, c.gru(width))
	case LSTM:
		return rnn.NewLSTM(b, c.lstm(width))
	case MinGRU:
		return rnn.NewMinGRU(b, c.min(width))
	case MinLSTM:
		return rnn.NewMinLSTM(b, c.min(width))
	case Diagonal:
		return ssm.NewDiagonal(b, c.diagonal(width))
	case SISO:
		return ssm.NewSISO(b, c.siso(width))
	case S4D:
		return ssm.NewS4D(b, c.s4d(width))
	case S6:
		return ssm.NewS6(b, c.s6(width, m.D))
	case Custom:
		return nil, c.wantConstructor(nil)
	}
	return nil, fmt.Errorf("model.mixer.kind is %q, want one of %s", c.Kind, mixerList())
}

func (c MixerConfig) dense(width int) rnn.DenseConfig {
	return rnn.DenseConfig{D: width, N: c.State, Nonlinearity: rnn.Nonlinearity(c.Nonlinearity), A: rnn.AInit(c.Start)}
}

func (c MixerConfig) gru(width int) rnn.GRUConfig {
	g := rnn.DefaultGRUConfig()
	g.D, g.H = width, c.State
	return g
}

func (c MixerConfig) lstm(width int) rnn.LSTMConfig {
	l := rnn.DefaultLSTMConfig()
	l.D, l.H = width, c.State
	return l
}

func (c MixerConfig) min(width int) rnn.MinConfig {
	m := rnn.DefaultMinConfig()
	m.D, m.H = width, c.State
	return m
}

func (c MixerConfig) diagonal(width int) ssm.DiagonalConfig {
	return ssm.DiagonalConfig{D: width, N: c.State, Param: ssm.Param(c.Param), RMin: c.RMin, RMax: c.RMax, MaxPhase: c.MaxPhase, Gamma: c.Gamma}
}

func (c MixerConfig) siso(width int) ssm.SISOConfig {
	return ssm.SISOConfig{D: width, N: c.State, Param: ssm.Param(c.Param), RMin: c.RMin, RMax: c.RMax, MaxPhase: c.MaxPhase, Gamma: c.Gamma}
}

// stateSize returns how many numbers a mixer over width channels carries from
// step to step, and whether they grow with the length (then a step's share).
func (c MixerConfig) stateSize(width int) (n int, grows bool) {
	switch c.Kind {
	case Attention:
		dim := c.HeadDim
		if dim == 0 {
			dim = width / c.Heads
		}
		return 2 * c.Heads * dim, true // a key and a value
	case Dense, GRU, MinGRU, MinLSTM:
		return c.State, false
	case LSTM, Diagonal: // (h, c); real and imaginary part
		return 2 * c.State, false
	case SISO:
		if c.Param == string(ssm.ParamReal) {
			return width * c.State, false
		}
		return 2 * width * c.State, false
	case S4D, S6:
		return width * c.State, false
	}
	return 0, false
}

func (c MixerConfig) s4d(width int) ssm.S4DConfig {
	return ssm.S4DConfig{D: width, N: c.State, A: ssm.AInit(c.A), DtMin: c.DtMin, DtMax: c.DtMax}
}

func (c MixerConfig) s6(width, model int) ssm.S6Config {
	s := ssm.DefaultS6Config()
	s.D, s.N, s.Model, s.DeltaRank = width, c.State, model, c.DeltaRank
	s.A, s.Signed, s.DtMin, s.DtMax = ssm.AInit(c.A), c.Signed, c.DtMin, c.DtMax
	s.Selective, _ = parseSelect(c.Select)
	return s
}

// parseSelect reads "delta,b,c", any of the three in this order, or "none".
func parseSelect(s string) (ssm.Selective, error) {
	out := ssm.Selective{}
	rest := strings.Split(s, ",")
	if s == "none" {
		return out, nil
	}
	for _, part := range []struct {
		name string
		on   *bool
	}{{"delta", &out.Delta}, {"b", &out.B}, {"c", &out.C}} {
		if len(rest) > 0 && rest[0] == part.name {
			*part.on, rest = true, rest[1:]
		}
	}
	if len(rest) > 0 {
		return out, fmt.Errorf(`select is %q, want "none" or some of "delta,b,c" in this order`, s)
	}
	return out, nil
}
