package lab

import (
	"fmt"
	"math"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// BarFigure draws the arms as bars: mean of the task's metric on "test", t
// interval, a dot a seed, and the chance level. Where lower is better the axis
// shows the range of the results, and a large dot is the mean.
func (r *StudyResult) BarFigure() (*figure.Figure, error) {
	var bars []figure.Bar
	for _, a := range r.Arms {
		s := r.Summary(a)
		b := figure.Bar{Name: a.label(), Mean: s.Mean, Lo: s.Lo, Hi: s.Hi, Points: a.Values(r.Key()), Note: a.change()}
		bars = append(bars, b)
	}
	c := figure.Config{
		Title: r.title(), XLabel: r.Key() + r.direction(),
		Note: fmt.Sprintf("mean over %s; whiskers: 95%% t interval of the mean%s; dots: the seeds", seeds(len(r.Config.Seeds)), rangeOf(r.Spec.Metric).note()),
	}
	if r.Spec.Metric.HigherIsBetter() {
		c.Reference, c.ReferenceLabel = r.Spec.Chance, fmt.Sprintf("chance %.3g", r.Spec.Chance)
	} else { // arms differ by far less than they are away from zero and from chance
		c.XRange = around(bars)
		c.Note += fmt.Sprintf("; chance is %.3g", r.Spec.Chance)
	}
	return figure.Bars(c, bars)
}

// around is the range of all results with a little room, the zero value if
// there is none.
func around(bars []figure.Bar) [2]float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, b := range bars {
		for _, v := range append([]float64{b.Mean, b.Lo, b.Hi}, b.Points...) {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	if !(lo < hi) {
		return [2]float64{}
	}
	return [2]float64{lo - 0.05*(hi-lo), hi + 0.05*(hi-lo)}
}

// direction says which way is better.
func (r *StudyResult) direction() string {
	if r.Spec.Metric.HigherIsBetter() {
		return " (higher is better)"
	}
	return " (lower is better)"
}

// CurveFigure draws a metric by step: for every arm the mean over its seeds
// with the t interval. Each point is the mean of bin consecutive logged values
// of a run, 1 for none; the figure says so. Where a seed has diverged the arm's
// line ends: a mean over the runs that are left would flatter it.
func (r *StudyResult) CurveFigure(key string, bin int) (*figure.Figure, error) {
	if bin < 1 {
		return nil, fmt.Errorf("lab: CurveFigure: bin is %d, want 1 or more", bin)
	}
	var series []figure.Series
	for _, a := range r.Arms {
		if s := a.series(key, bin); len(s.X) > 0 {
			series = append(series, s)
		}
	}
	note := fmt.Sprintf("lines: mean over %s; bands: 95%% t interval of the mean%s", seeds(len(r.Config.Seeds)), rangeOfKey(key).note())
	if bin > 1 {
		note += fmt.Sprintf("; a point is the mean of %d logged values", bin)
	}
	c := figure.Config{Title: r.title(), Note: note, XLabel: "step", YLabel: key}
	if strings.HasSuffix(key, "/"+string(r.Spec.Metric)) {
		c.YLabel += r.direction()
		if r.Spec.Metric == task.Accuracy {
			c.Reference, c.ReferenceLabel, c.YRange = r.Spec.Chance, "chance", [2]float64{0, 1}
		}
	}
	return figure.Curves(c, series)
}

// LossBin returns the bin with which CurveFigure shows a training loss in about
// 50 points.
func (r *StudyResult) LossBin() int {
	n := 0
	for _, a := range r.Arms {
		for _, run := range a.Runs {
			n = max(n, len(run.Curves[KeyTrainLoss].Steps))
		}
	}
	return max(1, n/50)
}

// series is an arm's line. Bins are those of its longest run; a bin that not
// every run has filled is a gap.
func (a ArmResult) series(key string, bin int) figure.Series {
	s := figure.Series{Name: a.label()}
	var longest Curve
	for _, run := range a.Runs {
		if c := run.Curves[key]; len(c.Steps) > len(longest.Steps) {
			longest = c
		}
	}
	for from := 0; from < len(longest.Steps); from += bin {
		to := min(from+bin, len(longest.Steps))
		values := make([]float64, len(a.Runs))
		whole := true
		for i, run := range a.Runs {
			c := run.Curves[key]
			if len(c.Values) < to || run.Status == Diverged && len(c.Values) == to {
				whole = false // its last value is the one that diverged
				break
			}
			values[i] = average(c.Values[from:to])
		}
		s.X = append(s.X, float64(longest.Steps[to-1]))
		sum := stats.Summary{Mean: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}
		if whole {
			sum = summarise(values, rangeOfKey(key))
		}
		s.Y, s.Lo, s.Hi = append(s.Y, sum.Mean), append(s.Lo, sum.Lo), append(s.Hi, sum.Hi)
	}
	return s
}

func average(xs []float64) float64 {
	var sum float64
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// Figure draws seconds against length on logarithmic axes with the fitted
// exponents; its note says where there are none.
func (r *ScalingResult) Figure() (*figure.Figure, error) {
	var series []figure.Series
	for _, k := range r.Curves {
		series = append(series, figure.Series{Name: k.Rung, X: k.Lengths, Y: k.Seconds, Lo: k.Fastest, Hi: k.Slowest})
	}
	from := r.Config.Lengths[fitFrom(len(r.Config.Lengths))]
	laws := fmt.Sprintf("lines: power law from L=%d on", from)
	switch told := r.told(); {
	case told == 0:
		laws = "the lengths tell no exponent"
	case told < len(r.Curves):
		laws += fmt.Sprintf(", where %d lengths or more tell one", stats.LawPoints)
	}
	return figure.Scaling(figure.Config{
		Title:  fmt.Sprintf("Time of one block by length, width %d, %s", r.Config.D, r.Config.Device),
		Note:   fmt.Sprintf("forward and backward, batch 1; points: median of %d; whiskers: fastest and slowest; %s", r.Config.Repeats, laws),
		XLabel: "sequence length L", YLabel: "seconds",
	}, series, float64(from))
}
