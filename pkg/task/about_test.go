package task

import "testing"

func TestEveryTaskHasALine(t *testing.T) {
	seen := map[string]Name{}
	for _, n := range Names() {
		about := n.About()
		if other, twice := seen[about]; twice || about == "" || len(about) > 76 {
			t.Errorf("task %s: %q (as of %q), want a line of its own of at most 76 bytes", n, about, other)
		}
		seen[about] = n
	}
	if about := Name("none").About(); about != "" {
		t.Errorf("an unknown task: %q", about)
	}
}
