package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/table"
)

// LadderRecord is what a whole ladder came to, and where and how long it ran: the
// compact export from which every table and figure is made.
type LadderRecord struct {
	Preset  string            `json:"preset"`
	Machine map[string]string `json:"machine"`
	Seconds float64           `json:"seconds"`
	Runs    int               `json:"runs"`
	Reused  int               `json:"reused"` // of them, found in the database and not run in these seconds
	Studies []StudyRecord     `json:"studies"`
	SHA256  string            `json:"sha256"` // of the record as JSON without this field's value
}

// digest is what SHA256 must be.
func (l LadderRecord) digest() (string, error) {
	l.SHA256 = ""
	raw, err := json.Marshal(l)
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), err
}

// Results returns the studies that were recorded.
func (l LadderRecord) Results() ([]*StudyResult, error) {
	var out []*StudyResult
	for _, s := range l.Studies {
		r, err := s.Result()
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// StudyRecord is a study's outcome as plain numbers. StudyRecord.Result is the
// StudyResult again, without weights.
type StudyRecord struct {
	Name      string      `json:"name"`
	About     string      `json:"about,omitempty"`
	LRs       []float64   `json:"learning_rates"`
	TuneSeeds []uint64    `json:"tune_seeds,omitempty"`
	TuneSteps int         `json:"tune_steps,omitempty"`
	Seeds     []uint64    `json:"seeds"`
	Extend    int         `json:"extend,omitempty"`
	Notes     []string    `json:"notes,omitempty"`
	Arms      []ArmRecord `json:"arms"`

	Spectra []SpectrumRecord `json:"spectra,omitempty"` // eigenvalues of each arm's first run
	Delta   *DeltaView       `json:"delta,omitempty"`   // Δ over a text
}

// SpectrumRecord is a Spectrum in four significant digits, [real, imaginary].
type SpectrumRecord struct {
	Arm    string      `json:"arm"`
	Before [][2]Number `json:"before"`
	After  [][2]Number `json:"after"`
}

// views is what a study shows of its models.
type views struct {
	spectra []Spectrum
	delta   *DeltaView
}

// ArmRecord is one arm of a StudyRecord, its runs in the order of the seeds.
type ArmRecord struct {
	Name       string          `json:"name"`
	Label      string          `json:"label"`
	From       string          `json:"from,omitempty"`
	Change     string          `json:"change,omitempty"`
	Experiment json.RawMessage `json:"experiment"` // of the arm; rate and seed are the run's
	LR         float64         `json:"learning_rate"`
	Params     int             `json:"params"`
	Tries      []TryRecord     `json:"tries,omitempty"` // the tuning runs, none of them reported
	Runs       []RunRecord     `json:"runs"`
}

// TryRecord is one tuning run: its scores are the task's metric.
type TryRecord struct {
	LR     float64 `json:"learning_rate"`
	Seed   uint64  `json:"seed"`
	Status Status  `json:"status"`
	Valid  Number  `json:"valid"`
	Test   Number  `json:"test"`
}

// RunRecord is one reported run.
type RunRecord struct {
	Hash            string                 `json:"sha256"` // of its experiment
	Status          Status                 `json:"status"`
	Steps           int                    `json:"steps"`
	TokensPerSecond Number                 `json:"tokens_per_second"`
	Final           map[string]Number      `json:"final"`  // last values of test splits and the metric on "valid"
	Curves          map[string]CurveRecord `json:"curves"` // that metric, and the training loss in 50 points or so
}

// CurveRecord is a Curve in six significant digits.
type CurveRecord struct {
	Steps  []int64  `json:"steps"`
	Values []Number `json:"values"`
}

// Number is a float64 that JSON can hold: NaN and infinities become null, which
// reads back as NaN.
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return json.Marshal(f)
	}
	return []byte("null"), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(data, (*float64)(n))
}

// Record returns the study as plain numbers. Curves are thinned: a point of the
// training loss is the mean of LossBin logged ones.
func (r *StudyResult) Record() StudyRecord {
	s := StudyRecord{Name: r.Config.Name, About: r.Config.About, LRs: r.Config.LRs, TuneSeeds: r.Config.TuneSeeds, TuneSteps: r.Config.TuneSteps,
		Seeds: r.Config.Seeds, Extend: r.Config.Extend, Notes: r.Config.Notes}
	for _, a := range r.Arms {
		rec := ArmRecord{Name: a.Name, Label: a.label(), From: a.From, Change: a.Change, Experiment: a.Experiment.JSON(), LR: a.LR}
		for _, t := range a.Tries {
			rec.Tries = append(rec.Tries, TryRecord{t.LR, t.Seed, t.Status, Number(t.Score), Number(t.Test)})
		}
		for _, run := range a.Runs {
			rec.Params = run.Params
			rec.Runs = append(rec.Runs, r.recordRun(run))
		}
		s.Arms = append(s.Arms, rec)
	}
	spectra, _ := r.spectra() // weights that cannot be read have no place in a record
	for _, x := range spectra {
		s.Spectra = append(s.Spectra, SpectrumRecord{x.Arm, pairs(x.Before), pairs(x.After)})
	}
	if v, err := r.deltaView(); err == nil && v != nil {
		kept := *v
		kept.Rows = slices.Clone(v.Rows)
		for i, row := range kept.Rows {
			kept.Rows[i].Values = slices.Clone(row.Values)
			for k, value := range row.Values {
				kept.Rows[i].Values[k] = rounded(value, 4)
			}
		}
		s.Delta = &kept
	}
	return s
}

// pairs and complexes turn eigenvalues into plain numbers and back.
func pairs(z []complex128) [][2]Number {
	out := make([][2]Number, len(z))
	for i, v := range z {
		out[i] = [2]Number{Number(rounded(real(v), 4)), Number(rounded(imag(v), 4))}
	}
	return out
}

func complexes(x [][2]Number) []complex128 {
	out := make([]complex128, len(x))
	for i, v := range x {
		out[i] = complex(float64(v[0]), float64(v[1]))
	}
	return out
}

// rounded is v in so many significant digits.
func rounded(v float64, digits int) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	return r
}

func (r *StudyResult) recordRun(run *Result) RunRecord {
	valid := "valid/" + string(r.Spec.Metric)
	rec := RunRecord{Hash: run.Experiment.Hash(), Status: run.Status, Steps: run.Steps, TokensPerSecond: Number(run.TokensPerSecond),
		Final: map[string]Number{}, Curves: map[string]CurveRecord{}}
	for key, v := range run.Final {
		if key == valid || strings.HasPrefix(key, "test") {
			rec.Final[key] = Number(v)
		}
	}
	for key, bin := range map[string]int{valid: 1, KeyTrainLoss: r.LossBin()} {
		if c := run.Curves[key]; len(c.Steps) > 0 {
			rec.Curves[key] = thinned(c, bin)
		}
	}
	return rec
}

// thinned returns a curve whose points are the means of bin points.
func thinned(c Curve, bin int) CurveRecord {
	var out CurveRecord
	for from := 0; from < len(c.Steps); from += bin {
		to := min(from+bin, len(c.Steps))
		out.Steps, out.Values = append(out.Steps, c.Steps[to-1]), append(out.Values, Number(rounded(average(c.Values[from:to]), 6)))
	}
	return out
}

// Result returns the study that was recorded. Its runs have neither weights nor
// the curves that were not kept.
func (s StudyRecord) Result() (*StudyResult, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("lab: record %s: %w", s.Name, err)
	}
	r := &StudyResult{Config: StudyConfig{Name: s.Name, About: s.About, LRs: s.LRs, TuneSeeds: s.TuneSeeds, TuneSteps: s.TuneSteps, Seeds: s.Seeds, Extend: s.Extend, Notes: s.Notes}}
	for _, rec := range s.Arms {
		e, err := ParseExperiment(rec.Experiment)
		if err != nil {
			return nil, fmt.Errorf("lab: record %s, arm %s: %w", s.Name, rec.Name, err)
		}
		a := ArmResult{Arm: Arm{Name: rec.Name, Label: rec.Label, From: rec.From, Change: rec.Change, Experiment: e}, LR: rec.LR}
		for _, t := range rec.Tries {
			a.Tries = append(a.Tries, Try{LR: t.LR, Seed: t.Seed, Status: t.Status, Score: float64(t.Valid), Test: float64(t.Test)})
		}
		for i, run := range rec.Runs {
			e.Schedule.LR, e.Seed = rec.LR, s.Seeds[i]
			if hash := e.Hash(); hash != run.Hash {
				return nil, fmt.Errorf("lab: record %s, arm %s, seed %d: the experiment's SHA-256 is %.12s…, the run's %.12s…: the record was changed", s.Name, rec.Name, e.Seed, hash, run.Hash)
			}
			a.Runs = append(a.Runs, run.result(e, rec.Params))
		}
		r.Arms, r.Config.Arms = append(r.Arms, a), append(r.Config.Arms, a.Arm)
	}
	r.Spec = specOf(r.Arms[0].Experiment.Task)
	r.views = &views{delta: s.Delta}
	for _, x := range s.Spectra {
		r.views.spectra = append(r.views.spectra, Spectrum{x.Arm, complexes(x.Before), complexes(x.After)})
	}
	return r, nil
}

// recordName is what a preset and the two parts of a study may be called: their
// names become those of files.
var recordName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// check reports what a record lacks to be that of a study.
func (s StudyRecord) check() error {
	var errs []error
	for part := range strings.SplitSeq(s.Name, "/") {
		if !recordName.MatchString(part) {
			errs = append(errs, fmt.Errorf("name is %q, want small letters, digits and - in parts between /", s.Name))
		}
	}
	if len(s.LRs) == 0 || len(s.Seeds) == 0 || len(s.Arms) == 0 {
		errs = append(errs, fmt.Errorf("%d learning rates, %d seeds, %d arms, want at least one of each", len(s.LRs), len(s.Seeds), len(s.Arms)))
	}
	var names []string
	for _, a := range s.Arms {
		names = append(names, a.Name)
		if len(a.Experiment) == 0 {
			errs = append(errs, fmt.Errorf("arm %s has no experiment: the record was written by an earlier version", a.Name))
			continue
		}
		if err := a.check(s); err != nil {
			errs = append(errs, fmt.Errorf("arm %s: %w", a.Name, err))
		}
	}
	return errors.Join(append(errs, once("seed", s.Seeds), once("learning rate", s.LRs), once("arm", names))...)
}

// check holds an arm against its study.
func (a ArmRecord) check(s StudyRecord) error {
	if len(a.Runs) != len(s.Seeds) {
		return fmt.Errorf("%d runs, want one for each of %s", len(a.Runs), seeds(len(s.Seeds)))
	}
	if !slices.Contains(s.LRs, a.LR) {
		return fmt.Errorf("learning_rate is %g, want one of %s", a.LR, floats(s.LRs))
	}
	if want := len(s.LRs) * len(s.TuneSeeds); len(s.LRs) > 1 && len(a.Tries) != want {
		return fmt.Errorf("%d tries, want %d: every rate with every tuning seed", len(a.Tries), want)
	}
	for i, r := range a.Runs {
		if r.Status != Finished && r.Status != Diverged {
			return fmt.Errorf("seed %d: status is %q, want %s or %s", s.Seeds[i], r.Status, Finished, Diverged)
		}
		if r.Status == Finished && len(r.Final) == 0 {
			return fmt.Errorf("seed %d has finished without a value", s.Seeds[i])
		}
	}
	return nil
}

func (rec RunRecord) result(e Experiment, params int) *Result {
	r := &Result{Experiment: e, Status: rec.Status, Steps: rec.Steps, Params: params, TokensPerSecond: float64(rec.TokensPerSecond),
		Final: map[string]float64{}, Curves: map[string]Curve{}}
	for key, v := range rec.Final {
		r.Final[key] = float64(v)
	}
	for key, c := range rec.Curves {
		values := make([]float64, len(c.Values))
		for i, v := range c.Values {
			values[i] = float64(v)
		}
		r.Curves[key] = Curve{Steps: c.Steps, Values: values}
	}
	return r
}

// SummaryTable puts several studies of the same ladder side by side: one row a
// rung, and for each task the mean with its 95 % interval, and how many runs
// solved the task where some did and some did not. A task that is tested at other
// lengths, too, has a second column, at four times the trained length or the
// nearest to it: many arms that solve the one fail the other.
func SummaryTable(studies []*StudyResult) *table.Table {
	type column struct {
		r   *StudyResult
		key string
	}
	var columns []column
	names := []string{"rung", "the one change"}
	for _, r := range studies {
		for _, key := range r.summaryKeys() {
			arrow := "↓"
			if r.Spec.Metric.HigherIsBetter() {
				arrow = "↑"
			}
			columns = append(columns, column{r, key})
			names = append(names, string(r.Config.Arms[0].Experiment.Task.Name)+" "+key+" "+arrow)
		}
	}
	t := table.New("", append(names, "parameters", "state")...)
	t.Align = []table.Align{table.Left, table.Left}
	for _, rung := range Rungs() {
		row, params, state := []string{rung.Number + " " + rung.Name, rung.Change}, []string{}, []string{}
		for _, c := range columns {
			cell := "–"
			if a := c.r.Arm(rung.Name); a != nil {
				cell = c.r.summaryCell(*a, c.key)
				params, state = append(params, c.r.params(*a)), append(state, a.state())
			}
			row = append(row, cell)
		}
		if len(params) > 0 {
			t.Add(append(row, strings.Join(slices.Compact(params), ", "), strings.Join(slices.Compact(state), ", "))...)
		}
	}
	return t
}

// summaryKeys are the metrics of a study that a summary shows.
func (r *StudyResult) summaryKeys() []string {
	keys := []string{r.Key()}
	c := r.Config.Arms[0].Experiment.Task
	best := 0
	for _, n := range c.EvalLengths {
		if best == 0 || math.Abs(math.Log(float64(n)/float64(4*c.Length))) < math.Abs(math.Log(float64(best)/float64(4*c.Length))) {
			best = n
		}
	}
	if best > 0 {
		keys = append(keys, fmt.Sprintf("test@%d/%s", best, r.Spec.Metric))
	}
	return keys
}

// summaryCell is an arm's mean of a metric with its interval, and what a mean does
// not tell. Of a metric that the report is not about the interval is Student's t
// of the reported seeds.
func (r *StudyResult) summaryCell(a ArmResult, key string) string {
	s := summarise(a.Values(key), rangeOf(r.Spec.Metric))
	if key == r.Key() {
		s = r.Summary(a)
	}
	if s.N == 0 {
		return "diverged"
	}
	text := strings.TrimSuffix(r.value(s.Mean)+" "+r.interval(s.Lo, s.Hi), " –")
	if p, ok := r.Solved(a); ok && key == r.Key() && p.K > 0 && p.K < p.N {
		text += fmt.Sprintf(", %d of %d solved", p.K, p.N)
	}
	if s.Diverged > 0 {
		text += fmt.Sprintf(", %d diverged", s.Diverged)
	}
	return text
}
