package lab

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
)

// LadderRecord is what a whole ladder came to, and where and how long it ran.
type LadderRecord struct {
	Preset  string            `json:"preset"`
	Machine map[string]string `json:"machine"`
	Seconds float64           `json:"seconds"`
	Runs    int               `json:"runs"`
	Reused  int               `json:"reused"` // of them, found in the database and not run in these seconds
	Studies []StudyRecord     `json:"studies"`
}

// StudyRecord is a study's outcome as plain numbers, from which every figure
// and table of a report can be worked out again.
type StudyRecord struct {
	Name   string      `json:"name"`
	Title  string      `json:"title"`
	Task   string      `json:"task"`
	Key    string      `json:"key"` // the metric that is reported
	Higher bool        `json:"higher_is_better"`
	Chance float64     `json:"chance"`
	LRs    []float64   `json:"learning_rates"`
	Seeds  []uint64    `json:"seeds"`
	Arms   []ArmRecord `json:"arms"`
}

// ArmRecord is one arm of a StudyRecord, its runs in the order of the seeds.
type ArmRecord struct {
	Name            string      `json:"name"`
	Label           string      `json:"label"`
	Params          int         `json:"params"`
	LR              float64     `json:"learning_rate"`
	Tries           []TryRecord `json:"tries"`  // the tuning runs, none of them reported
	Values          []Number    `json:"values"` // of the reported metric
	Status          []Status    `json:"status"`
	TokensPerSecond []Number    `json:"tokens_per_second"`
	Hashes          []string    `json:"experiments"` // SHA-256 of each run's experiment
}

// TryRecord is one tuning run: its score is the task's metric on "valid".
type TryRecord struct {
	LR     float64 `json:"learning_rate"`
	Seed   uint64  `json:"seed"`
	Status Status  `json:"status"`
	Score  Number  `json:"score"`
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

// Record returns the study as plain numbers.
func (r *StudyResult) Record() StudyRecord {
	s := StudyRecord{Name: r.Config.Name, Title: r.title(), Task: string(r.Config.Arms[0].Experiment.Task.Name), Key: r.Key(),
		Higher: r.Spec.Metric.HigherIsBetter(), Chance: r.Spec.Chance, LRs: r.Config.LRs, Seeds: r.Config.Seeds}
	for _, a := range r.Arms {
		rec := ArmRecord{Name: a.Name, Label: a.label(), LR: a.LR}
		for _, t := range a.Tries {
			rec.Tries = append(rec.Tries, TryRecord{t.LR, t.Seed, t.Status, Number(t.Score)})
		}
		for i, v := range a.Values(r.Key()) {
			run := a.Runs[i]
			rec.Params = run.Params
			rec.Values = append(rec.Values, Number(v))
			rec.Status = append(rec.Status, run.Status)
			rec.TokensPerSecond = append(rec.TokensPerSecond, Number(run.TokensPerSecond))
			rec.Hashes = append(rec.Hashes, run.Experiment.Hash())
		}
		s.Arms = append(s.Arms, rec)
	}
	return s
}

func (a ArmRecord) values() []float64 {
	out := make([]float64, len(a.Values))
	for i, v := range a.Values {
		out[i] = float64(v)
	}
	return out
}

// SummaryTable puts several studies of the same ladder side by side: one row a
// rung, mean ± half of the 95 % t interval a task.
func SummaryTable(studies []StudyRecord) *table.Table {
	cols := []string{"rung", "the one change"}
	for _, s := range studies {
		arrow := "↓"
		if s.Higher {
			arrow = "↑"
		}
		cols = append(cols, s.Task+" "+s.Key+" "+arrow)
	}
	t := table.New("", append(cols, "parameters")...)
	for _, rung := range Rungs() {
		row := []string{rung.Number + " " + rung.Name, rung.Change}
		params := ""
		for _, s := range studies {
			cell := "–"
			for _, a := range s.Arms {
				if a.Name == rung.Name {
					cell = meanAndHalf(stats.Summarise(a.values(), Confidence))
					params += fmt.Sprintf(", %d", a.Params)
				}
			}
			row = append(row, cell)
		}
		if len(params) > 1 {
			params = params[2:]
		}
		t.Add(append(row, params)...)
	}
	return t
}

func meanAndHalf(s stats.Summary) string {
	if s.N == 0 {
		return "diverged"
	}
	text := fmt.Sprintf("%.3f", s.Mean)
	if s.N > 1 {
		text += fmt.Sprintf(" ± %.3f", s.Hi-s.Mean)
	}
	if s.Diverged > 0 {
		text += fmt.Sprintf(" (%d diverged)", s.Diverged)
	}
	return text
}
