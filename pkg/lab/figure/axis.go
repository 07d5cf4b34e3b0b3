package figure

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// usable reports whether v has a place on the axis.
func usable(v float64, log bool) bool { return finite(v) && (!log || v > 0) }

// span is an axis's range under construction.
type span struct {
	lo, hi float64
	log    bool
}

func newSpan(log bool) span { return span{math.Inf(1), math.Inf(-1), log} }

// add stretches the span to v, if v has a place on the axis.
func (s *span) add(vs ...float64) {
	for _, v := range vs {
		if usable(v, s.log) {
			s.lo, s.hi = min(s.lo, v), max(s.hi, v)
		}
	}
}

func (s span) empty() bool { return s.lo > s.hi }

// grown is the span with the share of its length added at each end, in
// logarithms on a logarithmic axis. A span of one point becomes an interval.
func (s span) grown(share float64) span {
	if s.log {
		g := math.Pow(s.hi/s.lo, share)
		if s.lo == s.hi {
			g = 1.5
		}
		return span{max(s.lo/g, math.SmallestNonzeroFloat64), min(s.hi*g, math.MaxFloat64), true}
	}
	d := (s.hi/2 - s.lo/2) * 2 * share
	if s.lo == s.hi {
		d = max(math.Abs(s.lo)*0.1, 1e-9)
	}
	return span{s.lo - d, s.hi + d, false}
}

// cut is s kept inside bounds.
func (s span) cut(bounds span) span {
	return span{max(s.lo, bounds.lo), min(s.hi, bounds.hi), s.log}
}

// apply sets the axis: its ends are given if they differ, else the span with a
// margin of 4 % so that no line runs along the frame.
func (s span) apply(a *plot.Axis, given [2]float64, wanted int) {
	s = s.grown(0.04)
	if given[0] != given[1] {
		s.lo, s.hi = given[0], given[1]
	}
	a.Min, a.Max = s.lo, s.hi
	if s.log {
		a.Tick.Marker = plot.ConstantTicks(logTicks(s.lo, s.hi))
		return
	}
	a.Tick.Marker = plot.ConstantTicks(linearTicks(s.lo, s.hi, wanted))
}

// linearTicks returns about wanted ticks at multiples of 1, 2, 2.5 or 5 times a
// power of ten.
func linearTicks(lo, hi float64, wanted int) []plot.Tick {
	raw := (hi - lo) / float64(wanted)
	unit := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * unit
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*unit >= raw*(1-1e-9) {
			step = m * unit
			break
		}
	}
	decimals := 0
	for d := step; decimals < 12 && math.Abs(d-math.Round(d)) > 1e-6*step; d = step * math.Pow(10, float64(decimals)) {
		decimals++
	}
	var ticks []plot.Tick
	for k := math.Ceil(lo/step - 1e-9); k*step <= hi+1e-9*step && len(ticks) < 100; k++ {
		v := k * step
		ticks = append(ticks, plot.Tick{Value: v, Label: number(v, decimals)})
	}
	return ticks
}

// logTicks labels powers of ten, with 2 and 5 between them on a short axis,
// and marks the rest of each decade.
func logTicks(lo, hi float64) []plot.Tick {
	decades := math.Log10(hi / lo)
	every := max(1, int(math.Ceil(decades/7))) // at most 8 labels
	var ticks []plot.Tick
	for e := int(math.Floor(math.Log10(lo))); e <= int(math.Ceil(math.Log10(hi))); e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, float64(e))
			if v < lo*(1-1e-9) || v > hi*(1+1e-9) || (every > 1 && m > 1) {
				continue
			}
			label := ""
			switch {
			case m == 1 && e%every == 0, decades < 2.2 && (m == 2 || m == 5), decades < 0.8:
				label = logNumber(v)
			}
			ticks = append(ticks, plot.Tick{Value: v, Label: label})
		}
	}
	labelled := slices.ContainsFunc(ticks, func(t plot.Tick) bool { return t.Label != "" })
	if !labelled || decades < 0.3 {
		return linearTicks(lo, hi, 4)
	}
	return ticks
}

// valueTicks labels the data's own positions, as for lengths 256, 512, 1024. It
// returns nil if there are too many to be read.
func valueTicks(values []float64) []plot.Tick {
	values = slices.Clone(values)
	slices.Sort(values)
	values = slices.Compact(values)
	if len(values) < 2 || len(values) > 12 {
		return nil
	}
	for i := 1; i < len(values); i++ {
		if values[i]/values[i-1] < 1.4 { // closer than half a doubling: labels would touch
			return nil
		}
	}
	every := (len(values) + 7) / 8
	ticks := make([]plot.Tick, len(values))
	for i, v := range values {
		ticks[i].Value = v
		if (len(values)-1-i)%every == 0 {
			ticks[i].Label = logNumber(v)
		}
	}
	return ticks
}

// number formats v with the given decimals, a true minus sign, and a comma at
// each thousand from 10,000 on.
func number(v float64, decimals int) string {
	if math.Abs(v) >= 1e7 || (decimals > 6 && v != 0) {
		return strings.ReplaceAll(strconv.FormatFloat(v, 'g', 4, 64), "-", "−")
	}
	text := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	if len(whole) > 4 {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if v < 0 && strings.Trim(whole, "0.,") != "" {
		return "−" + whole
	}
	return whole
}

// short formats v with about two significant digits.
func short(v float64) string {
	a := math.Abs(v)
	if a == 0 || a >= 1e5 || a < 1e-4 {
		return strings.ReplaceAll(strconv.FormatFloat(v, 'g', 2, 64), "-", "−")
	}
	return number(v, max(0, 1-int(math.Floor(math.Log10(a)))))
}

// logNumber formats a tick of a logarithmic axis: in full where it is short.
func logNumber(v float64) string {
	if v >= 1e7 || v < 1e-4 {
		text := strconv.FormatFloat(v, 'e', -1, 64)
		mantissa, exponent, _ := strings.Cut(text, "e")
		n, _ := strconv.Atoi(exponent)
		return mantissa + "e" + strings.ReplaceAll(strconv.Itoa(n), "-", "−")
	}
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if rounded := strconv.FormatFloat(v, 'g', 6, 64); !strings.Contains(rounded, "e") {
		text = rounded // 0.30000000000000004 is 0.3
	}
	if _, fraction, _ := strings.Cut(text, "."); fraction == "" {
		return number(v, 0)
	}
	return text
}
