package main

import (
	"fmt"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// sayCorpus tells what was read for a run, what was skipped, and what its test
// shares with training. A corpus that cannot be read is left to the training,
// which fails with the reason.
func sayCorpus(p *progress, e lab.Experiment, corpora *task.Cache) {
	if corpora == nil || p.w == nil {
		return
	}
	t, err := corpora.New(e.Task, e.Seed)
	if err != nil {
		return
	}
	if m := task.ManifestOf(t); m != nil {
		for _, line := range m.Lines() {
			p.say("%s", line)
		}
	}
}

// pathToSet stands in a printed experiment where a path is to be filled in.
const pathToSet = "PATH"

// withPath gives an experiment that lacks no more than its corpus's path one to
// fill in, so that it can be printed.
func withPath(e lab.Experiment) lab.Experiment {
	filled := e
	filled.Task.Path = pathToSet
	if e.Task.Path == "" && e.Validate() != nil && filled.Validate() == nil {
		return filled
	}
	return e
}

// notePath says that a printed experiment has a path to fill in.
func (a *App) notePath(e lab.Experiment) {
	if e.Task.Path == pathToSet && !a.quiet {
		fmt.Fprintf(a.Err, "hint: task.path is still %s: fill it in, or --set task.path=DIR\n", pathToSet)
	}
}
