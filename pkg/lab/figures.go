package lab

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// StudyFigure is one of the figures of a study.
type StudyFigure struct {
	Suffix string // of its file: "" for the results, "-curves", "-loss", …
	Alt    string // what it shows, in words
	Draw   func() (*figure.Figure, error)
}

// Figures lists the figures that the study has data for: the results, the
// metric on "valid" and the training loss by step, the tuning runs, the metric
// by length, eigenvalues before and after training, and Δ over a text.
func (r *StudyResult) Figures() []StudyFigure {
	on := fmt.Sprintf(" on %s", r.Config.Arms[0].Experiment.Task.Name)
	out := []StudyFigure{
		{"", r.Key() + " of every arm" + on, r.ResultFigure},
		{"-curves", r.validKey() + " by step" + on, func() (*figure.Figure, error) { return r.CurveFigure(r.validKey(), 1) }},
		{"-loss", "training loss by step" + on, func() (*figure.Figure, error) { return r.CurveFigure(KeyTrainLoss, r.LossBin()) }},
	}
	if slices.ContainsFunc(r.Arms, func(a ArmResult) bool { return len(a.Tries) > 0 }) {
		out = append(out, StudyFigure{"-rates", "tuning runs by learning rate" + on, r.RateFigure})
	}
	if len(r.lengths()) > 1 {
		out = append(out, StudyFigure{"-lengths", string(r.Spec.Metric) + " by length" + on, r.LengthFigure})
	}
	if s, err := r.spectra(); len(s) > 0 || err != nil {
		out = append(out, StudyFigure{"-eigenvalues", "eigenvalues before and after training" + on, r.EigenFigure})
	}
	if d, err := r.deltaView(); d != nil || err != nil {
		out = append(out, StudyFigure{"-delta", "the step Δ of a selective model over a text, after training" + on, r.DeltaFigure})
	}
	return out
}

// validKey is the metric that learning rates are chosen by.
func (r *StudyResult) validKey() string { return "valid/" + string(r.Spec.Metric) }

// config is the head of a figure: what it shows on which task, and under it the
// sizes of the study and what the marks mean.
func (r *StudyResult) config(shows string, notes ...string) figure.Config {
	name := string(r.Config.Arms[0].Experiment.Task.Name)
	sizes := strings.TrimPrefix(r.title(), name+": ")
	return figure.Config{Title: name + ": " + shows, Note: strings.Join(append([]string{sizes}, notes...), "; ")}
}

// family is the kind of mixing along time that an arm is of, and its colour.
func (a ArmResult) family() (name string, paint figure.Color) {
	switch m := a.Experiment.Model.Mixer; {
	case m.Kind == Identity:
		return "no recurrence", figure.Black
	case m.Kind == Attention:
		return "attention", figure.Sky
	case m.Kind == Dense, m.Kind == GRU, m.Kind == LSTM:
		return "nonlinear and dense", figure.Purple
	case m.Kind == MinGRU, m.Kind == MinLSTM, m.Kind == S6 && m.Select != "none":
		return "selective", figure.Vermillion
	case m.Kind == Diagonal, m.Kind == SISO, m.Kind == S4D, m.Kind == S6:
		return "diagonal", figure.Blue
	}
	return "others", figure.Green
}

// ResultFigure draws the arms below each other, by family: mean of the task's
// metric on "test", t interval, a dot a seed, the one change, and the chance
// level. Where lower is better the axis shows the range of the results.
func (r *StudyResult) ResultFigure() (*figure.Figure, error) {
	var bars []figure.Bar
	for _, a := range r.Arms {
		s := r.Summary(a)
		b := figure.Bar{Name: a.label(), Mean: s.Mean, Lo: s.Lo, Hi: s.Hi, Points: a.Values(r.Key()), Note: a.change()}
		b.Group, b.Color = a.family()
		bars = append(bars, b)
	}
	c := r.config(r.Key()+" of every arm", "large dot: mean", "thick line: its 95 % interval over tuning and reporting seeds"+rangeOf(r.Spec.Metric).note(), "small dots: the seeds")
	c.XLabel = r.Key() + r.direction()
	if r.Spec.Metric.HigherIsBetter() {
		c.Reference, c.ReferenceLabel, c.XRange = r.Spec.Chance, fmt.Sprintf("chance %.3g", r.Spec.Chance), [2]float64{0, 1}
	} else { // arms differ by far less than they are away from chance
		c.Note += fmt.Sprintf("; chance is %.3g", r.Spec.Chance)
	}
	return figure.Dots(c, bars)
}

// direction says which way is better.
func (r *StudyResult) direction() string {
	if r.Spec.Metric.HigherIsBetter() {
		return " (higher is better)"
	}
	return " (lower is better)"
}

// CurveFigure draws a metric by step, a panel an arm: the mean over its seeds
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
	notes := []string{"colour: mean of the arm's seeds", "band: 95% t interval of the mean" + rangeOfKey(key).note(), "grey: the other arms"}
	if bin > 1 {
		notes = append(notes, fmt.Sprintf("a point is the mean of %d logged values", bin))
	}
	c := r.config(key+" by step", notes...)
	c.XLabel, c.YLabel = "step", key
	if strings.HasSuffix(key, "/"+string(r.Spec.Metric)) {
		c.YLabel += r.direction()
		r.scale(&c)
	}
	return figure.Panels(c, series)
}

// scale gives an axis of the task's metric its range and chance level.
func (r *StudyResult) scale(c *figure.Config) {
	if r.Spec.Metric == task.Accuracy {
		c.Reference, c.ReferenceLabel, c.YRange = r.Spec.Chance, fmt.Sprintf("chance, %.3g", r.Spec.Chance), [2]float64{0, 1}
	}
}

// RateFigure draws the tuning runs, a panel an arm: their score over the
// learning rate, and which rate was chosen. The error says so if there are none.
func (r *StudyResult) RateFigure() (*figure.Figure, error) {
	var arms []figure.Tuning
	for _, a := range r.Arms {
		t := figure.Tuning{Name: a.label(), Chosen: a.LR, Edge: r.Tuning(a).Edge}
		_, t.Color = a.family()
		for _, try := range a.Tries {
			if try.Status == Diverged {
				try.Score = math.NaN()
			}
			t.Tries = append(t.Tries, figure.Trial{Rate: try.LR, Score: try.Score})
		}
		arms = append(arms, t)
	}
	steps := "as many steps in a tuning run"
	if n := r.Config.TuneSteps; n > 0 {
		steps = fmt.Sprintf("%d steps in a tuning run", n)
	}
	c := r.config("tuning runs by learning rate", steps, "above each panel: the chosen rate, and whether the best one lies at the edge of the grid", "dots: runs on seeds that are not reported",
		"line: their mean", "ring: chosen", "×: diverged")
	c.XLabel, c.YLabel = "learning rate", r.validKey()+r.direction()
	r.scale(&c)
	return figure.Rates(c, arms)
}

// testLength is a split and the length of its sequences.
type testLength struct {
	split  string
	length float64
}

// lengths are the test splits by length, of tasks that are also tested at other
// lengths than the trained one.
func (r *StudyResult) lengths() []testLength {
	var out []testLength
	for _, s := range r.Spec.Splits {
		length := r.Config.Arms[0].Experiment.Task.Length
		if _, at, ok := strings.Cut(s, "test@"); ok {
			n, err := strconv.Atoi(at)
			if err != nil {
				continue
			}
			length = n
		} else if s != "test" {
			continue
		}
		out = append(out, testLength{s, float64(length)})
	}
	slices.SortStableFunc(out, func(a, b testLength) int { return cmp.Compare(a.length, b.length) })
	return slices.CompactFunc(out, func(a, b testLength) bool { return a.length == b.length })
}

// LengthFigure draws the task's metric by the length of the tested sequences, a
// panel an arm, for tasks with splits "test@LENGTH"; the error says so if there
// are none.
func (r *StudyResult) LengthFigure() (*figure.Figure, error) {
	lengths := r.lengths()
	if len(lengths) < 2 {
		return nil, fmt.Errorf("lab: LengthFigure: %s is tested at %d length, want 2 or more (eval_lengths of the task)", r.Config.Arms[0].Experiment.Task.Name, len(lengths))
	}
	var series []figure.Series
	for _, a := range r.Arms {
		s := figure.Series{Name: a.label()}
		_, s.Color = a.family()
		for _, l := range lengths {
			sum := summarise(a.Values(l.split+"/"+string(r.Spec.Metric)), rangeOf(r.Spec.Metric))
			s.X, s.Y, s.Lo, s.Hi = append(s.X, l.length), append(s.Y, sum.Mean), append(s.Lo, sum.Lo), append(s.Hi, sum.Hi)
		}
		series = append(series, s)
	}
	c := r.config(string(r.Spec.Metric)+" by length", "colour: mean of the arm's seeds", "band: 95% t interval of the mean"+rangeOf(r.Spec.Metric).note(), "grey: the other arms")
	c.XLabel, c.YLabel, c.LogX = "length of the tested sequences", string(r.Spec.Metric)+r.direction(), true
	trained := r.Config.Arms[0].Experiment.Task
	c.Mark, c.MarkLabel = float64(trained.Length), "trained length, "+trainedAt(trained)
	if n := len(trained.TrainLengths); n > 0 {
		c.Mark = float64(trained.TrainLengths[n-1])
	}
	r.scale(&c)
	return figure.Panels(c, series)
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
	_, s.Color = a.family()
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
