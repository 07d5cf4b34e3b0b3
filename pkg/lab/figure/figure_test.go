package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keep is for looking at the figures:
// go test ./pkg/lab/figure -run Samples -keep /tmp/figs
var keep = flag.String("keep", "", "folder to write the sample figures to")

var (
	inf = math.Inf(1)
	nan = math.NaN()
)

// sample is one figure with what must be seen on it.
type sample struct {
	name   string
	make   func() (*Figure, error)
	inches [2]float64
	texts  []string
}

func samples() []sample {
	return []sample{
		{"curves", sampleCurves, [2]float64{7, 4.5}, []string{
			"Training loss on selective copying", "Mean of 5 seeds, band: 95 % t interval.", "step", "loss (nats/token)",
			"conv", "diagonal (diverged)", "mamba", "ln 16", "2000"}},
		{"curves-log", sampleLogCurves, [2]float64{7, 4.5}, []string{"64", "128", "256", "512", "1024", "selective", "lru", "1.0"}},
		{"bars", sampleBars, [2]float64{7, barsHeight(Config{Title: "x", Note: "x", ReferenceLabel: "x"}, 10)}, []string{
			"The ladder", "rnn", "h = tanh(W h + U x + b)", "accuracy (share of tokens)", "0.190", "1 of 5 diverged", "diverged", "chance 1/16"}},
		{"bars-dots", sampleDots, [2]float64{7, barsHeight(Config{Title: "x"}, 3)}, []string{"bits per byte", "2.305", "1.9"}},
		{"scaling", sampleScaling, [2]float64{7, 4.5}, []string{"attention: L^2.00", "scan: L^1.00", "time (ms)", "16,384", "1000"}},
		{"eigen", sampleEigen, [2]float64{6, 4.9}, []string{"before training (64)", "after training (64)", "1 diverged", "Re λ", "Im λ", "−1.0"}},
	}
}

func sampleCurves() (*Figure, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	var series []Series
	for k, name := range []string{"conv", "attention", "rnn", "linear", "diagonal", "polar", "ring", "lru", "selective", "mamba"} {
		s := Series{Name: name}
		for i := range 201 {
			x, low := float64(10*i), 2.1-0.19*float64(k)
			y := low + (5.5-low)*math.Exp(-x/(300+40*float64(k%3))) + 0.01*rng.NormFloat64()
			w := 0.05 + 0.1*math.Exp(-x/500)
			switch {
			case name == "diagonal" && i > 70:
				y = nan
			case i == 0:
				w = 6 // the first step's interval is huge
			}
			s.X, s.Y, s.Lo, s.Hi = append(s.X, x), append(s.Y, y), append(s.Lo, y-w), append(s.Hi, y+w)
		}
		series = append(series, s)
	}
	return Curves(Config{
		Title: "Training loss on selective copying", Note: "Mean of 5 seeds, band: 95 % t interval.",
		XLabel: "step", YLabel: "loss (nats/token)", Reference: math.Log(16), ReferenceLabel: "ln 16",
	}, series)
}

func sampleLogCurves() (*Figure, error) {
	x := []float64{64, 128, 256, 512, 1024}
	return Curves(Config{Title: "Beyond the training length", XLabel: "length L (tokens)", YLabel: "accuracy (share)", LogX: true, YRange: [2]float64{0, 1}},
		[]Series{
			{Name: "selective", X: x, Y: []float64{1, 0.99, 0.97, nan, 0.7}, Lo: []float64{0.99, 0.98, 0.93, 0.9, 0.6}, Hi: []float64{1, 1, 0.99, 0.95, 0.8}},
			{Name: "lru", X: x, Y: []float64{0.6, 0.5, 0.3, 0.2, 0.1}},
		})
}

func sampleBars() (*Figure, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	rungs := []struct {
		name, note string
		mean       float64
	}{
		{"conv", "short convolution only", 0.08}, {"attention", "causal softmax, O(L²)", 0.96}, {"rnn", "h = tanh(W h + U x + b)", 0.19},
		{"linear", "tanh removed", 0.22}, {"diagonal", "dense → complex diagonal", 0.24}, {"polar", "λ = exp(−exp ν + i exp θ)", nan},
		{"ring", "start near |λ| = 1", 0.41}, {"lru", "γ = √(1−|λ|²), learned", 0.44},
		{"selective", "Δ, B, C from the input", 0.93}, {"mamba", "16 states per channel", 0.985},
	}
	var bars []Bar
	for _, r := range rungs {
		b := Bar{Name: r.name, Note: r.note, Mean: r.mean, Lo: r.mean - 0.03, Hi: r.mean + 0.03, Highlight: r.name == "selective"}
		for range 5 {
			b.Points = append(b.Points, r.mean+0.015*rng.NormFloat64())
		}
		if r.name == "diagonal" {
			b.Points[3] = inf
		}
		bars = append(bars, b)
	}
	return Bars(Config{
		Title: "The ladder", Note: "Bar: mean of 5 seeds; whisker: 95 % t interval; dots: seeds.",
		XLabel: "accuracy (share of tokens)", XRange: [2]float64{0, 1}, Reference: 1. / 16, ReferenceLabel: "chance 1/16",
	}, bars)
}

func sampleDots() (*Figure, error) {
	return Bars(Config{Title: "Go source text", XLabel: "bits per byte", XRange: [2]float64{1.85, 2.45}}, []Bar{
		{Name: "attention", Mean: 1.92, Lo: 1.90, Hi: 1.94, Points: []float64{1.91, 1.92, 1.93}},
		{Name: "rnn", Mean: 2.305, Lo: 2.2, Hi: 2.5, Points: []float64{2.29, 2.3, 2.32}},
		{Name: "one seed", Mean: 2.1, Lo: -inf, Hi: inf, Points: []float64{2.1}},
	})
}

func sampleScaling() (*Figure, error) {
	attention, scan := Series{Name: "attention"}, Series{Name: "scan"}
	for _, l := range []float64{256, 512, 1024, 2048, 4096, 8192, 16384} {
		attention.X, scan.X = append(attention.X, l), append(scan.X, l)
		overhead := 0.0
		if l < 1024 {
			overhead = 2
		}
		attention.Y, scan.Y = append(attention.Y, 1.2e-5*l*l+overhead), append(scan.Y, 0.004*l+overhead)
	}
	for _, y := range scan.Y {
		scan.Lo, scan.Hi = append(scan.Lo, 0.8*y), append(scan.Hi, 1.25*y)
	}
	return Scaling(Config{Title: "Time of one step", XLabel: "length L (tokens)", YLabel: "time (ms)"}, []Series{attention, scan}, 1024)
}

func sampleEigen() (*Figure, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	var before, after []complex128
	for range 64 {
		sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
		r := math.Sqrt(0.81 + 0.19*rng.Float64())
		before = append(before, complex(r*cos, r*sin))
		after = append(after, complex(math.Sqrt(r)*cos, math.Sqrt(r)*sin))
	}
	after[5] = complex(nan, 0)
	return EigenDisk(Config{Title: "Eigenvalues, layer 1"}, before, after)
}

// texts parses an SVG document and returns the text of its text elements.
func texts(t *testing.T, svg string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	d := xml.NewDecoder(strings.NewReader(svg))
	inside := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch v := token.(type) {
		case xml.StartElement:
			inside = v.Name.Local == "text"
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				out[string(v)] = true
			}
		}
	}
}

// pixels decodes f's PNG and returns its size.
func pixels(t *testing.T, f *Figure) (w, h int) {
	t.Helper()
	data, err := f.PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	colors := map[string]bool{}
	size := img.Bounds().Size()
	for y := 0; y < size.Y; y += 3 {
		for x := 0; x < size.X; x += 3 {
			r, g, b, _ := img.At(x, y).RGBA()
			colors[fmt.Sprint(r, g, b)] = true
		}
	}
	if len(colors) < 5 {
		t.Errorf("the image has %d colours: it is blank", len(colors))
	}
	return size.X, size.Y
}

func TestSamples(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			f, err := s.make()
			if err != nil {
				t.Fatal(err)
			}
			w, h := pixels(t, f)
			if wantW, wantH := int(s.inches[0]*DPI+0.5), int(s.inches[1]*DPI+0.5); w != wantW || h != wantH {
				t.Errorf("the PNG is %d × %d pixels, want %d × %d", w, h, wantW, wantH)
			}
			svg, err := f.SVG()
			if err != nil {
				t.Fatal(err)
			}
			legible(t, f)
			found := texts(t, svg)
			for _, want := range s.texts {
				if !found[want] {
					t.Errorf("the SVG lacks the text %q; it has %v", want, found)
				}
			}
			if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
				t.Error("the SVG holds a coordinate that is no number")
			}
			if *keep != "" {
				if err := f.Save(filepath.Join(*keep, s.name)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestSameInputSameBytes(t *testing.T) {
	for _, s := range samples() {
		a, errA := s.make()
		b, errB := s.make()
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		svg, _ := a.SVG()
		pic, _ := a.PNG()
		for name, f := range map[string]*Figure{"another figure": b, "drawn again": a} {
			svg2, _ := f.SVG()
			pic2, _ := f.PNG()
			if svg == "" || svg != svg2 || !bytes.Equal(pic, pic2) {
				t.Errorf("%s: %s differs", s.name, name)
			}
		}
	}
}

func TestSave(t *testing.T) {
	f, err := sampleDots()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "new", "ladder.v2")
	if err := f.Save(path); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".png", ".svg"} {
		if info, err := os.Stat(path + ext); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", ext, err)
		}
	}
	if err := f.Save(filepath.Join(path+".png", "below a file")); err == nil {
		t.Error("saving below a file: no error")
	}
	if got := f.String(); got != "figure: Go source text (7 × 2.472 in)" {
		t.Errorf("String is %q", got)
	}
}
