package rnn

import (
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// TestParamGroups: A and B of a dense recurrence are recurrent (LRU, App.),
// biases do not decay, all other weights do.
func TestParamGroups(t *testing.T) {
	met := map[tensor.Group]int{}
	for _, l := range layers() {
		b := nn.NewBuilder(tensor.Reference(), 1)
		if _, err := l.Make(b); err != nil {
			t.Fatal(err)
		}
		for _, p := range b.Params() {
			want := tensor.Decay
			switch {
			case p.Name == "A" || p.Name == "B":
				want = tensor.Recurrent
			case strings.Contains(p.Name, "bias"):
				want = tensor.NoDecay
			}
			if p.Group != want {
				t.Errorf("%s: %s is in group %s, want %s", l.Name, p.Name, p.Group, want)
			}
			met[want]++
		}
	}
	if len(met) != 3 {
		t.Errorf("met groups %v, want three", met)
	}
}
