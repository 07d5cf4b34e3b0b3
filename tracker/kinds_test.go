package tracker

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestHistogram(t *testing.T) {
	h, err := NewHistogram([]float64{0, 1, 2, 3, 4, 4, math.NaN(), math.Inf(1), math.Inf(-1), math.Inf(-1)}, 4)
	must(t, err)
	want := Histogram{Edges: []float64{0, 1, 2, 3, 4}, Counts: []int64{1, 1, 1, 3}, NaNs: 1, NegInfs: 2, PosInfs: 1}
	if !reflect.DeepEqual(h, want) || h.Total() != 10 {
		t.Errorf("got %+v", h)
	}
	for q, want := range map[float64]float64{0: 0, 0.5: 3, 0.25: 1.5, 1: 4} {
		if got := h.Quantile(q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if !math.IsNaN(h.Quantile(1.5)) || !math.IsNaN((Histogram{Edges: []float64{0, 1}, Counts: []int64{0}}).Quantile(0.5)) {
		t.Error("a quantile out of nothing")
	}
}

// TestHistogramAgreesWithItsEdges: for odd ranges every value lies in the bin that counts it.
func TestHistogramAgreesWithItsEdges(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, values := range [][]float64{{5}, {}, {-math.MaxFloat64, math.MaxFloat64}, {1, 1 + 0x1p-52}, {math.MaxFloat64}, {5e-324, 0},
		{1e300, 1.0000001e300}, {-1, 0.3, 0.1, 0.7}, {1e15, 1e15 + 1}} {
		for range 50 {
			if len(values) > 0 {
				i, j := rng.IntN(len(values)), rng.IntN(len(values))
				t := rng.Float64()
				values = append(values, values[i]*t+values[j]*(1-t))
			}
		}
		for _, bins := range []int{1, 7, 64, 1000} {
			h, err := NewHistogram(values, bins)
			must(t, err)
			data, err := h.Encode()
			if err != nil {
				t.Fatalf("%v, %d bins: %v", values[:min(2, len(values))], bins, err)
			}
			back, err := DecodeHistogram(data)
			must(t, err)
			if !reflect.DeepEqual(h, back) {
				t.Fatalf("%s reads as %+v, was %+v", data, back, h)
			}
			counts := make([]int64, bins)
			for _, v := range values {
				for i := range counts {
					if v >= h.Edges[i] && (v < h.Edges[i+1] || i == bins-1) {
						counts[i]++
					}
				}
			}
			if !reflect.DeepEqual(counts, h.Counts) || h.Total() != int64(len(values)) {
				t.Errorf("%d values in %d bins: counts do not fit the edges", len(values), bins)
			}
		}
	}
}

func TestLogHistogram(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{})
	own := Histogram{Edges: []float64{0, 1, 10, 100}, Counts: []int64{3, 0, 2}}
	must(t, r.LogHistogram("weights", 2, own))
	must(t, r.LogHistogramOf("weights", 1, []float64{1, 2, 3}, 3))
	must(t, r.LogText("weights", 3, "no histogram"))
	list, err := s.Histograms(ctx, r.ID(), "weights", "")
	must(t, err)
	if len(list) != 2 || list[0].Step != 1 || !reflect.DeepEqual(list[1].Histogram, own) || list[0].Histogram.Total() != 3 {
		t.Errorf("%+v", list)
	}
	sum, err := s.strings(ctx, `SELECT sum(value) FROM objects, json_each(data, '$.counts') WHERE kind = 'histogram' AND step = 2`)
	if err != nil || sum[0] != "5" {
		t.Errorf("SQL counts %v, %v", sum, err)
	}
	for text, h := range map[string]Histogram{
		"Counts has 0 bins":      {},
		"Edges has 1 values":     {Edges: []float64{1}, Counts: []int64{1}},
		"Edges[1] is 1":          {Edges: []float64{1, 1}, Counts: []int64{1}},
		"Edges[1] is +Inf":       {Edges: []float64{1, math.Inf(1)}, Counts: []int64{1}},
		"Counts[0] is -1":        {Edges: []float64{1, 2}, Counts: []int64{-1}},
		"NaNs, NegInfs and Pos":  {Edges: []float64{1, 2}, Counts: []int64{1}, NaNs: -1},
		"Counts has 10001 bins,": {Counts: make([]int64, 10001)},
	} {
		wantError(t, r.LogHistogram("h", 1, h), ErrInvalid, text)
	}
	wantError(t, r.LogHistogramOf("h", 1, nil, 0), ErrInvalid, "bins is 0", "1 to 10000")
}

// FuzzHistogram: any bytes are refused or give a histogram that survives writing.
func FuzzHistogram(f *testing.F) {
	f.Add([]byte(`{"lo":-1,"hi":1,"counts":[3,4],"nan":2}`))
	f.Add([]byte(`{"edges":[-1,0,2],"counts":[3,4]}`))
	f.Add([]byte(`{"lo":1,"hi":1,"counts":[1]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := DecodeHistogram(data)
		if err != nil {
			return
		}
		h.Quantile(0.5)
		again, err := h.Encode()
		must(t, err)
		if back, err := DecodeHistogram(again); err != nil || !reflect.DeepEqual(h, back) {
			t.Fatalf("%s reads as %+v (%v), was %+v", again, back, err, h)
		}
	})
}

func TestLogImage(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{})
	img := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	img.Set(1, 1, color.NRGBA{R: 10, G: 20, B: 30, A: 255})
	must(t, r.LogImage("sample", 7, img))
	list, err := s.Objects(ctx, r.ID(), "sample", "")
	must(t, err)
	if len(list) != 1 || list[0].Kind != KindPNG || list[0].Step != 7 {
		t.Fatalf("%+v", list)
	}
	back, err := list[0].Image()
	must(t, err)
	if back.Bounds() != img.Bounds() || back.At(1, 1) != img.At(1, 1) {
		t.Errorf("%v at (1, 1)", back.At(1, 1))
	}
	must(t, r.LogPNG("sample", 8, list[0].Data))
	wantError(t, r.LogPNG("sample", 9, []byte("GIF89a")), ErrInvalid, `"sample"`, "no PNG")
	wantError(t, r.LogImage("sample", 9, nil), ErrInvalid, "nil")
	noise := image.NewNRGBA(image.Rect(0, 0, 800, 800))
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(noise.Pix)
	wantError(t, r.LogImage("noise", 1, noise), ErrInvalid, "allowed are", "LogArtifactBytes")
	if _, err := (Object{Key: "k", Kind: "text"}).Image(); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestLogDir(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "r"})
	dir := t.TempDir()
	for _, name := range []string{"a.txt", "sub/b.txt", "sub/deep/c.txt"} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("in "+name), 0o644))
	}
	must(t, os.Symlink(filepath.Join(dir, "a.txt"), filepath.Join(dir, "link.txt")))
	list, err := r.LogDir("out", dir)
	must(t, err)
	if len(list) != 4 || list[1].Name != "out/link.txt" || list[1].SHA256 != list[0].SHA256 {
		t.Errorf("%+v", list)
	}
	if data, err := s.ReadArtifact(ctx, "r", "out/sub/deep/c.txt"); err != nil || string(data) != "in sub/deep/c.txt" {
		t.Errorf("%q, %v", data, err)
	}
	must(t, os.Symlink(dir, filepath.Join(dir, "zz-loop")))
	_, err = r.LogDir("again", dir)
	wantError(t, err, ErrInvalid, "zz-loop", "no regular file")
	if all, err := r.Artifacts(); err != nil || len(all) != 4 {
		t.Errorf("%d artifacts after a refused folder (%v)", len(all), err)
	}
	_, err = r.LogDir("x", t.TempDir())
	wantError(t, err, ErrInvalid, "holds no file")
	_, err = r.LogDir("x", filepath.Join(dir, "none"))
	wantError(t, err, os.ErrNotExist, "none")
	_, err = r.LogArtifact("x", dir)
	wantError(t, err, ErrInvalid, "LogDir")
}

func TestDeleteMetric(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "r"})
	for step := range int64(20) {
		must(t, r.Log("loss", step, 1))
		must(t, r.Log("typo", step+100, 2))
		must(t, r.LogContext("eval", "typo", step, 3))
	}
	must(t, r.LogText("typo", 200, "an object too"))
	n, err := s.DeleteMetric(ctx, "r", "typo", "")
	must(t, err)
	if n != 21 {
		t.Errorf("%d values deleted, want 21", n)
	}
	_, err = s.History(ctx, "r", "typo", "")
	wantError(t, err, ErrNotFound, "typo in context eval")
	if got := len(history(t, s, "r", "typo", "eval")) + len(history(t, s, "r", "loss", "")); got != 40 {
		t.Errorf("%d other values, want 40", got)
	}
	info, err := s.Run(ctx, "r")
	must(t, err)
	if info.LastStep != 19 {
		t.Errorf("last step %d, want 19", info.LastStep)
	}
	must(t, r.Log("typo", 5, 4)) // the run is alive: what it logs now is kept
	if got := values(history(t, s, "r", "typo", "")); fmt.Sprint(got) != "[4]" {
		t.Errorf("logged after the deletion: %v", got)
	}
	must(t, r.Finish(StatusFinished))
	_, err = s.DeleteMetric(ctx, "r", "typo", "")
	must(t, err)
	if rows, err := s.strings(ctx, "SELECT s.id FROM series s JOIN keys k ON k.id = s.key_id WHERE k.name = 'typo'"); err != nil || len(rows) != 1 {
		t.Errorf("series left %v, %v", rows, err)
	}
	_, err = s.DeleteMetric(ctx, "r", "los", "")
	wantError(t, err, ErrNotFound, "loss")
	v, err := s.Verify(ctx, nil)
	must(t, err)
	if !v.OK() {
		t.Error(v)
	}
}

// TestSystemKeys: what a machine did counts neither for a run's last step nor for a resume.
func TestSystemKeys(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	r := startRun(t, s, RunConfig{Name: "r"})
	for step := range int64(10) {
		must(t, r.Log("loss", step, 1))
	}
	must(t, r.LogSync(SystemPrefix+"cpu_percent", 5000, 50))
	check := func(when string, last int64) {
		t.Helper()
		info, err := s.Run(ctx, "r")
		must(t, err)
		if info.LastStep != last || len(history(t, s, "r", "system/cpu_percent", "")) != 1 {
			t.Errorf("%s: last step %d, want %d", when, info.LastStep, last)
		}
	}
	check("logged", 9)
	n, err := r.TruncateAfter(4)
	must(t, err)
	if n != 5 {
		t.Errorf("%d deleted, want 5", n)
	}
	check("truncated", 4)
	must(t, r.Finish(StatusFinished))
}
