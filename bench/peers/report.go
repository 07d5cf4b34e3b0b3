package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/table"
)

// spread is the least, the middle and the greatest of the rounds.
type spread struct{ Mid, Lo, Hi float64 }

func spreadOf(xs []float64) spread {
	if len(xs) == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	return spread{median(xs), slices.Min(xs), slices.Max(xs)}
}

// format writes the spread with three digits.
func (s spread) format(unit float64) string {
	return fmt.Sprintf("%s (%s–%s)", digits(s.Mid*unit), digits(s.Lo*unit), digits(s.Hi*unit))
}

// digits writes three digits, without an exponent.
func digits(v float64) string {
	if math.Abs(v) >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// ratio is how many times as fast a is as b: by the fastest round of each, and
// by each pair of rounds.
type ratio struct {
	Best  float64
	Pairs spread
}

func ratios(a, b Side) ratio {
	var out []float64
	for i := range min(len(a.Seconds), len(b.Seconds)) {
		out = append(out, b.Seconds[i]/a.Seconds[i])
	}
	return ratio{b.best() / a.best(), spreadOf(out)}
}

func (r ratio) String() string { return fmt.Sprintf("%s; %s", digits(r.Best), r.Pairs.format(1)) }

// pair is the peer's fastest, with the tuned malloc or the system's, or on one
// thread where that is faster, and ours in the same race.
func (r *Row) pair() (ours, theirs Side) {
	ours, theirs = r.Two[0], r.peerTwo()
	if r.One[1].best() >= theirs.best() {
		return ours, theirs
	}
	if r.One[0].best() < r.One[2].best() {
		return r.One[0], r.One[1]
	}
	return r.One[2], r.One[1]
}

// peerTwo is the peer on two threads with the better malloc.
func (r *Row) peerTwo() Side {
	if plain := r.plainMalloc(); plain.best() < r.Two[1].best() {
		return plain
	}
	return r.Two[1]
}

// plainMalloc is the peer with the malloc of the system, llama.cpp's only one.
func (r *Row) plainMalloc() Side {
	if len(r.Two) > 2 {
		return r.Two[2]
	}
	return r.Two[1]
}

// way names how a side of the peer computes.
func (s Side) way() string {
	if s.Threads == 1 {
		return s.Variant + ", 1 thread"
	}
	return s.Variant
}

// eager is the race of the fastest of the peer's ways without torch.compile.
func (r *Row) eager() Side {
	if len(r.Two) > 3 {
		return r.Two[3]
	}
	return r.Two[1]
}

// verdict says whether a target is met.
func verdict(got, want float64) string {
	if want == 0 {
		return "–"
	}
	if got >= want {
		return "met"
	}
	return fmt.Sprintf("missed, %s of it", digits(got/want))
}

// target writes a target, of which 0 is none.
func target(v float64) string {
	if v == 0 {
		return "–"
	}
	return "≥ " + digits(v)
}

// speed writes the speed of a side in its fastest round and in the middle one:
// thousands of tokens a second, tokens where that is less than one, or
// milliseconds of a scan.
func speed(w Workload, s Side) string {
	if w.Job.Kind == kindScan {
		return fmt.Sprintf("%s, %s ms", digits(1e3*s.best()), digits(1e3*median(s.Seconds)))
	}
	rate, unit := w.Job.tokens()/1e3, "K/s"
	if rate/s.best() < 1 {
		rate, unit = w.Job.tokens(), "/s"
	}
	return fmt.Sprintf("%s, %s %s", digits(rate/s.best()), digits(rate/median(s.Seconds)), unit)
}

// page writes the page and its figures.
func (r *Results) page(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var b strings.Builder
	r.head(&b)
	for _, t := range []*table.Table{r.targets(), r.oneThread(), r.memory()} {
		b.WriteString(t.Markdown() + "\n")
	}
	r.machine(&b)
	r.others(&b)
	if len(r.States) > 0 {
		b.WriteString("## The price of the state\n\n" + r.states().Markdown() + "\n")
	}
	err := r.lengths(&b, filepath.Dir(path))
	if r.Profile != nil {
		b.WriteString("## Where a step's time goes\n\n" + r.Profile.table().Markdown() + "\n")
	}
	b.WriteString("## What was tried, and what was checked\n\n" + r.variants().Markdown() + "\n" + r.checks().Markdown())
	return errors.Join(err, os.WriteFile(path, []byte(b.String()), 0o644))
}

// busyLoad is the load per core above which a page says that the machine was
// busy. A load of up to 1 is what the measuring itself brings.
const busyLoad = 1.5

func (r *Results) head(b *strings.Builder) {
	m := r.Machine
	lo, hi := math.Inf(1), 0.0
	commits, rounds := []string{}, []int{}
	for _, row := range r.Rows {
		if len(row.Two) > 0 {
			rounds = append(rounds, len(row.Two[0].Seconds))
		}
		lo, hi = min(lo, row.Load), max(hi, row.Load)
		if !slices.Contains(commits, row.Commit) {
			commits = append(commits, row.Commit)
		}
	}
	if len(rounds) == 0 {
		lo, rounds = 0, []int{0}
	}
	fmt.Fprintf(b, `# Performance

Written by `+"`go run ./bench/peers`"+` (`+"`make bench`"+`). Each measurement is a process of its own. Ours and PyTorch's take
turns, %s rounds, so a change of the machine's speed meets both. Speeds are given for the fastest and for the median round.
A ratio is that of the fastest rounds, which other programs disturbed least, then the ratio round by round:
median (least–greatest). Targets are held against the first. Both sides start from the same weights, read the same tokens
and make the same update; a row whose sides find different losses or gradients would say so.

| | |
|---|---|
| machine | %s, %d cores, %s memory, %s |
| ours | float32, kernels %s, %s, commit %s |
| PyTorch | %s, Python %s, float32 |
%s| load of the machine before a row, mean of a minute | %.1f to %.1f |
| measured | %s to %s |

A training step is forward, cross-entropy, backward, clipping of the gradient's norm, and AdamW (PyTorch: fused); models
have two layers, vocabulary 256; B batch, L length. PyTorch computes each recurrence in its fastest way of those named in
the last tables, and with the faster of two settings of glibc's malloc: the system's, and one that keeps memory
(`+"`%s`"+`).

`, between(slices.Min(rounds), slices.Max(rounds)), m.CPU, m.Cores, m.Memory, m.System, m.Kernels, m.Go, strings.Join(commits, ", "), m.Torch, m.Python, r.versions(), lo, hi,
		r.Start.Format("2006-01-02 15:04"), r.End.Format("2006-01-02 15:04 UTC"), strings.Join(tunedMalloc, " "))
	if hi > busyLoad*float64(m.Cores) {
		fmt.Fprintf(b, "**Other programs kept this machine busy** (a load of up to %.0f on %d cores): on two threads both sides had less than two\ncores, "+
			"and what is said of two cores against one says little. Measure again on a quiet machine.\n\n", hi, m.Cores)
	}
}

// between writes "5", or "2 to 5".
func between(lo, hi int) string {
	if lo == hi {
		return fmt.Sprint(lo)
	}
	return fmt.Sprintf("%d to %d", lo, hi)
}

// each calls f for every workload that was measured against PyTorch, in order.
func (r *Results) each(f func(w Workload, row *Row)) { r.eachOf(workloads(), f) }

func (r *Results) eachOf(all []Workload, f func(w Workload, row *Row)) {
	for _, w := range all {
		if row := r.row(w.Name); row != nil {
			f(w, row)
		}
	}
}

func (r *Results) targets() *table.Table {
	t := table.New("Against the targets: on two threads, or on one where that is faster", "workload", "ours", "PyTorch", "its way", "ratio", "target", "verdict", "ratio without torch.compile", "its way")
	r.each(func(w Workload, row *Row) {
		ours, theirs := row.pair()
		ratio, eager := ratios(ours, theirs), row.eager()
		plain := ratios(row.Two[0], eager)
		t.Add(w.Name, speed(w, ours), speed(w, theirs), theirs.way(), ratio.String(), target(w.Target), verdict(ratio.Best, w.Target), plain.String(), eager.Variant)
	})
	t.Note("K/s: thousands of tokens a second; /s: tokens. Scan: forward and backward, with gate, all seven gradients.")
	var missing []string
	for _, w := range everyWorkload() {
		if r.row(w.Name) == nil {
			missing = append(missing, w.Name)
		}
	}
	if len(missing) > 0 {
		t.Note("Not measured: " + strings.Join(missing, "; ") + ".")
	}
	return t
}

func (r *Results) oneThread() *table.Table {
	t := table.New("One thread; and two against one", "workload", "ours, 1 thread", "PyTorch, 1 thread", "ratio", "ours, 2 against 1", "target", "verdict")
	r.each(func(w Workload, row *Row) {
		two := ratios(row.One[2], row.One[0])
		target, said := fmt.Sprintf("≥ %.1f", scalingTarget), verdict(two.Best, scalingTarget)
		if w.Job.Kind == kindGenerate {
			target, said = "–", "–" // one stream of a small model has nothing to share
		}
		t.Add(w.Name, speed(w, row.One[0]), speed(w, row.One[1]), ratios(row.One[0], row.One[1]).String(), two.String(), target, said)
	})
	return t
}

func (r *Results) memory() *table.Table {
	t := table.New("Greatest resident memory, MB, two threads", "workload", "ours", "PyTorch", "ratio", "target", "verdict", "without the bare process: ours", "PyTorch", "ratio")
	r.each(func(w Workload, row *Row) {
		a, p := row.Two[0], row.Two[1]
		if plain := row.plainMalloc(); plain.Peak < p.Peak {
			p = plain
		}
		mb := func(bytes int64) string { return digits(float64(bytes) / 1e6) }
		ratio := float64(p.Peak) / float64(a.Peak)
		target, said := "–", "–"
		if w.Job.Kind != kindGenerate {
			target, said = "≥ "+digits(memoryTarget), verdict(ratio, memoryTarget)
		}
		t.Add(w.Name, mb(a.Peak), mb(p.Peak), digits(ratio), target, said, mb(a.Peak-a.Base), mb(p.Peak-p.Base), digits(float64(p.Peak-p.Base)/float64(a.Peak-a.Base)))
	})
	t.Note("PyTorch with the malloc that takes less. The bare process: before the model is built, PyTorch imported. Its wheel from PyPI brings CUDA's libraries with it.")
	return t
}

func (r *Results) variants() *table.Table {
	t := table.New("PyTorch's ways, ms a step, two threads", "workload", "one turn of each, tuned malloc", "race, tuned malloc", "race, malloc of the system")
	r.each(func(w Workload, row *Row) {
		t.Add(w.Name, row.tried(), spreadOf(row.Two[1].Seconds).format(1e3), spreadOf(row.Two[2].Seconds).format(1e3))
	})
	t.Note("sequential: a loop over the steps. pscan: parallel scan, mambapy's (Blelloch) for the selective one, doubling for the LRU. " +
		"fft: the LRU as a convolution. compiled: the loop, 16 steps at a time through torch.compile. compile: the whole model through torch.compile. " +
		"eager: nn.GRU, nn.LSTM, nn.RNN; scaled_dot_product_attention; the recurrent step under inference_mode.")
	return t
}

// tried lists the peer's ways with the milliseconds of a step.
func (r *Row) tried() string {
	var out []string
	for _, s := range r.Tried {
		text := s.Variant + " fails: " + s.Error
		if s.Error == "" {
			text = fmt.Sprintf("%s %s", s.Variant, digits(1e3*median(s.Seconds)))
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func (r *Results) checks() *table.Table {
	t := table.New("Both sides find the same", "workload", "parameters", "ours", "the peer", "agree", "load before")
	r.eachOf(everyWorkload(), func(w Workload, row *Row) {
		agree := "yes"
		if row.Problem != "" {
			agree = "NO: " + row.Problem
		}
		t.Add(w.Name, fmt.Sprint(row.Params), list(row.Two[0].Found), list(row.Two[1].Found), agree, fmt.Sprintf("%.1f", row.Load))
	})
	t.Note(fmt.Sprintf("Training: the losses of the first steps on one batch. Scan: the mean of y, and the norms of all gradients. Generation: the first tokens, and last the greatest score that follows them. Agreement is within %g of the value, with weights of fewer bits within %g.", tolerance, narrowTolerance))
	return t
}

// list writes at most four of xs, the last among them.
func list(xs []float64) string {
	var out []string
	for i, v := range xs {
		if len(xs) > 4 && i >= 3 && i < len(xs)-1 {
			if i == 3 {
				out = append(out, "…")
			}
			continue
		}
		out = append(out, fmt.Sprintf("%.5g", v))
	}
	return strings.Join(out, ", ")
}
