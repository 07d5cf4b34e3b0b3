package figure

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// A cast is arms to draw: how many, and what is wrong with them.
type cast struct {
	name  string
	arms  int
	seeds int
	long  bool   // names and notes of many words
	fate  string // "", "equal", "lost" (all), "some lost", "empty"
}

func casts() []cast {
	var out []cast
	for _, n := range []int{1, 2, 10, 17, 24} {
		out = append(out, cast{fmt.Sprintf("%d arms", n), n, 5, false, ""})
	}
	return append(out,
		cast{"long names", 17, 5, true, ""}, cast{"one seed", 10, 1, false, ""},
		cast{"equal", 10, 5, false, "equal"}, cast{"some lost", 17, 5, false, "some lost"},
		cast{"long and lost", 10, 3, true, "some lost"})
}

var ladderNames = []string{"conv", "attention", "gpt", "rnn", "linear", "diagonal", "polar", "ring", "lru", "siso", "real", "discrete",
	"delta", "selective", "mamba", "discrete16", "delta16"}

var ladderNotes = []string{"short causal convolution only: no memory beyond its window", "causal softmax attention: the rival, O(L²)",
	"the GPT block by itself, without the convolution", "h = tanh(W h + U x + b)", "the tanh removed",
	"dense → complex diagonal, real and imaginary part trained directly", "λ = exp(−exp(ν) + i·exp(θ)): stable whatever ν is",
	"initialised near |λ| = 1", "input scaled by γ = √(1−|λ|²), learned: the full LRU", "one recurrence a channel", "real eigenvalues",
	"continuous time: Δ, B and A are discretised", "Δ computed from the input", "Δ, B and C computed from the input, one state per channel",
	"16 states per channel", "16 states, nothing computed from the input", "16 states, Δ computed from the input"}

var ladderGroups = []string{"no recurrence", "attention", "attention", "nonlinear and dense", "nonlinear and dense", "diagonal", "diagonal",
	"diagonal", "diagonal", "diagonal", "diagonal", "diagonal", "selective", "selective", "selective", "diagonal", "selective"}

var groupColors = map[string]Color{"no recurrence": Black, "attention": Sky, "nonlinear and dense": Purple, "diagonal": Blue, "selective": Vermillion}

func (k cast) label(i int) (name, note, group string, paint Color) {
	j := i % len(ladderNames)
	name, note, group = ladderNames[j], ladderNotes[j], ladderGroups[j]
	if k.long {
		name = strings.Repeat(name+" and more of it ", 3)
		note = strings.Repeat(note+", said at length; ", 4)
	}
	return name, note, group, groupColors[group]
}

// value is the result of seed s of arm i.
func (k cast) value(i, s int, rng *rand.Rand) float64 {
	level := 0.1 + 0.85*float64(i)/float64(max(2, k.arms))
	switch {
	case k.fate == "equal":
		return 0.5
	case k.fate == "some lost" && (i == 3 || (i == 5 && s == 0)):
		return math.NaN()
	}
	return level + 0.02*rng.NormFloat64()
}

func (k cast) dots() (*Figure, error) {
	rng := rand.New(rand.NewPCG(3, 4))
	var bars []Bar
	for i := range k.arms {
		b := Bar{}
		b.Name, b.Note, b.Group, b.Color = k.label(i)
		sum, n := 0.0, 0.0
		for s := range k.seeds {
			v := k.value(i, s, rng)
			b.Points = append(b.Points, v)
			if finite(v) {
				sum, n = sum+v, n+1
			}
		}
		b.Mean = sum / n
		b.Lo, b.Hi = b.Mean-0.04, b.Mean+0.04
		if k.seeds == 1 {
			b.Lo, b.Hi = math.Inf(-1), math.Inf(1)
		}
		bars = append(bars, b)
	}
	return Dots(Config{Title: "Induction: accuracy of every arm", Note: "large dot: mean; thick line: 95 % t interval; small dots: seeds",
		XLabel: "test/accuracy (higher is better)", Reference: 1. / 16, ReferenceLabel: "chance 1/16"}, bars)
}

func (k cast) series(points int, x func(int) float64) []Series {
	rng := rand.New(rand.NewPCG(5, 6))
	var out []Series
	for i := range k.arms {
		s := Series{}
		s.Name, _, _, s.Color = k.label(i)
		low := 3 - k.value(i, 1, rng)
		for j := range points {
			y := low + 2.5*math.Exp(-float64(j)/3) + 0.01*rng.NormFloat64()
			if k.fate == "some lost" && (i == 3 || (i == 5 && j > 20)) {
				y = math.NaN()
			}
			s.X, s.Y, s.Lo, s.Hi = append(s.X, x(j)), append(s.Y, y), append(s.Lo, y-0.05), append(s.Hi, y+0.05)
		}
		out = append(out, s)
	}
	return out
}

func (k cast) panels() (*Figure, error) {
	return Panels(Config{Title: "go-source: training loss by step", Note: "line: mean of 5 seeds; band: 95 % t interval; grey: the other arms",
		XLabel: "step", YLabel: "loss (bits/byte)"}, k.series(50, func(j int) float64 { return float64(40*j + 40) }))
}

func (k cast) lengths() (*Figure, error) {
	all := k.series(9, func(j int) float64 { return float64(int(16) << j) })
	for _, s := range all {
		for j := range s.Y {
			s.Y[j] = math.Min(1, math.Max(0, 3-s.Y[j]+0.5-0.08*float64(j)))
			s.Lo[j], s.Hi[j] = s.Y[j]-0.05, s.Y[j]+0.05
		}
	}
	return Panels(Config{Title: "induction: accuracy by length", XLabel: "length", YLabel: "accuracy", LogX: true, YRange: [2]float64{0, 1},
		Reference: 1. / 16, ReferenceLabel: "chance", Mark: 64, MarkLabel: "trained length, 64"}, all)
}

func (k cast) rates() (*Figure, error) {
	rng := rand.New(rand.NewPCG(7, 8))
	var arms []Tuning
	for i := range k.arms {
		a := Tuning{Chosen: []float64{1e-3, 1e-2, 3e-2}[i%3]}
		a.Name, _, _, a.Color = k.label(i)
		for _, lr := range []float64{1e-3, 3e-3, 1e-2, 3e-2}[:4-i%2] {
			for s := range k.seeds {
				a.Tries = append(a.Tries, Trial{lr, k.value(i, s, rng) - 0.1*math.Abs(math.Log10(lr/a.Chosen))})
			}
		}
		arms = append(arms, a)
	}
	return Rates(Config{Title: "induction: tuning runs", Note: "a dot a run; ring: the chosen rate", XLabel: "learning rate", YLabel: "valid/accuracy (higher is better, and a long label)"}, arms)
}

func (k cast) disks() (*Figure, error) {
	rng := rand.New(rand.NewPCG(9, 10))
	var disks []Disk
	for i := range k.arms {
		d := Disk{}
		d.Name, _, _, d.Color = k.label(i)
		for j := range 48 {
			r, turn := math.Sqrt(0.8+0.2*rng.Float64()), 2*math.Pi*rng.Float64()
			if i%2 == 1 {
				turn = 0
				r = math.Exp(-0.2 * rng.Float64() * float64(1+j%16))
			}
			z := cmplx.Rect(r, turn)
			d.Before = append(d.Before, z)
			d.After = append(d.After, complex(math.Sqrt(real(z)*real(z)), imag(z))*complex(0.99, 0))
		}
		if k.fate == "some lost" {
			d.After[3] = complex(math.NaN(), 0)
		}
		disks = append(disks, d)
	}
	return Disks(Config{Title: "Eigenvalues before and after training", Note: "grey: before; colour: after"}, disks)
}

func (k cast) text() (*Figure, error) {
	code := "func sum(list []int) int {\n\ttotal := 0\n\tfor _, v := range list {\n\t\ttotal += v // add up, and keep the carry in mind when the list is long\n\t}\n\treturn total\n}\n"
	var symbols []string
	for _, r := range code {
		s := string(r)
		switch r {
		case '\n':
			s = LineEnd
		case '\t':
			s = "→"
		case ' ':
			s = "·"
		}
		symbols = append(symbols, s)
	}
	rng := rand.New(rand.NewPCG(11, 12))
	var rows []TextRow
	for i := range min(k.arms, 4) {
		r := TextRow{Name: fmt.Sprintf("block %d", i)}
		if k.long {
			r.Name = strings.Repeat(r.Name, 9)
		}
		for j := range symbols {
			v := math.Exp(rng.NormFloat64() - 3)
			if symbols[j] == "·" {
				v *= 10
			}
			switch {
			case k.fate == "equal":
				v = 0.1
			case k.fate == "some lost" && (i == 3 || j == 9):
				v = math.NaN()
			}
			r.Values = append(r.Values, v)
		}
		rows = append(rows, r)
	}
	return TextBars(Config{Title: "Δ of mamba over a text", Note: "the taller, the larger", LogY: true}, symbols, rows)
}

// few is what the kinds for a few arms are drawn with.
func (k cast) few() map[string]func() (*Figure, error) {
	lines := k.series(12, func(j int) float64 { return float64(j + 1) })
	bars := []Bar{}
	for i := range k.arms {
		b := Bar{Mean: 0.5, Lo: 0.4, Hi: 0.6, Points: []float64{0.5}}
		b.Name, b.Note, _, _ = k.label(i)
		bars = append(bars, b)
	}
	return map[string]func() (*Figure, error){
		"bars": func() (*Figure, error) {
			return Bars(Config{Title: "t", Reference: 0.5, ReferenceLabel: "chance"}, bars)
		},
		"curves":  func() (*Figure, error) { return Curves(Config{Title: "t", XLabel: "x", YLabel: "y"}, lines) },
		"scaling": func() (*Figure, error) { return Scaling(Config{Title: "t", XLabel: "x", YLabel: "y"}, lines, 0) },
	}
}

// TestLegible draws every kind of figure with every cast: no text is covered,
// cut or outside, and the same input gives the same bytes.
func TestLegible(t *testing.T) {
	for _, k := range casts() {
		kinds := map[string]func() (*Figure, error){"dots": k.dots, "panels": k.panels, "lengths": k.lengths, "rates": k.rates, "disks": k.disks, "text": k.text}
		for name, draw := range k.few() {
			kinds[name] = draw
		}
		for kind, draw := range kinds {
			t.Run(kind+" "+k.name, func(t *testing.T) {
				svg := svgOf(t, draw)
				if again := svgOf(t, draw); again != svg {
					t.Error("drawn again, the SVG differs")
				}
				f, err := draw()
				if err != nil {
					t.Fatal(err)
				}
				legible(t, f)
				if *keep != "" {
					if err := f.Save(filepath.Join(*keep, kind+"-"+strings.ReplaceAll(k.name, " ", "-"))); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}

// svgOf draws a figure as SVG, which must hold no coordinate that is no number.
func svgOf(t *testing.T, draw func() (*Figure, error)) string {
	t.Helper()
	f, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error("the SVG holds a coordinate that is no number")
	}
	return svg
}
