package lab

import "slices"

// Params returns the number of trained scalars of the run, whose experiment is
// e. Those of a custom mixer are counted in the checkpoint, 0 if there is none.
func (p *PastRun) Params(e Experiment) (int, error) {
	if e.Model.Mixer.Kind != Custom {
		return CountParams(e)
	}
	if p.Checkpoint == nil {
		return 0, nil
	}
	c, err := DecodeCheckpoint(p.Checkpoint)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, q := range c.params {
		n += q.Len
	}
	return n, nil
}

// result rebuilds what a finished run of an arm's experiment came to.
func (p *PastRun) result(a Arm, e Experiment) (*Result, error) {
	n, err := a.CountParams()
	if err != nil {
		return nil, err
	}
	r := &Result{Experiment: e, Status: p.Status, Steps: e.Steps, Params: n, Final: p.Final, Curves: p.Curves, TokensPerSecond: p.Final[KeySpeed], Checkpoint: p.Checkpoint}
	done := int64(0) // a run that stops early ends with an evaluation, not always with a logged loss
	for _, key := range []string{KeyTrainLoss, "valid/loss"} {
		if s := p.Curves[key].Steps; len(s) > 0 {
			done = max(done, s[len(s)-1])
		}
	}
	if done > 0 {
		r.Steps = int(done)
	}
	return r, nil
}

// prepend puts the curves of the run that r went on from before r's own. A
// metric that r did not log again, because no step was left to do, keeps the
// values it had.
func (r *Result) prepend(past *PastRun) {
	if past == nil {
		return
	}
	for key, old := range past.Curves {
		c, ok := r.Curves[key]
		if !ok {
			r.Curves[key] = old
			if n := len(old.Values); n > 0 {
				r.Final[key] = old.Values[n-1]
			}
			continue
		}
		n := 0
		for n < len(old.Steps) && old.Steps[n] < c.Steps[0] {
			n++
		}
		r.Curves[key] = Curve{
			Steps:  append(slices.Clone(old.Steps[:n]), c.Steps...),
			Values: append(slices.Clone(old.Values[:n]), c.Values...),
		}
	}
}
