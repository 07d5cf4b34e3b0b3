package lab

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/ssm"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// TestLoad: a loaded model predicts on "test" what the run that wrote the
// checkpoint logged.
func TestLoad(t *testing.T) {
	for _, device := range tensor.DeviceNames() {
		e := tiny(Diagonal)
		e.Device = device
		r := mustRun(t, e, Options{})
		m, err := Load(r.Checkpoint)
		if err != nil {
			t.Fatal(err)
		}
		if m.Step != 12 || m.Experiment.Hash() != e.Hash() || m.String() != "diagonal on selective-copying, seed 1, after 12 steps: "+itoa(r.Params)+" parameters" {
			t.Errorf("loaded %v", m)
		}
		if got := accuracyOf(t, m); got != r.Final["test/accuracy"] {
			t.Errorf("%s: accuracy %g, the run logged %g", device, got, r.Final["test/accuracy"])
		}
		start, _, err := Build(e, 1)
		if err != nil {
			t.Fatal(err)
		}
		before, after := start.Blocks[0].Mixer.(*ssm.Diagonal).Eigenvalues(), m.Model.Blocks[0].Mixer.(*ssm.Diagonal).Eigenvalues()
		if len(after) != 4 || slices.Equal(before, after) {
			t.Errorf("%s: eigenvalues %v are those of the start", device, after)
		}
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func accuracyOf(t *testing.T, m *Loaded) float64 {
	t.Helper()
	data, err := task.New(m.Experiment.Task, m.Experiment.Seed)
	if err != nil {
		t.Fatal(err)
	}
	tp := tensor.NewTape(m.Params[0].Device())
	tp.SetGrad(false)
	right, all := 0, 0
	for i := 0; ; i++ {
		b, ok := data.Eval("test", i)
		if !ok {
			return float64(right) / float64(all)
		}
		tp.Reset()
		right += countCorrect(tp.Argmax(m.Forward(tp, b)), b.Targets)
		all += b.Scored()
	}
}

func TestLoadedParams(t *testing.T) {
	m, err := Load(mustRun(t, tiny(S6), Options{}).Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Param("layers.1.mixer.A_log")
	if err != nil || !slices.Equal(p.Shape(), []int{16, 4}) {
		t.Errorf("A_log of the second block: %v, %v", p, err)
	}
	_, err = m.Param("layers.1.mixer.A_lag")
	wantError(t, "a typing error", err, `did you mean "layers.1.mixer.A_log"`)
	_, err = m.Param("nonsense")
	wantError(t, "no parameter", err, "want one of", "layers.0.norm.weight")
	if len(m.Names()) != len(m.Params) {
		t.Errorf("%d names of %d parameters", len(m.Names()), len(m.Params))
	}
}

// TestMixerInput works the input of the first mixer out from the weights, as
// Mamba's block defines it, and sees that the model is left as it was.
func TestMixerInput(t *testing.T) {
	m, err := Load(mustRun(t, tiny(S6), Options{}).Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	data, err := task.New(m.Experiment.Task, 1)
	if err != nil {
		t.Fatal(err)
	}
	b := data.Train(0)
	tp := tensor.NewTape(m.Params[0].Device())
	tp.SetGrad(false)
	want := m.Forward(tp, b).Data()
	mixer := m.Model.Blocks[0].Mixer
	x, err := m.MixerInput(tp, 0, b)
	if err != nil || !slices.Equal(x.Shape(), []int{b.B, b.L, 16}) {
		t.Fatalf("input %v, %v", x, err)
	}
	w := func(name string) *tensor.Tensor {
		p, err := m.Param(name)
		if err != nil {
			t.Fatal(err)
		}
		return p.Tensor
	}
	u := tp.RMSNorm(tp.Embedding(b.Tokens, w("embedding.weight"), b.B, b.L), w("layers.0.norm.weight"), 1e-5)
	u = tp.Linear(u, w("layers.0.in_proj.weight").Rows(0, 16), nil)
	u = tp.Conv1D(u, w("layers.0.conv1d.weight"), w("layers.0.conv1d.bias"), true, nil)
	if !slices.Equal(x.Data(), u.Data()) {
		t.Error("the input is not SiLU(conv(W norm(embedding)))")
	}
	if m.Model.Blocks[0].Mixer != mixer || !slices.Equal(m.Forward(tp, b).Data(), want) {
		t.Error("looking at the input changed the model")
	}
	for _, block := range []int{-1, 2} {
		_, err := m.MixerInput(tp, block, b)
		wantError(t, "block", err, "want 0 to 1")
	}
}

// reseal writes a checkpoint with another header and payload and a right sum,
// as no accident would: what is behind the sum is looked at too.
func reseal(header, payload []byte) []byte {
	var b bytes.Buffer
	b.WriteString(checkpointMagic)
	binary.Write(&b, binary.LittleEndian, uint64(len(header)))
	b.Write(header)
	b.Write(payload)
	sum := sha256.Sum256(b.Bytes())
	return append(b.Bytes(), sum[:]...)
}

// unseal is the inverse of reseal.
func unseal(data []byte) (header, payload []byte) {
	n := binary.LittleEndian.Uint64(data[8:])
	return data[16 : 16+n], data[16+n : len(data)-sha256.Size]
}

func TestLoadDamaged(t *testing.T) {
	good := mustRun(t, tiny(S6), Options{}).Checkpoint
	header, payload := unseal(good)
	if !bytes.Equal(reseal(header, payload), good) {
		t.Fatal("reseal does not write what encodeCheckpoint writes")
	}
	edit := func(from, to string) []byte {
		changed := bytes.Replace(header, []byte(from), []byte(to), 1)
		if bytes.Equal(changed, header) {
			t.Fatalf("the header has no %s: %s", from, header)
		}
		return reseal(changed, payload)
	}
	flipped := slices.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for _, c := range []struct {
		what string
		data []byte
		want string
	}{
		{"nothing", nil, "there is no checkpoint"},
		{"another file", []byte("PK\x03\x04 something long enough to be one, but it is none of ours"), "not a checkpoint"},
		{"the beginning", good[:len(good)/2], "damaged"},
		{"all but the last byte", good[:len(good)-1], "SHA-256 does not match"},
		{"a byte more", append(slices.Clone(good), 0), "SHA-256 does not match"},
		{"a flipped bit", flipped, "SHA-256 does not match"},
		{"a payload cut short", reseal(header, payload[:len(payload)-4]), "bytes of numbers, want"},
		{"no header", reseal(nil, payload), "damaged: header"},
		{"another name", edit(`"layers.0.norm.weight"`, `"layers.0.norm.height"`), "parameter 1 is layers.0.norm.height"},
		{"another model", edit(`"layers":2`, `"layers":1`), "the model has"},
		{"another width", edit(`"state":4`, `"state":5`), "x_proj.weight"},
		{"an unknown field", edit(`"state":4`, `"stale":4`), "unknown field"},
		{"a negative step", edit(`"step":12`, `"step":-1`), "step -1 of 12"},
		{"a step beyond the last", edit(`"step":12`, `"step":13`), "step 13 of 12"},
		{"bits of the other device", edit(`"bits":32`, `"bits":64`), "64 bits a number, want 32"},
		{"a negative length", edit(`"len":8`, `"len":-8`), "-80 elements"},
		{"a mixer of one's own", edit(`"kind":"s6"`, `"kind":"custom","name":"x"`), "want nothing: kind custom"},
	} {
		m, err := Load(c.data)
		wantError(t, c.what, err, c.want)
		if m != nil {
			t.Errorf("%s: there is a model beside the error", c.what)
		}
	}
	if _, err := Load(good); err != nil {
		t.Errorf("the whole one: %v", err)
	}
}

func TestLoadCustom(t *testing.T) {
	e := bound(t, tinyLeaky(), newLeaky)
	r := mustRun(t, e, Options{NewMixer: newLeaky})
	_, err := Load(r.Checkpoint)
	wantError(t, "no constructor", err, `uses the mixer "leaky"`, "LoadWith")
	m, err := LoadWith(r.Checkpoint, 1, newLeaky)
	if err != nil {
		t.Fatal(err)
	}
	if got := accuracyOf(t, m); got != r.Final["test/accuracy"] {
		t.Errorf("accuracy %g, the run logged %g", got, r.Final["test/accuracy"])
	}
}

// FuzzLoad changes header and payload behind a right sum: there is an error or
// a model whose parameters are the payload's.
func FuzzLoad(f *testing.F) {
	r, err := Run(f.Context(), tiny(S6), Options{})
	if err != nil {
		f.Fatal(err)
	}
	header, payload := unseal(r.Checkpoint)
	f.Add(header, payload)
	f.Add([]byte(`{"experiment":{}}`), []byte{})
	f.Fuzz(func(t *testing.T, header, payload []byte) {
		data := reseal(header, payload)
		c, err := DecodeCheckpoint(data)
		if err != nil {
			return
		}
		if small := tiny(S6); c.Experiment.Model.D > 2*small.Model.D || c.Experiment.Model.Layers > 9 || c.Experiment.Task.Vocab > 999 {
			t.Skip("a model that may not fit in memory")
		}
		m, err := Load(data)
		if err != nil {
			return
		}
		if got := m.Params[0].Data()[0]; got != c.values[0][0] && !math.IsNaN(got) {
			t.Errorf("the first weight is %g, want %g", got, c.values[0][0])
		}
	})
}
