package lab

import (
	"fmt"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/lab/table"
)

// Stability holds the words of two runs of the same ladder on other seeds against
// each other: a row a step and task, both gains, both words, and whether they are
// the same. Steps that only one of them has are left out. A direction that turns
// round (better, then worse) would refute the method; a word that is undecided in
// one of them says that the step is near what so many seeds can see.
//
// Both must have run the same experiments on seeds of which no one is the same;
// else the error says what differs.
func Stability(a, b []*StudyResult) (*table.Table, error) {
	t := table.New("The same preset with other tuning and reporting seeds", "task", "step", "gain", "gain again", "lr", "lr again", "found", "found again", "the same")
	t.Align = []table.Align{table.Left, table.Left}
	same, steps, turned, apart, common := 0, 0, 0, 0, 0
	for _, r := range a {
		other := studyNamed(b, r.Config.Name)
		if other == nil {
			continue
		}
		if err := r.sameOnOtherSeeds(other); err != nil {
			return nil, err
		}
		common++
		for _, arm := range r.Arms {
			again := other.Arm(arm.Name)
			s, ok := r.Step(arm)
			if again == nil || !ok {
				continue
			}
			u, ok := other.Step(*again)
			if !ok {
				continue
			}
			steps++
			verdict := "yes"
			if s.Verdict != u.Verdict {
				verdict = "no"
			} else {
				same++
			}
			if s.Verdict == Better && u.Verdict == Worse || s.Verdict == Worse && u.Verdict == Better {
				turned++
			}
			if s.Lo > u.Hi || u.Lo > s.Hi {
				apart++
			}
			t.Add(string(r.Config.Arms[0].Experiment.Task.Name), s.From+" → "+arm.Name, gain(s), gain(u), fmt.Sprintf("%.3g", arm.LR), fmt.Sprintf("%.3g", again.LR),
				string(s.Verdict), string(u.Verdict), verdict)
		}
	}
	if common == 0 {
		return nil, fmt.Errorf("lab: the records have no study in common")
	}
	t.Note(fmt.Sprintf("The same word for %d of %s; a direction turned round in %d; intervals of the gain do not meet in %d.", same, counted(steps, "step"), turned, apart))
	return t, nil
}

// sameOnOtherSeeds returns an error unless o ran the arms of r that it has too, as
// they were, on other seeds.
func (r *StudyResult) sameOnOtherSeeds(o *StudyResult) error {
	for _, seed := range slices.Concat(r.Config.Seeds, r.Config.TuneSeeds) {
		if slices.Contains(o.Config.Seeds, seed) || slices.Contains(o.Config.TuneSeeds, seed) {
			return fmt.Errorf("lab: %s: seed %d is in both records, want other seeds in each", r.Config.Name, seed)
		}
	}
	for _, a := range r.Arms {
		b := o.Arm(a.Name)
		if b == nil {
			continue
		}
		x, y := a.Experiment, b.Experiment
		x.Seed, y.Seed, x.Schedule.LR, y.Schedule.LR = 0, 0, 0, 0
		if diff := Diff(x, y); len(diff) > 0 {
			return fmt.Errorf("lab: %s, arm %s: the records are of different experiments: %v", r.Config.Name, a.Name, diff[0])
		}
	}
	return nil
}

func studyNamed(list []*StudyResult, name string) *StudyResult {
	for _, r := range list {
		if r.Config.Name == name {
			return r
		}
	}
	return nil
}
