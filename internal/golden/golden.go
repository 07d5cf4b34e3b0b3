// Package golden reads the test vectors of testdata/torch: inputs, outputs and
// gradients that PyTorch computed in float64. testdata/torch/README.md says
// what each file holds and how it was made.
package golden

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// Array is a row-major array. A scalar has the empty shape and one number.
type Array struct {
	Shape []int     `json:"shape"`
	Data  []float64 `json:"data"`
}

// Case is one evaluation. Outputs["out"] and Inputs["dy"] have one shape, and
// Grads[k] is the gradient of Σ out ⊙ dy with respect to Inputs[k]. Meta holds
// the case's settings, and the file's (torch, source, seed).
type Case struct {
	Name    string           `json:"name"`
	Inputs  map[string]Array `json:"inputs"`
	Outputs map[string]Array `json:"outputs"`
	Grads   map[string]Array `json:"grads"`
	Meta    map[string]any   `json:"meta"`
}

// Load returns the cases of testdata/torch/file, such as "lru.json", from any
// package of the module. It fails the test when the file is missing or holds no
// case, or when a case has no input, no output or an array of the wrong length.
func Load(tb testing.TB, file string) []Case {
	tb.Helper()
	root, err := moduleRoot()
	if err != nil {
		tb.Fatal(err)
	}
	cases, err := load(filepath.Join(root, "testdata", "torch", file))
	if err != nil {
		tb.Fatal(err)
	}
	return cases
}

// Int returns a whole number of the case's settings.
func (c Case) Int(key string) int { return int(c.Meta[key].(float64)) }

// Swap returns x (b,m,n,k) as (b,n,m,k): PyTorch's (B,D,L) as our (B,L,D), or
// back. nil stays nil.
func Swap(x []float64, b, m, n, k int) []float64 {
	if x == nil {
		return nil
	}
	y := make([]float64, len(x))
	for i := range b {
		for p := range m {
			for q := range n {
				copy(y[((i*n+q)*m+p)*k:][:k], x[((i*m+p)*n+q)*k:][:k])
			}
		}
	}
	return y
}

// RelErr returns max|got−want| / max(1e-300, max|want|). It returns +Inf when
// there is nothing to compare, when the lengths differ and when any number is
// NaN, so that a test with a bound fails. Arrays named in Meta["zero_grads"]
// are exactly zero: compare those absolutely.
func RelErr(got, want []float64) float64 {
	if len(got) != len(want) || len(want) == 0 {
		return math.Inf(1)
	}
	diff, size := 0.0, 1e-300
	for i, w := range want {
		d := math.Abs(got[i] - w)
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		diff, size = max(diff, d), max(size, math.Abs(w))
	}
	return diff / size
}

// moduleRoot returns the nearest directory with a go.mod, from the working
// directory upwards; go test runs a package's tests in the package's directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("golden: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("golden: no go.mod above the working directory")
		}
		dir = up
	}
}

func load(path string) ([]Case, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("golden: %w", err)
	}
	cases, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("golden: %s: %w", path, err)
	}
	return cases, nil
}

func parse(b []byte) ([]Case, error) {
	var f struct {
		Meta  map[string]any `json:"meta"`
		Cases []Case         `json:"cases"`
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("more text after the JSON object")
	}
	if len(f.Cases) == 0 {
		return nil, errors.New("no cases")
	}
	seen := map[string]bool{}
	for i := range f.Cases {
		c := &f.Cases[i]
		if c.Name == "" || seen[c.Name] {
			return nil, fmt.Errorf("case %d: name %q is empty or repeated", i, c.Name)
		}
		seen[c.Name] = true
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Name, err)
		}
		c.inherit(f.Meta)
	}
	return f.Cases, nil
}

// inherit adds the file's settings that the case does not set itself.
func (c *Case) inherit(meta map[string]any) {
	if c.Meta == nil {
		c.Meta = map[string]any{}
	}
	for k, v := range meta {
		if _, ok := c.Meta[k]; !ok {
			c.Meta[k] = v
		}
	}
}

func (c *Case) check() error {
	if len(c.Inputs) == 0 || len(c.Outputs) == 0 {
		return errors.New("no inputs or no outputs")
	}
	for k, g := range c.Grads {
		if in, ok := c.Inputs[k]; !ok || len(in.Data) != len(g.Data) {
			return fmt.Errorf("grads %s: no input of this name and length", k)
		}
	}
	for part, arrays := range map[string]map[string]Array{
		"inputs": c.Inputs, "outputs": c.Outputs, "grads": c.Grads,
	} {
		for k, a := range arrays {
			if err := a.check(); err != nil {
				return fmt.Errorf("%s %s: %w", part, k, err)
			}
		}
	}
	return nil
}

func (a Array) check() error {
	n := 1
	for _, s := range a.Shape {
		n *= max(s, 0)
	}
	if n == 0 || n != len(a.Data) {
		return fmt.Errorf("shape %v, but %d numbers", a.Shape, len(a.Data))
	}
	return nil
}
