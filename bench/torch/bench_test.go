package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
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

// TestTokensAreThePeers: the numbers are those of draw_tokens in peer.py.
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
	for _, w := range workloads() {
		j := small(w.Job.Model)
		j.Kind = w.Job.Kind
		if key := j.Kind + j.Model; seen[key] {
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
	if len(seen) != 8 {
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
	r.Curves = []Curve{{Rung: "conv", Lengths: []int{1024, 2048, 4096}, Seconds: []float64{1, 2, 4}, Peak: []int64{10, 20, 40}, Skipped: "too long"}}
	r.Profile = &Profile{Name: "x", Step: 1, Plain: 0.9, Ops: []OpTime{{"MatMul", 3, 0.75}}}
	if err := r.page(path); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"4; 4 (4–4)", "1.00 \\[1.00, 1.00\\]", "too long", "75.0 %", "25.0 %"} {
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
