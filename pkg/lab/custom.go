package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Custom is the kind of a mixer that the lab does not know: one written in a
// notebook or in a program of the user's. Its MixerConfig has a Name and
// Params; who runs the experiment passes the constructor, a MixerFunc.
const Custom MixerKind = "custom"

// MixerFunc makes the mixer of one block over width channels; c is the
// experiment's, of kind Custom. All that depends on chance must come from b, and
// all that is to be varied and recorded from c. It is called once a block, and
// from several goroutines when runs of a study go side by side.
type MixerFunc func(b *nn.Builder, width int, c MixerConfig) (nn.Mixer, error)

// CustomMixer is the config of a mixer of one's own. The name and the params
// are letters, digits, "_" and "-"; params may be nil.
func CustomMixer(name string, params map[string]float64) MixerConfig {
	return MixerConfig{Kind: Custom, Name: name, Params: params}
}

// Label is what to call the mixer in a table: the name of a custom one, the
// kind of any other.
func (c MixerConfig) Label() string {
	if c.Kind == Custom {
		return c.Name
	}
	return string(c.Kind)
}

var (
	customName        = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	customFingerprint = regexp.MustCompile(`^([0-9a-f]{16})?$`)
)

// validateCustom reports what is wrong with the fields of kind Custom.
func (c MixerConfig) validateCustom() error {
	var errs []error
	const letters = "1 to 64 letters, digits, _ or -"
	if !customName.MatchString(c.Name) {
		errs = append(errs, fmt.Errorf("name is %q, want %s", c.Name, letters))
	}
	if k := MixerKind(c.Name); k == Custom || slices.Contains(Mixers(), k) {
		errs = append(errs, fmt.Errorf("name is %q, want one that is no kind of mixer", c.Name))
	}
	for _, key := range sortedKeys(c.Params) {
		if v := c.Params[key]; math.IsNaN(v) || math.IsInf(v, 0) {
			errs = append(errs, fmt.Errorf("params.%s is %g, want a finite number", key, v))
		}
		if !customName.MatchString(key) {
			errs = append(errs, fmt.Errorf("params has the name %q, want %s", key, letters))
		}
	}
	if !customFingerprint.MatchString(c.Fingerprint) {
		errs = append(errs, fmt.Errorf("fingerprint is %q, want none or 16 hexadecimal digits", c.Fingerprint))
	}
	return errors.Join(errs...)
}

func sortedKeys(m map[string]float64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Bind returns e with the fingerprint of the mixer that newMixer makes, so that
// e names what it trains: two versions of a layer are two experiments. An
// experiment of a built-in mixer, for which newMixer must be nil, comes back as
// it is. It is an error if constructor and kind do not belong together, if the
// constructor returns no mixer or a mixer that does not keep the shape, or if e
// has the fingerprint of another mixer already.
//
// RunStudy binds its arms. Who opens runs by hand binds before, as the hash of
// the experiment depends on it.
func Bind(e Experiment, newMixer MixerFunc) (Experiment, error) {
	if err := e.Validate(); err != nil {
		return e, err
	}
	if err := e.Model.Mixer.wantConstructor(newMixer); err != nil || newMixer == nil {
		return e, err
	}
	print, err := fingerprint(e, newMixer)
	if err != nil {
		return e, err
	}
	c := &e.Model.Mixer
	if c.Fingerprint != "" && c.Fingerprint != print {
		return e, fmt.Errorf("lab: this is not the mixer %q of the experiment: its fingerprint is %s, want %s; its code or its start has changed since",
			c.Name, print, c.Fingerprint)
	}
	c.Fingerprint = print
	return e, nil
}

// wantConstructor says whether a constructor is there if and only if the kind
// needs one.
func (c MixerConfig) wantConstructor(f MixerFunc) error {
	switch {
	case c.Kind == Custom && f == nil:
		return fmt.Errorf("lab: the experiment uses the mixer %q, which is defined in a notebook or a program, not in gophersnake: pass its constructor as NewMixer of Options, Arm or GenerateOptions, or to LoadWith", c.Name)
	case c.Kind != Custom && f != nil:
		return fmt.Errorf("lab: NewMixer is given, but model.mixer.kind is %q, which is built in: want none, or CustomMixer(name, params) as the experiment's mixer", c.Kind)
	}
	return nil
}

// maker returns the function that makes the mixers of a model.
func (m ModelConfig) maker(f MixerFunc) nn.NewMixerFunc {
	if m.Mixer.Kind != Custom {
		return func(b *nn.Builder, width int) (nn.Mixer, error) { return NewMixer(b, width, m) }
	}
	return func(b *nn.Builder, width int) (nn.Mixer, error) {
		made, err := f(b, width, m.Mixer)
		if err != nil {
			return nil, fmt.Errorf("lab: the mixer %q: %w", m.Mixer.Name, err)
		}
		if isNil(made) {
			return nil, fmt.Errorf("lab: the constructor of the mixer %q returned nil, want a mixer or an error", m.Mixer.Name)
		}
		return made, nil
	}
}

// isNil also knows a nil pointer in an interface.
func isNil(m nn.Mixer) bool {
	if m == nil {
		return true
	}
	v := reflect.ValueOf(m)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// Size of the input that tells mixers apart.
const probeBatch, probeSteps = 2, 7

// fingerprint hashes what a mixer of the experiment's width computes in float64
// on a fixed input: its parameters with names, shapes and groups, its output,
// and the gradients of a random projection of it. Numbers count with six
// digits, for the last ones differ between processors. What shows only on longer
// inputs is not seen.
func fingerprint(e Experiment, newMixer MixerFunc) (string, error) {
	dev := tensor.Reference()
	b := nn.NewBuilder(dev, 1)
	m := e.Model
	m.Mixer.Fingerprint = ""
	width := m.Block.Width(m.D)
	mixer, err := m.maker(newMixer)(b, width)
	if err != nil {
		return "", err
	}
	rng := initializer.NewRand(1, "fingerprint")
	n := probeBatch * probeSteps * width
	x := tensor.Variable(dev, initializer.Normal(rng, n, 1), probeBatch, probeSteps, width)
	tp := tensor.NewTape(dev)
	tp.SetGrad(true)
	tp.SetTraining(true)
	tp.SetSeed(1)
	y := mixer.Forward(tp, x, nil)
	if y == nil || !slices.Equal(y.Shape(), x.Shape()) {
		return "", fmt.Errorf("lab: Forward of the mixer %q maps %v to %s, want the same shape", m.Mixer.Name, x.Shape(), shapeOf(y))
	}
	h := sha256.New()
	writeNumbers(h, "y", y.Shape(), y.Data())
	for _, p := range b.Params() {
		writeNumbers(h, fmt.Sprint(p.Name, " ", p.Group), p.Shape(), p.Data())
	}
	tp.Backward(tp.Sum(tp.Mul(y, tensor.From(dev, initializer.Normal(rng, n, 1), x.Shape()...))))
	writeNumbers(h, "dx", x.Shape(), x.Grad())
	for _, p := range b.Params() {
		writeNumbers(h, "d"+p.Name, p.Shape(), p.Grad())
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

func shapeOf(t *tensor.Tensor) string {
	if t == nil {
		return "nil"
	}
	return fmt.Sprint(t.Shape())
}

func writeNumbers(w io.Writer, name string, shape []int, xs []float64) {
	fmt.Fprintln(w, name, shape)
	var text []byte
	for _, x := range xs {
		if math.Abs(x) < 1e-12 { // what cancels is left with the rounding of its terms
			x = 0
		}
		text = append(strconv.AppendFloat(text[:0], x, 'e', 5, 64), '\n')
		w.Write(text)
	}
}
