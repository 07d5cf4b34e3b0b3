package nn

import (
	"fmt"

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
	parts    map[string]*State
}

// NewState returns an empty state.
func NewState() *State {
	return &State{tensors: map[string]*tensor.Tensor{}, parts: map[string]*State{}}
}

// Set stores a tensor under a name, replacing what was there.
func (s *State) Set(name string, t *tensor.Tensor) {
	if _, ok := s.tensors[name]; !ok {
		s.names = append(s.names, name)
	}
	s.tensors[name] = t
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
// exported state. A name that is missing or does not fit is an error, and s is
// then unspecified.
func (s *State) Import(from *Snapshot) error {
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
		data, ok := from.Tensors[name]
		if !ok {
			return fmt.Errorf("nn: State.Import: tensor %q is missing", name)
		}
		shape := from.Shapes[name]
		n := 1
		for _, d := range shape {
			n *= d
		}
		if n != len(data) {
			return fmt.Errorf("nn: State.Import: tensor %q has %d elements for shape %v", name, len(data), shape)
		}
		if old := s.tensors[name]; old.Len() == len(data) {
			old.SetData(data)
		} else { // caches grow with the position
			s.tensors[name] = tensor.From(old.Device(), data, shape...)
		}
	}
	s.Position = from.Position
	return nil
}
