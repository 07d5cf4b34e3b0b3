package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// small is a training job that takes a moment.
func small(model string) Job {
	return Job{Kind: kindTrain, Model: model, D: 8, Layers: 2, Batch: 2, Length: 8, Vocab: 16, State: 4, Heads: 2, LR: 1e-3, Threads: 2, Warm: 3}
}

// answers runs a job as a child with the given turns and returns its lines.
func answers(t *testing.T, j Job, turns string) []string {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := child(string(text), strings.NewReader(turns), &out); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

// TestTokensAreThePeers: the numbers are those of draw_tokens in common.py.
func TestTokensAreThePeers(t *testing.T) {
	if got := drawTokens(8, 256); !slices.Equal(got, []int32{136, 136, 22, 115, 240, 152, 86, 98}) {
		t.Errorf("%v", got)
	}
	if got := drawTokens(4, 50280); !slices.Equal(got, []int32{15496, 24200, 33046, 46195}) {
		t.Errorf("%v", got)
	}
}

// TestEveryWorkloadRuns builds a small version of every model that is compared,
// and checks that it trains.
func TestEveryWorkloadRuns(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range everyWorkload() {
		j := small(w.Job.Model)
		j.Kind = w.Job.Kind
		j.Format = w.Job.Format
		if key := j.Kind + j.Model + j.Format; seen[key] {
			continue
		} else {
			seen[key] = true
		}
		lines := answers(t, j, "0.001\n0.001\n")
		if len(lines) != 3 {
			t.Fatalf("%s: %d lines, want one and two turns", w.Name, len(lines))
		}
		var r Ready
		var turn Turn
		if err := json.Unmarshal([]byte(lines[0]), &r); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(lines[2]), &turn); err != nil {
			t.Fatal(err)
		}
		if r.Params == 0 || len(r.Found) == 0 || len(turn.Seconds) == 0 {
			t.Errorf("%s: ready %+v, turn %+v", w.Name, r, turn)
		}
		if j.Kind == kindTrain && r.Found[2] >= r.Found[0] {
			t.Errorf("%s: losses %v do not fall", w.Name, r.Found)
		}
	}
	if len(seen) != 11 {
		t.Errorf("%d kinds of workloads were run: %v", len(seen), seen)
	}
}

// TestWeightsAreTheModels reads the file of weights back and compares it with
// the model that the other process builds from the seed.
func TestWeightsAreTheModels(t *testing.T) {
	j := small("mamba")
	j.Kind, j.Variant, j.Weights = kindWeights, kindTrain, filepath.Join(t.TempDir(), "w")
	if err := writeWeights(j); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(j.Weights)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(j.Weights + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var index []entry
	if err := json.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	w, err := newWork(small("mamba"), tensor.CPU(1))
	if err != nil {
		t.Fatal(err)
	}
	if len(index) != len(w.params()) {
		t.Fatalf("%d entries, want %d", len(index), len(w.params()))
	}
	for i, p := range w.params() {
		if index[i].Name != p.Name || !slices.Equal(index[i].Shape, p.Shape()) || index[i].Group != string(p.Group) {
			t.Errorf("entry %+v, want %s %v %s", index[i], p.Name, p.Shape(), p.Group)
		}
		for k, v := range p.Data() {
			if got := math.Float32frombits(binary.LittleEndian.Uint32(data[4*k:])); got != float32(v) {
				t.Fatalf("%s[%d] is %v, want %v", p.Name, k, got, v)
			}
		}
		data = data[4*p.Len():]
	}
	if len(data) > 0 {
		t.Errorf("%d bytes too many", len(data))
	}
}

func TestDisagreement(t *testing.T) {
	j := small("mamba")
	good := Ready{Params: 10, Found: []float64{2.78, 2.7, 2.6}}
	for _, c := range []struct {
		name         string
		ours, theirs Ready
		want         string
	}{
		{"same", good, good, ""},
		{"rounding", good, Ready{Params: 10, Found: []float64{2.7801, 2.7, 2.6}}, ""},
		{"parameters", good, Ready{Params: 11, Found: good.Found}, "parameters"},
		{"loss", good, Ready{Params: 10, Found: []float64{2.78, 2.7, 2.5}}, "result 2"},
		{"NaN", good, Ready{Params: 10, Found: []float64{2.78, math.NaN(), 2.6}}, "result 1"},
		{"nothing", Ready{Params: 10}, Ready{Params: 10}, "0 results"},
		{"no learning", Ready{Params: 10, Found: []float64{2.78, 2.78}}, Ready{Params: 10, Found: []float64{2.78, 2.78}}, "does not fall"},
		{"far from chance", Ready{Params: 10, Found: []float64{5, 4}}, Ready{Params: 10, Found: []float64{5, 4}}, "ln V"},
	} {
		if got := disagreement(j, c.ours, c.theirs); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestTimedIsWhole fails when an operation of a device is not timed, and checks
// that the times of a step's operations do not exceed the step's.
func TestTimedIsWhole(t *testing.T) {
	source, err := os.ReadFile("timed_ops.go")
	if err != nil {
		t.Fatal(err)
	}
	d := reflect.TypeFor[device.Device]()
	for i := range d.NumMethod() {
		name := d.Method(i).Name
		if name != "Name" && name != "SelectiveScanSaved" && !bytes.Contains(source, []byte("func (t *timed) "+name+"(")) {
			t.Errorf("%s is not timed", name)
		}
	}
	j := small("mamba")
	plain := answers(t, j, "")
	j.Profile = true
	lines := answers(t, j, "0.01\n")
	if plain[0][:strings.Index(plain[0], "base")] != lines[0][:strings.Index(lines[0], "base")] {
		t.Errorf("timing changes what is computed: %s, %s", plain[0], lines[0])
	}
	var turn Turn
	if err := json.Unmarshal([]byte(lines[1]), &turn); err != nil {
		t.Fatal(err)
	}
	var sum float64
	scans := 0
	for _, o := range turn.Ops {
		sum += o.Seconds
		if strings.HasPrefix(o.Name, "SelectiveScan") {
			scans += o.Calls
		}
	}
	if step := mean(turn.Seconds); sum > step || sum <= 0 {
		t.Errorf("operations take %g s of a step of %g s", sum, step)
	}
	if scans != 4 {
		t.Errorf("%d scans and gradients of scans in a step of two layers", scans)
	}
	f := floorOf(turn)
	rest := f.Step - f.Moved - f.Between
	for _, v := range f.Over {
		rest -= v
	}
	if f.Arithmetic <= 0 || f.Arithmetic > f.Moved || math.Abs(rest) > 1e-9 || len(f.Over) != 3 {
		t.Errorf("%+v leaves %g s", f, rest)
	}
}

// TestCosts: what is counted of a product, a scan and causal attention.
func TestCosts(t *testing.T) {
	buf := func(n int) device.Buf { return device.Buf{F32: make([]float32, n)} }
	for _, c := range []struct {
		name string
		got  cost
		want cost
	}{
		{"product", reads(buf(6), buf(12), device.Buf{}).writes(buf(8)).products(2 * 2 * 4 * 3), cost{classProducts, 48, 18, 8}},
		{"selective scan", reads(buf(6)).writes(buf(6)).scan(selectiveFLOPs(&device.SelectiveScan{B: 1, L: 2, D: 3, N: 4}, 8)), cost{classScans, 2 * 8 * 24, 6, 6}},
		{"real scan", reads().scan(linearFLOPs(&device.LinearScan{B: 2, L: 3, D: 4}, 1)), cost{classScans, 48, 0, 0}},
		{"complex scan", reads().scan(linearFLOPs(&device.LinearScan{B: 2, L: 3, D: 4, AIm: buf(4)}, 2)), cost{classScans, 384, 0, 0}},
		{"attention over 3 of 3", attentionCost(&device.Attention{B: 1, H: 2, Lq: 3, Lk: 3, Dh: 4}, 2), cost{classProducts, 2 * 12 * (8 + 5), 0, 0}},
		{"attention of 1 over 3", attentionCost(&device.Attention{B: 1, H: 1, Lq: 1, Lk: 3, Dh: 4}, 2), cost{classProducts, 2 * 3 * (8 + 5), 0, 0}},
		{"GRU", cost{}.products(gateFLOPs(2, 3, 4, 3)), cost{classProducts, 2 * 3 * 6 * 16, 0, 0}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
}

// TestFloorVerdicts: a target beyond the floor is said to be.
func TestFloorVerdicts(t *testing.T) {
	f := &Floor{Arithmetic: 1, Moved: 2}
	for _, c := range []struct {
		target, theirs float64
		want           string
	}{{0, 10, "–"}, {4, 10, "possible"}, {8, 10, "only with fewer passes over memory: now at most 5"}, {12, 10, "beyond the machine: at most 10"}} {
		if got := f.verdict(c.target, c.theirs); got != c.want {
			t.Errorf("target %g against %g s: %q, want %q", c.target, c.theirs, got, c.want)
		}
	}
	j := generation(64, 2, 256, false)
	tied := j
	tied.Tied = true
	narrow := tied
	narrow.Format = "bf16"
	if a, b, c := weightBytes(j, 1e6), weightBytes(tied, 1e6), weightBytes(narrow, 1e6); a != 4*(1e6-256*64) || b != 4e6 || c != 2e6 {
		t.Errorf("%g bytes without the embedding, %g with it, %g as bf16", a, b, c)
	}
	if f := generationFloor(j, 1e5); !(f.Moved > 0) || f.Level == "" {
		t.Errorf("%+v", f)
	}
}

func TestRefuse(t *testing.T) {
	s := scaling{Longest: 10, Greatest: 1 << 30}
	square := &Curve{Lengths: []int{1, 2, 4}, Seconds: []float64{0.25, 1, 4}, Peak: []int64{1, 2, 4}}
	if got := s.refuse(square, 8); !strings.Contains(got, "16 s") {
		t.Errorf("a square that would take 16 s of 10: %q", got)
	}
	line := &Curve{Lengths: []int{1, 2, 4}, Seconds: []float64{1, 2, 4}, Peak: []int64{1, 2, 4}}
	if got := s.refuse(line, 8); got != "" {
		t.Errorf("a line that would take 8 s of 10: %q", got)
	}
	line.Peak[2] = 1 << 30
	if got := s.refuse(line, 8); !strings.Contains(got, "GB") {
		t.Errorf("2 GiB of 1: %q", got)
	}
}

// TestPage writes a page of what an interrupted run has: one row met, none of
// the curves; then one with everything.
func TestPage(t *testing.T) {
	w := workloads()[1]
	side := func(v ...float64) Side { return Side{Seconds: v, Peak: 1e8, Found: []float64{5.5}} }
	row := Row{Name: w.Name, Two: []Side{side(1, 1, 2), side(10, 9, 30), side(11, 10, 31)}, One: []Side{side(2, 2, 2), side(3, 3, 3), side(1, 1, 1)}, Params: 7}
	row.Two[1].Peak, row.Two[2].Peak = 9e8, 10e8
	r := &Results{}
	r.put(Row{Name: w.Name})
	r.put(row)
	path := filepath.Join(t.TempDir(), "docs", "P.md")
	if err := r.page(path); err != nil {
		t.Fatal(err)
	}
	text := read(t, path)
	for _, want := range []string{"9; 10 (9–15)", "≥ 8", "| met", "2; 2 (2–2)", "Not measured: selective scan", "|     9 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	if len(r.Rows) != 1 || strings.Contains(text, "price of") {
		t.Errorf("%d rows, or a table of what was not measured:\n%s", len(r.Rows), text)
	}
	r.States = []Side{{Name: "1", Seconds: []float64{1}}, {Name: "16", Seconds: []float64{4}}}
	r.Tops = []Ceiling{{multiplyAdd, "", 1, 270e9}, {multiplyAdd, "", 2, 540e9}}
	r.Rows[0].Floor = &Floor{Arithmetic: 0.5, Moved: 0.75, Step: 1, Over: map[string]float64{classScans: 0.25}}
	jax := row
	jax.Name, jax.Two, jax.Tried = jaxWorkloads()[0].Name, []Side{side(1, 1), side(7, 7)}, []Side{{Variant: "scan", Seconds: []float64{7}}}
	jax.Two[1].Name, jax.Two[1].Version, jax.Two[1].Variant = "JAX", "0.1", "scan"
	r.put(jax)
	r.Curves = []Curve{{Rung: "conv", Peer: "PyTorch", Variant: "eager", Threads: 2, Lengths: []int{1024, 4096}, Seconds: []float64{1, 5}, Problem: "x"},
		{Rung: "conv", Threads: 2, Lengths: []int{1024, 2048, 4096}, Seconds: []float64{1, 2, 4}, Peak: []int64{10, 20, 40}, Skipped: "too long"}}
	r.Profile = &Profile{Name: "x", Step: 1, Plain: 0.9, Ops: []OpTime{{Name: "MatMul", Calls: 3, Seconds: 0.75}}}
	if err := r.page(path); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"4; 4 (4–4)", "1.00 \\[1.00, 1.00\\]", "too long", "75.0 %", "25.0 %", "multiply-add, GFLOP/s |      270 |       540",
		"beyond the machine: at most 6", "JAX beside ours", "| JAX | 0.1", "7; 7 (7–7)", "scan 7000", "conv, PyTorch eager", "differ from ours: x"} {
		if text := read(t, path); !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestResultsAreKept: a run adds to what the last one measured on this machine,
// and forgets what another machine measured.
func TestResultsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	m := Machine{CPU: "a"}
	r, err := readResults(path, m)
	if err != nil {
		t.Fatal(err)
	}
	r.put(Row{Name: "x", Params: 3})
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	if r, err = readResults(path, m); err != nil || r.row("x") == nil || r.row("x").Params != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = readResults(path, Machine{CPU: "b"}); err != nil || len(r.Rows) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestGoesOn: a run that was interrupted measures only what is not done; another
// program, other settings and a run that came to its end begin again.
func TestGoesOn(t *testing.T) {
	r := &Results{}
	r.begin("a")
	r.Open.Done = append(r.Open.Done, "row")
	if r.begin("a"); !slices.Contains(r.Open.Done, "row") {
		t.Error("a run does not go on")
	}
	if r.begin("b"); len(r.Open.Done) != 0 {
		t.Error("another run goes on")
	}
	one, err := options{only: regexp.MustCompile("x"), rounds: 2}.what()
	two, err2 := options{only: regexp.MustCompile("x"), rounds: 3}.what()
	if err != nil || err2 != nil || one == two {
		t.Errorf("%q, %q, %v, %v", one, two, err, err2)
	}
	var measured []string
	b := &bench{progress: io.Discard}
	parts := []part{{"one", func() error { measured = append(measured, "one"); return nil }},
		{"bad", func() error { return errors.New("bad luck") }}, {"two", func() error { measured = append(measured, "two"); return nil }}}
	kept := 0
	all := regexp.MustCompile("")
	r.begin("c")
	r.Open.Done = []string{"one"}
	err = b.everything(t.Context(), all, parts, r, func() error { kept++; return nil })
	if err == nil || !strings.Contains(err.Error(), "bad: bad luck") || !slices.Equal(measured, []string{"two"}) || kept != 1 || !slices.Equal(r.Open.Done, []string{"one", "two"}) {
		t.Errorf("%v, measured %v, kept %d, %+v", err, measured, kept, r.Open)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	r.begin("d")
	if err := b.everything(stopped, all, parts, r, func() error { return nil }); !errors.Is(err, context.Canceled) || len(r.Open.Done) != 0 {
		t.Errorf("%v, %+v", err, r.Open)
	}
}

// TestPartsHaveNames of their own: they are what a run goes on by.
func TestPartsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range (&bench{}).parts(t.Context(), options{}, &Results{}) {
		if seen[p.name] {
			t.Errorf("two parts are called %q", p.name)
		}
		seen[p.name] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d parts", len(seen))
	}
}

// TestKits: every workload's peer has its list and its program, and they are
// written where its process looks for them.
func TestKits(t *testing.T) {
	dir := t.TempDir()
	for _, w := range everyWorkload() {
		k := w.kit()
		if w.Against != "" && k.name != w.Against {
			t.Errorf("%s: no kit of %q", w.Name, w.Against)
		}
		p, err := k.install(t.Context(), dir, "some-python", io.Discard)
		if err != nil || p.python != "some-python" || p.name != k.name {
			t.Fatalf("%+v, %v", p, err)
		}
		if read(t, p.script) == "" || read(t, filepath.Join(dir, "peer", k.list)) == "" {
			t.Errorf("%s: empty files", k.name)
		}
	}
}

func TestParse(t *testing.T) {
	if o, err := parse([]string{"-quick", "-only", "gru"}); err != nil || o.rounds != 2 || !o.only.MatchString("gru d64") || o.only.MatchString("lstm") {
		t.Errorf("%+v, %v", o, err)
	}
	for _, bad := range [][]string{{"-rounds", "0"}, {"-turn", "0"}, {"-only", "("}, {"more"}} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}
