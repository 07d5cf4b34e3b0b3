package nb

import (
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/nn"
)

// TestTrainWithAMixerOfOnesOwn: it is logged under its name, and read back.
func TestTrainWithAMixerOfOnesOwn(t *testing.T) {
	notebook(t)
	book := openTemp(t)
	e := tiny(lab.Identity)
	e.Model.Mixer = lab.CustomMixer("mine", nil)
	_, err := Train(e)
	if err == nil || !strings.Contains(err.Error(), `uses the mixer "mine"`) {
		t.Errorf("without a constructor: %v", err)
	}
	c := DefaultTrainConfig()
	c.NewMixer = func(*nn.Builder, int, lab.MixerConfig) (nn.Mixer, error) { return nn.Identity{}, nil }
	r, err := TrainWith(e, c)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := book.Runs()
	if err != nil || len(runs) != 1 || runs[0].Group != "mine" || !strings.HasPrefix(runs[0].Name, "mine-") {
		t.Fatalf("runs %+v, %v, want one called mine and none of the call that failed", runs, err)
	}
	back, err := book.Result(runs[0].ID)
	if err != nil || back.Params != r.Params || back.Experiment.Model.Mixer.Fingerprint == "" {
		t.Errorf("read back: %v, %v, want %d parameters and a fingerprint", back, err, r.Params)
	}
}
