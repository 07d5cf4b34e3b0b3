package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
)

// What the page says of our own code.

func (r *Results) states() *table.Table {
	t := table.New("Selective scan, forward and backward, B8 L1024 D256, two threads", "N", "ms", "times N = 1", "times N = 16")
	base := map[string]Side{}
	for _, s := range r.States {
		base[s.Name] = s
	}
	for _, s := range r.States {
		t.Add(s.Name, spreadOf(s.Seconds).format(1e3), ratios(base["1"], s).String(), ratios(base["16"], s).String())
	}
	return t
}

// lengths writes the tables and figures of time and memory by length.
func (r *Results) lengths(b *strings.Builder, dir string) error {
	curves := r.curvesOf(func(Curve) bool { return true })
	if len(curves) == 0 {
		return nil
	}
	b.WriteString("## The price of length\n\n")
	seconds := func(k Curve) []float64 { return k.Seconds }
	b.WriteString(byLength(curves, "Milliseconds of forward and backward of one block, width 32, batch 1", 1e3, seconds, seconds).Markdown())
	b.WriteString("\n![Time of one block by length](performance-time.svg)\n\n")
	ours := r.curvesOf(func(k Curve) bool { return k.Peer == "" && k.Threads == 2 })
	b.WriteString(byLength(ours, "Greatest resident memory of our process, MB; exponent of its growth over that at the shortest length", 1e-6,
		Curve.bytes, Curve.growth).Markdown())
	b.WriteString("\n![Memory of one block by length](performance-memory.svg)\n\n")
	drawn := r.curvesOf(func(k Curve) bool { return k.Threads == 2 })
	time, err := plot(drawn, "Time of one block by length", "seconds", seconds)
	memory, merr := plot(ours, "Memory of one block by length, above that at the shortest", "bytes", Curve.growth)
	if err = errors.Join(err, merr); err != nil {
		return err
	}
	return errors.Join(saveSVG(time, filepath.Join(dir, "performance-time.svg")), saveSVG(memory, filepath.Join(dir, "performance-memory.svg")))
}

// curvesOf returns the measured curves that are wanted, in order.
func (r *Results) curvesOf(want func(Curve) bool) (out []Curve) {
	for _, c := range curves() {
		i := slices.IndexFunc(r.Curves, func(k Curve) bool { return k.name() == c.name() })
		if i >= 0 && want(c) {
			out = append(out, r.Curves[i])
		}
	}
	return out
}

func byLength(curves []Curve, title string, unit float64, ys, fitted func(Curve) []float64) *table.Table {
	columns := []string{"block"}
	var longest []int
	for _, k := range curves {
		if len(k.Lengths) > len(longest) {
			longest = k.Lengths
		}
	}
	for _, l := range longest {
		columns = append(columns, fmt.Sprintf("L=%d", l))
	}
	t := table.New(title, append(columns, "exponent")...)
	for _, k := range curves {
		row := []string{k.name()}
		values := ys(k)
		for _, l := range longest {
			text := "–"
			if i := slices.Index(k.Lengths, l); i >= 0 {
				text = digits(unit * values[i])
			}
			row = append(row, text)
		}
		t.Add(append(row, exponent(k.fit(fitted(k))))...)
		if k.Skipped != "" {
			t.Note(k.name() + ": not measured further, " + k.Skipped + ".")
		}
		if k.Problem != "" {
			t.Note(k.name() + ": its gradients differ from ours: " + k.Problem + ".")
		}
	}
	t.Note(fmt.Sprintf("Two threads where nothing is said. The exponent is fitted from L=%d on; its interval is 95 %%.", fitFrom))
	return t
}

// bytes returns the peaks as numbers.
func (k Curve) bytes() []float64 {
	var out []float64
	for _, p := range k.Peak {
		out = append(out, float64(p))
	}
	return out
}

func exponent(p stats.PowerLaw, err error) string {
	if err != nil {
		return "–"
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f]", p.Exponent, p.Lo, p.Hi)
}

// table adds up a step: every operation, what is left for the program around
// them, and the whole.
func (p *Profile) table() *table.Table {
	t := table.New(p.Name+", two threads: time of each operation of the device", "operation", "calls", "ms", "share")
	var sum float64
	rest := OpTime{Name: "less than 0.5 % each"}
	add := func(o OpTime) {
		t.Add(o.Name, fmt.Sprint(o.Calls), fmt.Sprintf("%.2f", 1e3*o.Seconds), fmt.Sprintf("%.1f %%", 100*o.Seconds/p.Step))
	}
	for _, o := range p.Ops {
		sum += o.Seconds
		if o.Seconds < 0.005*p.Step {
			rest.Calls, rest.Seconds = rest.Calls+o.Calls, rest.Seconds+o.Seconds
			continue
		}
		add(o)
	}
	add(rest)
	t.Add("all operations", "", fmt.Sprintf("%.2f", 1e3*sum), fmt.Sprintf("%.1f %%", 100*sum/p.Step))
	t.Add("the program around them", "", fmt.Sprintf("%.2f", 1e3*(p.Step-sum)), fmt.Sprintf("%.1f %%", 100*(1-sum/p.Step)))
	t.Add("the step, timed by the clock", "", fmt.Sprintf("%.2f", 1e3*p.Step), "100 %")
	t.Note(fmt.Sprintf("Without taking these times a step takes %.2f ms (means).", 1e3*p.Plain))
	t.Note("MatMul nt (m,k)·(k,n): left operand as stored, right one transposed. tn with large k are gradients of weights.")
	return t
}

func saveSVG(f *figure.Figure, path string) error {
	text, err := f.SVG()
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
