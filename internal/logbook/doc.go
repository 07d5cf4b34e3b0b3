// Package logbook is where the lab and the tracker meet, which do not know each
// other: a *tracker.Store becomes a lab.Book, a *tracker.Run a lab.Recorder.
//
//	book, err := logbook.New(ctx, store)
//	result, err := lab.RunStudy(ctx, study, lab.StudyOptions{Book: book})
//
// What the lab calls becomes what the tracker calls:
//
//	RunSpec.Experiment, Group, Name  experiment, group and name of the run
//	RunSpec.Config, Hash             config byte for byte, and its SHA-256
//	metric "valid/accuracy"          key "valid/accuracy", context ""
//	CheckpointArtifact               artifact of that name and of kind "checkpoint"
//	OriginArtifact                   the same; equal contents are stored once, so it takes no room
//	RunSpec.Parent                   parent of the run; without it, the run whose checkpoint
//	                                 the experiment names in its From
//	Status                           status of the same name
//
// The environment (tracker.CaptureEnvironment) is taken once per Book and goes
// with every run, the device and its kernels added under "extra.".
//
// Does not include: waiting for a run that another process has under way; such
// a run is not found, and a second one is started.
package logbook
