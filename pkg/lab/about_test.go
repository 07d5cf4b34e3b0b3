package lab

import "testing"

func TestEveryMixerHasALine(t *testing.T) {
	seen := map[string]MixerKind{}
	for _, k := range append(Mixers(), Custom) {
		about := k.About()
		if other, twice := seen[about]; twice || about == "" || len(about) > 70 {
			t.Errorf("mixer %s: %q (as of %q), want a line of its own of at most 70 bytes", k, about, other)
		}
		seen[about] = k
	}
	if about := MixerKind("none").About(); about != "" {
		t.Errorf("an unknown mixer: %q", about)
	}
}
