package nn

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// State is what a layer remembers between two calls of Forward: named tensors,
// and the states of its parts. Every method works on a nil State, which stands
// for "whole sequences, nothing remembered".
type State struct {
	// Position is the number of steps seen.
	Position int
	names    []string
	tensors  map[string]*tensor.Tensor
	caches   map[string]bool // tensors (B,cap,D) whose cap grows with Position
	parts    map[string]*State
}

// NewState returns an empty state.
func NewState() *State {
	return &State{tensors: map[string]*tensor.Tensor{}, caches: map[string]bool{}, parts: map[string]*State{}}
}

// Set stores a tensor under a name, replacing what was there.
func (s *State) Set(name string, t *tensor.Tensor) {
	if _, ok := s.tensors[name]; !ok {
		s.names = append(s.names, name)
	}
	s.tensors[name] = t
}

// setCache is Set for a tensor (B,cap,D) with room for at least Position steps,
// of which Import accepts any cap.
func (s *State) setCache(name string, t *tensor.Tensor) {
	s.Set(name, t)
	s.caches[name] = true
}

// Get returns the tensor of that name, nil if there is none or s is nil.
func (s *State) Get(name string) *tensor.Tensor {
	if s == nil {
		return nil
	}
	return s.tensors[name]
}

// SetPart stores the state of a part.
func (s *State) SetPart(name string, part *State) {
	if _, ok := s.parts[name]; !ok {
		s.names = append(s.names, name)
	}
	s.parts[name] = part
}

// Part returns the state of a part, nil if there is none or s is nil.
func (s *State) Part(name string) *State {
	if s == nil {
		return nil
	}
	return s.parts[name]
}

// Advance counts n more steps.
func (s *State) Advance(n int) {
	if s != nil {
		s.Position += n
	}
}

// Snapshot is a state as plain numbers, for files and for other processes.
type Snapshot struct {
	Position int                  `json:"position"`
	Shapes   map[string][]int     `json:"shapes,omitempty"`
	Tensors  map[string][]float64 `json:"tensors,omitempty"`
	Parts    map[string]*Snapshot `json:"parts,omitempty"`
}

// Export returns a copy of the state as plain numbers.
func (s *State) Export() *Snapshot {
	out := &Snapshot{Position: s.Position, Shapes: map[string][]int{}, Tensors: map[string][]float64{}, Parts: map[string]*Snapshot{}}
	for name, t := range s.tensors {
		out.Shapes[name] = append([]int(nil), t.Shape()...)
		out.Tensors[name] = t.Data()
	}
	for name, p := range s.parts {
		out.Parts[name] = p.Export()
	}
	return out
}

// Import overwrites s, made by the same layer for the same batch, with an
// exported state. A name that is missing, unknown or does not fit is an error,
// and s is then unspecified.
func (s *State) Import(from *Snapshot) error {
	if from == nil {
		return errors.New("nn: State.Import: no snapshot")
	}
	if from.Position < 0 {
		return fmt.Errorf("nn: State.Import: position is %d, want 0 or more", from.Position)
	}
	for _, name := range s.names {
		if part, ok := s.parts[name]; ok {
			if from.Parts[name] == nil {
				return fmt.Errorf("nn: State.Import: part %q is missing", name)
			}
			if err := part.Import(from.Parts[name]); err != nil {
				return err
			}
			continue
		}
		if err := s.importTensor(name, from); err != nil {
			return fmt.Errorf("nn: State.Import: %w", err)
		}
	}
	for name := range from.Tensors {
		if s.tensors[name] == nil {
			return fmt.Errorf("nn: State.Import: tensor %q is unknown, want %v", name, s.names)
		}
	}
	for name := range from.Parts {
		if s.parts[name] == nil {
			return fmt.Errorf("nn: State.Import: part %q is unknown, want %v", name, s.names)
		}
	}
	s.Position = from.Position
	return nil
}

// importTensor overwrites the tensor of that name.
func (s *State) importTensor(name string, from *Snapshot) error {
	data, ok := from.Tensors[name]
	if !ok {
		return fmt.Errorf("tensor %q is missing", name)
	}
	old, shape := s.tensors[name], from.Shapes[name]
	want := slices.Clone(old.Shape())
	if s.caches[name] {
		if len(shape) != 3 || shape[1] < max(1, from.Position) {
			return fmt.Errorf("cache %q is %v, want (%d, %d or more, %d)", name, shape, want[0], max(1, from.Position), want[2])
		}
		want[1] = shape[1]
	}
	if !slices.Equal(shape, want) {
		return fmt.Errorf("tensor %q is %v, want %v", name, shape, want)
	}
	n := 1
	for _, d := range shape {
		n *= d
	}
	if n != len(data) {
		return fmt.Errorf("tensor %q has %d elements for shape %v, want %d", name, len(data), shape, n)
	}
	if old.Len() == n {
		old.SetData(data)
	} else {
		s.tensors[name] = tensor.From(old.Device(), data, shape...)
	}
	return nil
}
