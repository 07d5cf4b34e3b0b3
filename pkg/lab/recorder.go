package lab

// Status says how a run ended.
type Status string

// The ways a run ends.
const (
	Finished    Status = "finished"
	Diverged    Status = "diverged"    // the loss or gradient was not finite, or grew far beyond its start
	Interrupted Status = "interrupted" // by its context; a checkpoint was written
	Failed      Status = "failed"      // an error
)

// Recorder receives what one run reports. Its methods are called from one
// goroutine at a time. An error stops the run.
type Recorder interface {
	// Log records one value of a metric at a step.
	Log(key string, step int64, value float64) error
	// SaveArtifact keeps a file under a name, the newest of that name.
	SaveArtifact(name string, data []byte) error
	// SetTag notes a fact about the run.
	SetTag(key, value string) error
	// End closes the run; detail says why it ended so, "" if there is nothing
	// to say.
	End(status Status, detail string) error
}

// OriginFinder is what a Recorder may be beside: it finds the checkpoint that an
// experiment starts from when Options.From does not hold it, as in a study.
type OriginFinder interface {
	// Origin returns the checkpoint that e.From names.
	Origin(e Experiment) ([]byte, error)
}

// RunSpec describes a run that is about to start.
type RunSpec struct {
	Experiment string            // the collection of runs it belongs to
	Group      string            // runs that are compared: one arm, all seeds
	Name       string            // for people
	Config     []byte            // canonical JSON of the Experiment
	Hash       string            // SHA-256 of Config
	Seed       uint64            //
	Parent     string            // id of the run whose checkpoint it starts from, "" for none
	Tags       map[string]string //
}

// PastRun is a run of the same spec that a Book holds already.
type PastRun struct {
	ID         string
	Status     Status
	Final      map[string]float64 // last value of every metric
	Curves     map[string]Curve   // of the metrics evaluated during training
	Checkpoint []byte             // the newest, nil if there is none
	From       []byte             // the checkpoint that the run started from, nil for none
}

// Curve is a metric's values by step.
type Curve struct {
	Steps  []int64
	Values []float64
}

// Book opens runs and finds earlier ones, so that many runs can be interrupted
// and gone on with. Its methods may be called from several goroutines.
type Book interface {
	Start(spec RunSpec) (Recorder, error)
	// Find returns the newest earlier run of the same collection, group and
	// hash that is worth going on from, nil if there is none.
	Find(spec RunSpec) (*PastRun, error)
	// Resume opens a past run again; values logged after step are dropped.
	Resume(past *PastRun, step int64) (Recorder, error)
}

// Names of artifacts.
const (
	CheckpointArtifact = "checkpoint.gsk" // the newest checkpoint of a run
	OriginArtifact     = "from.gsk"       // the checkpoint that the run started from
)
