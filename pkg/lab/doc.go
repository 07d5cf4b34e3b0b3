// Package lab turns configs into runs and runs into tables: the Experiment, the
// ladder from the nonlinear RNN to Mamba, the training loop, sweeps with equal
// tuning budgets, statistics over seeds, reports.
//
//	e := lab.DefaultExperiment(task.SelectiveCopying)
//	e.Steps = 500
//	result, err := lab.Run(ctx, e, lab.Options{Recorder: run})
//
// An Experiment is a value that decides a result completely. Its canonical JSON
// and the SHA-256 of it are stored with every run, and running it again on the
// same kernels gives the same bits: batches are a pure function of (seed,
// step), parameters, data and dropout draw from separate streams, and no
// reduction depends on the number of workers. For the same reason a run that
// was interrupted and resumed from its checkpoint equals one that was not.
//
// Lab knows nothing of databases: a run reports to a [Recorder], many runs to a
// [Book].
package lab
