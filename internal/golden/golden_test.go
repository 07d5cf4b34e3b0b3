package golden

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// files are all the files that make_vectors.py writes.
var files = []string{
	"lru.json", "mamba_block.json", "minrnn.json", "ops.json",
	"optim.json", "rnn.json", "s4d.json", "selective_scan.json",
}

func TestLoadAllFiles(t *testing.T) {
	for _, file := range files {
		for _, c := range Load(t, file) {
			if c.Meta["dtype"] != "float64" || c.Meta["torch"] == nil {
				t.Errorf("%s: %s: Meta lacks the file's settings: %v", file, c.Name, c.Meta)
			}
			if file == "optim.json" { // a recurrence over steps, no loss
				continue
			}
			dy, out := c.Inputs["dy"], c.Outputs["out"]
			if len(out.Data) == 0 || len(dy.Data) != len(out.Data) || len(c.Grads) == 0 {
				t.Errorf("%s: %s: dy %v, out %v, %d gradients", file, c.Name, dy.Shape, out.Shape, len(c.Grads))
			}
		}
	}
}

func TestNoFileUnlisted(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	got, err := filepath.Glob(filepath.Join(root, "testdata", "torch", "*.json"))
	if err != nil || len(got) != len(files) {
		t.Errorf("%d JSON files in testdata/torch, %d listed here (%v)", len(got), len(files), err)
	}
}

// A value small enough to check by hand: y = softplus(x) at x = 25 is x itself,
// as torch passes arguments above 20 through, and the gradient is dy.
func TestLoadKnownValue(t *testing.T) {
	for _, c := range Load(t, "ops.json") {
		if c.Name != "softplus" {
			continue
		}
		for i, x := range c.Inputs["x"].Data {
			if x == 25 && c.Outputs["out"].Data[i] == 25 && c.Grads["x"].Data[i] == c.Inputs["dy"].Data[i] {
				return
			}
		}
	}
	t.Error("ops.json: softplus: no x = 25 with out = 25 and grad = dy")
}

// fatalTB records a failure and ends the goroutine, as testing.T does.
type fatalTB struct {
	testing.TB
	failed bool
}

func (f *fatalTB) Helper()      {}
func (f *fatalTB) Fatal(...any) { f.failed = true; runtime.Goexit() }

func TestLoadFailsOnMissingFile(t *testing.T) {
	f, done := &fatalTB{}, make(chan struct{})
	go func() {
		defer close(done)
		Load(f, "no_such.json")
	}()
	<-done
	if !f.failed {
		t.Error("Load of a missing file did not fail the test")
	}
}

func TestLoadFailsOutsideModule(t *testing.T) {
	t.Chdir(t.TempDir())
	if root, err := moduleRoot(); err == nil {
		t.Skipf("the temporary directory lies in a module, %s", root)
	}
	f, done := &fatalTB{}, make(chan struct{})
	go func() {
		defer close(done)
		Load(f, "lru.json")
	}()
	<-done
	if !f.failed {
		t.Error("Load outside a module did not fail the test")
	}
}

func TestParseRefuses(t *testing.T) {
	one := `{"shape":[1],"data":[1]}`
	for _, tt := range []struct{ in, want string }{
		{`{`, "EOF"},
		{`{"cases":[]}`, "no cases"},
		{`{"cases":[{"name":"a"}]}`, "no inputs"},
		{`{"cases":[{"name":"a","inputs":{"x":` + one + `}}]}`, "no outputs"},
		{`{"cases":[{"inputs":{"x":` + one + `},"outputs":{"y":` + one + `}}]}`, "name"},
		{`{"cases":[{"name":"a","inputs":{"x":` + one + `},"outputs":{"y":{"shape":[2],"data":[1]}}}]}`, "1 numbers"},
		{`{"cases":[{"name":"a","inputs":{"x":` + one + `},"outputs":{"y":{"shape":[0],"data":[]}}}]}`, "0 numbers"},
		{`{"cases":[{"name":"a","inputs":{"x":` + one + `},"outputs":{"y":` + one + `},"grads":{"z":` + one + `}}]}`, "grads z"},
		{`{"cases":[{"name":"a","output":{}}]}`, "unknown field"},
	} {
		if _, err := parse([]byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("parse(%s): error %v, want one with %q", tt.in, err, tt.want)
		}
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(path, []byte(`{"cases":[]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("load: error %v does not name %s", err, path)
	}
}

func TestRelErr(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, tt := range []struct {
		got, want []float64
		err       float64
	}{
		{[]float64{1, 2}, []float64{1, 2}, 0},
		{[]float64{1, 3}, []float64{1, -4}, 7. / 4},
		{[]float64{0, 0}, []float64{0, 0}, 0},
		{[]float64{1e-300}, []float64{0}, 1},
		{nil, nil, inf},
		{nil, []float64{0}, inf},
		{[]float64{1, 2}, []float64{1}, inf},
		{[]float64{nan}, []float64{1}, inf},
		{[]float64{1, 0}, []float64{nan, 0}, inf},
		{[]float64{inf}, []float64{1}, inf},
		{[]float64{inf}, []float64{inf}, inf},
	} {
		if e := RelErr(tt.got, tt.want); e != tt.err {
			t.Errorf("RelErr(%v, %v) = %v, want %v", tt.got, tt.want, e, tt.err)
		}
	}
}
