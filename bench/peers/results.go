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
	Curves  []Curve   `json:"curves"` // by length
	Profile *Profile  `json:"profile"`
	Tops    []Ceiling `json:"tops"`  // what the machine can do
	Open    *Open     `json:"open"`  // a run that has not come to its end
	Start   time.Time `json:"start"` // of the first measurement
	End     time.Time `json:"end"`   // of the last
}

// Open is a run that has not come to its end. The same command goes on with what
// is not done.
type Open struct {
	What string   `json:"what"` // program and settings
	Done []string `json:"done"`
}

// begin takes up the open run of what, or opens one.
func (r *Results) begin(what string) {
	if r.Open == nil || r.Open.What != what {
		r.Open = &Open{What: what}
	}
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
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path) // whole or not at all
}

// put adds a row, or replaces the one of the same name.
func (r *Results) put(row Row) {
	if i := slices.IndexFunc(r.Rows, func(x Row) bool { return x.Name == row.Name }); i >= 0 {
		r.Rows[i] = row
		return
	}
	r.Rows = append(r.Rows, row)
}

// putCurve adds a curve, or replaces the one of the same name.
func (r *Results) putCurve(k Curve) {
	if i := slices.IndexFunc(r.Curves, func(x Curve) bool { return x.name() == k.name() }); i >= 0 {
		r.Curves[i] = k
		return
	}
	r.Curves = append(r.Curves, k)
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
