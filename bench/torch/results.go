package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Results is everything that was measured, kept in a file, so that a run that
// was interrupted, or that measures some rows only, adds to what is there.
type Results struct {
	Machine Machine   `json:"machine"`
	Rows    []Row     `json:"rows"`
	States  []Side    `json:"states"` // ours by N
	Curves  []Curve   `json:"curves"` // ours by length
	Profile *Profile  `json:"profile"`
	Start   time.Time `json:"start"` // of the first measurement
	End     time.Time `json:"end"`   // of the last
}

// readResults reads the results of an earlier run on the same machine; what
// another machine measured, or other versions, is forgotten.
func readResults(path string, m Machine) (*Results, error) {
	fresh := &Results{Machine: m}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return nil, err
	}
	var r Results
	if err := json.Unmarshal(data, &r); err != nil || r.Machine != m {
		return fresh, nil
	}
	return &r, nil
}

func (r *Results) write(path string) error {
	r.End = time.Now().UTC().Truncate(time.Second)
	if r.Start.IsZero() {
		r.Start = r.End
	}
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// put adds a row, or replaces the one of the same name.
func (r *Results) put(row Row) {
	if i := slices.IndexFunc(r.Rows, func(x Row) bool { return x.Name == row.Name }); i >= 0 {
		r.Rows[i] = row
		return
	}
	r.Rows = append(r.Rows, row)
}

// row returns the row of a workload, nil if it was not measured.
func (r *Results) row(name string) *Row {
	for i := range r.Rows {
		if r.Rows[i].Name == name {
			return &r.Rows[i]
		}
	}
	return nil
}
