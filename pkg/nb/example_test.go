package nb_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/nb"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// small is an experiment of a moment.
func small() lab.Experiment {
	e := lab.DefaultExperiment(task.Copying)
	e.Task.Batch, e.Task.EvalBatches, e.Model.D = 2, 1, 8
	e.Steps, e.EvalEvery = 3, 3
	return e
}

// tempDB is the name of a database in a folder of its own, and what removes it.
func tempDB() (path string, remove func()) {
	dir, err := os.MkdirTemp("", "gophersnake-example-")
	if err != nil {
		log.Fatal(err)
	}
	return filepath.Join(dir, "runs.db"), func() { os.RemoveAll(dir) }
}

// A program of one's own opens a database for a study as a notebook does. The
// study finds its runs there when it is done again.
func ExampleOpen() {
	db, remove := tempDB()
	defer remove()
	book, err := nb.Open(db)
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()

	study := lab.StudyConfig{Name: "example", LRs: []float64{0.003}, Seeds: []uint64{1, 2},
		Arms: []lab.Arm{{Name: "s6", Experiment: small()}}}
	for range 2 {
		if _, err := lab.RunStudy(context.Background(), study, lab.StudyOptions{Book: book}); err != nil {
			log.Fatal(err)
		}
		runs, err := book.Runs()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(runs), "runs")
	}
	// Output:
	// 2 runs
	// 2 runs
}

// gated is y = x ⊙ σ(W x + b), a mixer that the lab does not know.
type gated struct {
	nn.Identity
	gate *nn.Linear
}

func newGated(b *nn.Builder, width int, _ lab.MixerConfig) (nn.Mixer, error) {
	return &gated{gate: nn.NewLinear(b.Sub("gate"), width, width, true)}, nil
}

func (m *gated) Forward(tp *tensor.Tape, x *tensor.Tensor, _ *nn.State) *tensor.Tensor {
	return tp.Mul(x, tp.Map(tensor.Sigmoid, m.gate.Forward(tp, x)))
}

// The command line has no constructor of a mixer of one's own, so a program
// replays its runs and draws from them.
func ExampleBook_Past() {
	db, remove := tempDB()
	defer remove()
	book, err := nb.Open(db)
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()
	e := small()
	e.Model.Mixer = lab.CustomMixer("gated", nil)
	if _, err := nb.TrainWith(e, nb.TrainConfig{Collection: "own", Name: "mine", NewMixer: newGated, Quiet: true}); err != nil {
		log.Fatal(err)
	}

	past, e, err := book.Past("mine")
	if err != nil {
		log.Fatal(err)
	}
	report, err := lab.Replay(context.Background(), e, past, lab.Options{NewMixer: newGated})
	if err != nil {
		log.Fatal(err)
	}
	drawn := 0
	o := lab.GenerateOptions{NewMixer: newGated, Prompt: []int32{1, 2}, Tokens: 5, Temperature: 1, TopK: 3}
	err = lab.Generate(context.Background(), past.Checkpoint, o, func(int32) bool { drawn++; return true })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Equal(), drawn, "tokens")
	// Output: true 5 tokens
}
