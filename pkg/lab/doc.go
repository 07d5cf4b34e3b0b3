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
// [RunSweep] trains one experiment with several seeds and learning rates.
//
// A recurrence of one's own takes part like any other. The experiment holds its
// name and its numbers, and whoever runs it passes the constructor:
//
//	e.Model.Mixer = lab.CustomMixer("leaky", map[string]float64{"bias": -1.5})
//	result, err := lab.Run(ctx, e, lab.Options{NewMixer: newLeaky})
//	arms = append(arms, lab.Arm{Name: "leaky", Experiment: e, NewMixer: newLeaky})
//
// [Bind] adds a fingerprint of what the mixer computes, so that runs of two
// versions of a layer are not taken for one another.
//
// [Load] turns the checkpoint of a run into its model, to look at or to let
// speak. To train on from it, with more steps, another rate or other data, make an
// experiment that starts there, which names the checkpoint by its SHA-256 and so
// stays a value that decides its result:
//
//	e.Steps = 4000
//	e, err := e.StartingFrom(result.Checkpoint, lab.Continue) // or lab.FromWeights
//	child, err := lab.Run(ctx, e, lab.Options{From: result.Checkpoint})
//
// With constant rates, a child in mode Continue equals a parent that was given
// more steps, bit for bit. [Stop] ends a run before its last step, and
// Experiment.Accumulate takes the gradient of several batches for one step.
//
// [Generate] and [GenerateBatch] draw tokens from the model of a checkpoint, with
// weights in float32, bf16 or int8, from all tokens or the likelier ones. The
// command line has no constructor of a recurrence of one's own: a program passes
// it to [Generate] and [Replay] as it did to [Run].
//
// Lab knows nothing of databases: a run reports to a [Recorder], many runs to a
// [Book]. Package nb has the one over the SQLite database of the tracker, for
// programs as for notebooks:
//
//	book, err := nb.Open("gophersnake.db")
//	result, err := lab.RunStudy(ctx, study, lab.StudyOptions{Book: book})
//	past, e, err := book.Past("RUN")
//	report, err := lab.Replay(ctx, e, past, lab.Options{})
package lab
