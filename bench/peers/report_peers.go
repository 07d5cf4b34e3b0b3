package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/table"
)

// What the page says of the machine's limits and of the peers beside PyTorch.

// versions are the lines of the head for the peers beside PyTorch.
func (r *Results) versions() string {
	var out []string
	r.eachOf(slices.Concat(jaxWorkloads(), decodeWorkloads()), func(w Workload, row *Row) {
		s := row.Two[1]
		line := fmt.Sprintf("| %s | %s, %s |\n", s.Name, s.Version, instructions(s.CPU))
		if !slices.Contains(out, line) {
			out = append(out, line)
		}
	})
	return strings.Join(out, "")
}

// instructions shortens what llama.cpp says of its build, "AVX = 1 | …", to the
// names.
func instructions(cpu string) string {
	cpu = strings.NewReplacer("|", " ", " = 1", "", "CPU :", "").Replace(cpu)
	return strings.Join(strings.Fields(cpu), " ")
}

// machine writes what the machine can do, and how far each workload is from it.
func (r *Results) machine(b *strings.Builder) {
	if len(r.Tops) > 0 {
		b.WriteString(r.tops().Markdown() + "\n")
	}
	train, generate := r.floors(), r.generationFloors()
	if train != nil {
		b.WriteString(train.Markdown() + "\n")
	}
	if generate != nil {
		b.WriteString(generate.Markdown() + "\n")
	}
}

// tops is the table of what was measured of the machine.
func (r *Results) tops() *table.Table {
	t := table.New("What the machine can do, measured", "", "1 thread", "2 threads")
	for _, c := range r.Tops {
		i := slices.IndexFunc(r.Tops, func(d Ceiling) bool {
			return d.Name == c.Name && d.Level == c.Level && d.Workers == 2
		})
		if c.Workers != 1 || i < 0 {
			continue
		}
		name := strings.TrimSpace(c.Level + " " + c.Name)
		unit := "GB/s"
		if c.Name == multiplyAdd {
			unit = "GFLOP/s"
		}
		t.Add(name+", "+unit, digits(c.Value/1e9), digits(r.Tops[i].Value/1e9))
	}
	return t
}

// floors is how far the machine goes with training steps and scans.
func (r *Results) floors() *table.Table {
	t := table.New("How far the machine goes: training and scan, two threads", "workload", "floor of the arithmetic, ms",
		"with operands moved once", "ours", "ours over the floor", "PyTorch", "greatest ratio: arithmetic",
		"as the operations are", "target", "verdict", "above it, ms: products", "scans", "passes", "between operations")
	any := false
	r.each(func(w Workload, row *Row) {
		f := row.Floor
		if f == nil || f.Over == nil {
			return
		}
		any = true
		ours, theirs := row.pair()
		t.Add(w.Name, ms(f.Arithmetic), ms(f.Moved), ms(ours.best()), digits(ours.best()/f.Arithmetic), ms(theirs.best()),
			digits(theirs.best()/f.Arithmetic), digits(theirs.best()/f.Moved),
			target(w.Target), f.verdict(w.Target, theirs.best()),
			ms(f.Over[classProducts]), ms(f.Over[classScans]), ms(f.Over[classPasses]), ms(f.Between))
	})
	if !any {
		return nil
	}
	t.Note(fmt.Sprintf("Floor of the arithmetic: of the matrix products, attention and dense recurrences of our step 2 operations for each "+
		"multiply-add; of a selective scan %d multiplications or fused multiply-adds for each state element forward and %d "+
		"backward, exp being %d, as in attention; of a complex linear scan 4 and 8; divided by the peak of multiply-adds, "+
		"measured in the same process. Nothing else is counted: no program that makes these products in float32 is faster. "+
		"An exp of fewer products or a scan that computes less would lower it.", forwardProducts, backwardProducts, expProducts))
	t.Note("With operands moved once: each call of an operation takes at least the time that its operands need to be " +
		"read or written once, from the cache in which they fit, or else from memory. It bounds the step as it is divided " +
		"into operations now; fusing some would lower it.")
	t.Note("The last four columns, from steps with each operation timed, add up to such a step less that floor: where the " +
		"distance comes from. Passes: element by element over activations and weights. Below 0: operands that were in a nearer cache.")
	t.Note("Greatest ratio: PyTorch's time over the floor.")
	return t
}

func ms(seconds float64) string { return digits(1e3 * seconds) }

// verdict says whether the machine allows a target against a peer's time.
func (f *Floor) verdict(target, theirs float64) string {
	switch {
	case target == 0:
		return "–"
	case theirs/f.Arithmetic < target:
		return "beyond the machine: at most " + digits(theirs/f.Arithmetic)
	case theirs/f.Moved < target:
		return "only with fewer passes over memory: now at most " + digits(theirs/f.Moved)
	}
	return "possible"
}

// generationFloors is how far the machine goes with generation.
func (r *Results) generationFloors() *table.Table {
	t := table.New("How far the machine goes: generation of one stream", "workload", "floor, µs", "weights read from",
		"ours, µs", "ours over the floor", "peer", "its time, µs", "greatest ratio", "target", "verdict")
	any := false
	r.eachOf(everyWorkload(), func(w Workload, row *Row) {
		f := row.Floor
		if f == nil || w.Job.Kind != kindGenerate {
			return
		}
		any = true
		ours, theirs := row.pair()
		us := func(seconds float64) string { return digits(1e6 * seconds) }
		t.Add(w.Name, us(f.Moved), f.Level, us(ours.best()), digits(ours.best()/f.Moved), theirs.Name, us(theirs.best()),
			digits(theirs.best()/f.Moved), target(w.Target), f.verdict(w.Target, theirs.best()))
	})
	if !any {
		return nil
	}
	t.Note("Floor: the bytes of all weight matrices over the measured speed of reading from the cache in which they " +
		"fit, on one thread or two, whichever is faster. Only for the largest model is that what limits a token: in a small one " +
		"some tens of operations wait for each other, each of less than a microsecond.")
	return t
}

// others writes the tables of the peers beside PyTorch.
func (r *Results) others(b *strings.Builder) {
	for _, group := range []struct {
		title string
		rows  []Workload
		note  string
	}{
		{"JAX beside ours", jaxWorkloads(), "Each step of JAX is one function compiled by XLA. scan: lax.scan over time; " +
			"associative: lax.associative_scan. Its start is its first steps, compiling included. " +
			"With the faster of the two settings of malloc; memory: with the smaller. No target is set against JAX."},
		{"A C build beside ours: one stream of the shape of Mamba 130M, random weights", decodeWorkloads(),
			"llama.cpp, compiled on this machine for its instructions, reads a file that is made of our weights; loading is " +
				"not timed. q8_0 has a scale for 32 weights, our int8 one for a row. Its memory: the mapped file counts."},
	} {
		if t := r.beside(group.title, group.rows); t != nil {
			t.Note(group.note)
			b.WriteString(t.Markdown() + "\n")
		}
	}
}

// beside is the table of a peer's rows, nil if there are none.
func (r *Results) beside(title string, rows []Workload) *table.Table {
	t := table.New(title, "workload", "ours", "peer", "its way", "ratio", "target", "verdict", "1 thread: ours", "peer",
		"ratio", "its ways, ms", "its start, s", "memory, MB: ours", "peer")
	any := false
	r.eachOf(rows, func(w Workload, row *Row) {
		any = true
		ours, theirs := row.Two[0], row.peerTwo()
		ratio := ratios(ours, theirs)
		mb := func(bytes int64) string { return digits(float64(bytes) / 1e6) }
		one, theirOne := row.One[0], row.One[1]
		t.Add(w.Name, speed(w, ours), speed(w, theirs), theirs.Variant, ratio.String(),
			target(w.Target), verdict(ratio.Best, w.Target), speed(w, one), speed(w, theirOne), ratios(one, theirOne).String(),
			row.tried(), digits(theirs.Warmed), mb(ours.Peak), mb(min(row.Two[1].Peak, row.plainMalloc().Peak)))
	})
	if !any {
		return nil
	}
	return t
}
