package lab

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// bytesExperiment is a small language model of bytes.
func bytesExperiment(kind MixerKind, d, steps int) Experiment {
	e := tiny(kind)
	e.Task = task.DefaultConfig(task.GoSource)
	e.Task.Length, e.Task.Batch, e.Task.EvalBatches = 16, 2, 1
	e.Model.D = d
	e.Steps, e.EvalEvery = steps, steps
	return e
}

func loadModel(t *testing.T, checkpoint []byte, workers int) *Loaded {
	t.Helper()
	l, err := LoadWith(checkpoint, workers, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func newStepper(t *testing.T, l *Loaded, batch int, w tensor.Weights) *nn.Stepper {
	t.Helper()
	s, err := nn.NewStepper(l.Model, nn.StepperConfig{Batch: batch, Weights: w})
	if err != nil {
		t.Fatalf("%s: %v", l, err)
	}
	return s
}

// steppingMixers are models of every built-in kind that a Stepper can run, with
// widths on both sides of the shortest row that is computed without packing, 32.
func steppingMixers() map[string]Experiment {
	out := map[string]Experiment{}
	for _, kind := range Mixers() {
		if kind == Attention {
			continue
		}
		for _, d := range []int{8, 40} {
			e := bytesExperiment(kind, d, 2)
			if d > 8 && e.Model.Mixer.State > 0 {
				e.Model.Mixer.State = 36
			}
			out[fmt.Sprintf("%s d%d", kind, d)] = e
		}
	}
	glu := bytesExperiment(Diagonal, 40, 2)
	glu.Model.Block = nn.BlockConfig{Kind: nn.GLUBlock}
	out["diagonal glu"] = glu
	for _, sel := range []string{"none", "delta", "b,c"} {
		e := bytesExperiment(S6, 8, 2)
		e.Model.Mixer.Select = sel
		out["s6 "+sel] = e
	}
	signed := bytesExperiment(S6, 8, 2)
	signed.Model.Mixer.Signed = true
	out["s6 signed"] = signed
	return out
}

// A step has the bits of Forward for one stream, in batches and on two workers.
func TestStepperIsForward(t *testing.T) {
	for name, e := range steppingMixers() {
		t.Run(name, func(t *testing.T) {
			checkpoint := mustRun(t, e, Options{}).Checkpoint
			l := loadModel(t, checkpoint, 1)
			const streams, length = 24, 6 // work enough for two workers
			s := newStepper(t, loadModel(t, checkpoint, 2), streams, tensor.WeightsFloat32)
			tp := generateTape(l)
			var states []*nn.State
			for range streams {
				states = append(states, l.Model.NewState(1))
			}
			tokens := make([]int32, streams)
			for step := range length {
				for i := range tokens {
					tokens[i] = int32((step*31 + i*17) % 256)
				}
				scores := s.Step(tokens)
				for i, token := range tokens {
					want := forwardTokens(tp, l, []int32{token}, states[i])
					got := widen(nil, scores[i*256:][:256])
					if !slices.Equal(got, want) {
						t.Fatalf("step %d, stream %d: scores %v…, want %v…", step, i, got[:4], want[:4])
					}
				}
			}
			if p := s.State().Position; p != length {
				t.Errorf("position is %d, want %d", p, length)
			}
			if n := testing.AllocsPerRun(5, func() { s.Step(tokens) }); n != 0 && !raceDetector {
				t.Errorf("a step allocates %v times, want 0", n)
			}
		})
	}
}

// What a token costs besides arithmetic: nothing is allocated.
func TestGenerateDoesNotAllocate(t *testing.T) {
	checkpoint := mustRun(t, bytesExperiment(S6, 40, 2), Options{}).Checkpoint
	for _, w := range tensor.WeightFormats() {
		s := newStepper(t, loadModel(t, checkpoint, 2), 2, w)
		tokens := func(n int) float64 {
			return testing.AllocsPerRun(3, func() {
				streams := newStreams(GenerateOptions{Tokens: n, Temperature: 1, TopK: 5, TopP: 0.9}, [][]int32{{1}, {2}})
				if err := stepStreams(context.Background(), s, streams, func(int, int32) bool { return true }); err != nil {
					t.Fatal(err)
				}
			})
		}
		if few, many := tokens(10), tokens(60); few != many && !raceDetector {
			t.Errorf("%s: 10 tokens allocate %v times, 60 tokens %v", w, few, many)
		}
	}
}

func drawBatch(t *testing.T, checkpoint []byte, o GenerateOptions, prompts [][]int32) [][]int32 {
	t.Helper()
	out := make([][]int32, len(prompts))
	err := GenerateBatch(context.Background(), checkpoint, o, prompts, func(i int, token int32) bool {
		out[i] = append(out[i], token)
		return true
	})
	if err != nil {
		t.Fatalf("GenerateBatch: %v", err)
	}
	return out
}

// A stream of a batch draws what it draws by itself.
func TestBatchIsSingle(t *testing.T) {
	prompts := [][]int32{{'f', 'u', 'n', 'c'}, {'a'}, []int32{'/', '/', ' '}}
	for _, kind := range []MixerKind{S6, GRU, Attention} {
		checkpoint := mustRun(t, bytesExperiment(kind, 40, 2), Options{}).Checkpoint
		for _, w := range tensor.WeightFormats() {
			if kind == Attention && w != tensor.WeightsFloat32 {
				continue
			}
			o := GenerateOptions{Tokens: 20, Temperature: 1, Seed: 5, Weights: w}
			batch := drawBatch(t, checkpoint, o, prompts)
			for i, prompt := range prompts {
				one := o
				one.Seed += uint64(i)
				one.Workers = 1
				if single := drawBatch(t, checkpoint, one, [][]int32{prompt})[0]; len(single) != 20 || !slices.Equal(single, batch[i]) {
					t.Errorf("%s, %s: stream %d draws %v in a batch, %v by itself", kind, w, i, batch[i], single)
				}
			}
		}
	}
}

// A stream ends when nobody wants more of it, and the others go on.
func TestStreamEnds(t *testing.T) {
	checkpoint := mustRun(t, bytesExperiment(S6, 8, 2), Options{}).Checkpoint
	var drawn [2]int
	o := GenerateOptions{Tokens: 9, Temperature: 1}
	err := GenerateBatch(context.Background(), checkpoint, o, [][]int32{{1}, {2}}, func(i int, _ int32) bool {
		drawn[i]++
		return i == 1 || drawn[i] < 4
	})
	if err != nil || drawn != [2]int{4, 9} {
		t.Errorf("%v tokens drawn, error %v, want 4 and 9", drawn, err)
	}
}

func TestWeightsErrors(t *testing.T) {
	attention := mustRun(t, bytesExperiment(Attention, 8, 2), Options{}).Checkpoint
	s6 := mustRun(t, bytesExperiment(S6, 8, 2), Options{}).Checkpoint
	for _, c := range []struct {
		checkpoint []byte
		weights    tensor.Weights
		want       string
	}{
		{attention, tensor.WeightsInt8, "attention reads more with every step"},
		{s6, "fp4", `"fp4", want one of ["float32" "bf16" "int8"]`},
	} {
		o := GenerateOptions{Prompt: []int32{1}, Tokens: 1, Weights: c.weights}
		err := Generate(context.Background(), c.checkpoint, o, func(int32) bool { return true })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("weights %s: error %v, want %q", c.weights, err, c.want)
		}
	}
}

// TestWeightFormats compares the scores of a trained model in two formats with
// those in float32, and its perplexity on text that it was not trained on.
//
// Root mean squares: a weight's error is about 0.7·2⁻⁸/√3 = 0.16 % of it in bf16,
// and 1/(254·√3) = 0.23 % of its row's greatest in int8, which is 0.7 % of a
// weight when the greatest is three times the usual one. Errors of the terms of
// a sum are independent, so that a product is off by as much. A score has ten
// products behind it, one after the other: √10 times that bounds its error,
// since most of them reach it beside an exact residual.
func TestWeightFormats(t *testing.T) {
	e := bytesExperiment(S6, 32, 150)
	e.Task.Length, e.Task.Batch = 64, 8
	e.Model.Mixer.State = 16
	checkpoint := mustRun(t, e, Options{}).Checkpoint
	text := validationText(t, e, 512)
	exact, base := scoresOf(t, checkpoint, tensor.WeightsFloat32, text)
	for w, bound := range map[tensor.Weights]float64{tensor.WeightsBF16: 0.005, tensor.WeightsInt8: 0.022} {
		scores, perplexity := scoresOf(t, checkpoint, w, text)
		var diff, size float64
		for i, v := range scores {
			diff += (v - exact[i]) * (v - exact[i])
			size += exact[i] * exact[i]
		}
		relative := math.Sqrt(diff / size)
		t.Logf("%s: relative error of the scores %.2g, perplexity %.4f, float32 %.4f (%+.3f %%)", w, relative, perplexity, base, 100*(perplexity/base-1))
		if !(relative > 0 && relative < bound) {
			t.Errorf("%s: relative error of the scores is %.3g, want above 0 and below %g", w, relative, bound)
		}
		if change := math.Abs(perplexity/base - 1); !(change < bound) {
			t.Errorf("%s: perplexity %.4f, float32 %.4f, want within %g", w, perplexity, base, bound)
		}
	}
}

// validationText returns n tokens of the task's validation.
func validationText(t *testing.T, e Experiment, n int) []int32 {
	t.Helper()
	g, err := task.New(e.Task, e.Seed)
	if err != nil {
		t.Fatal(err)
	}
	b, ok := g.Eval("valid", 0)
	if !ok || len(b.Tokens) < n {
		t.Fatalf("validation has %v, want a batch of %d tokens", b, n)
	}
	return b.Tokens[:n]
}

// scoresOf steps through the text and returns all scores and the perplexity.
func scoresOf(t *testing.T, checkpoint []byte, w tensor.Weights, text []int32) (scores []float64, perplexity float64) {
	t.Helper()
	s := newStepper(t, loadModel(t, checkpoint, 1), 1, w)
	var nats float64
	for i, token := range text[:len(text)-1] {
		y := widen(nil, s.Step([]int32{token}))
		var total float64
		for _, v := range y {
			total += math.Exp(v)
		}
		nats += math.Log(total) - y[text[i+1]]
		scores = append(scores, y...)
	}
	return scores, math.Exp(nats / float64(len(text)-1))
}

// TestSample: token i is drawn with the probability softmax(scores/temperature)
// of it, within five standard errors, however large the scores; at temperature 0
// it is the greatest score, the first of equals.
func TestSample(t *testing.T) {
	const draws = 20000
	for _, temperature := range []float64{0.5, 1, 2} {
		s := newStreams(GenerateOptions{Temperature: temperature, Seed: 3}, [][]int32{{0}})[0]
		scores := []float64{1e4, 1e4 + 1, 1e4 + 2}
		var counts [3]float64
		for range draws {
			token, err := s.sample(scores)
			if err != nil {
				t.Fatal(err)
			}
			counts[token]++
		}
		var total float64
		for i := range counts {
			total += math.Exp(float64(i) / temperature)
		}
		for i, n := range counts {
			p := math.Exp(float64(i)/temperature) / total
			if bound := 5 * math.Sqrt(p*(1-p)/draws); math.Abs(n/draws-p) > bound {
				t.Errorf("temperature %g: token %d came in %g of the draws, want %g ± %.2g", temperature, i, n/draws, p, bound)
			}
		}
	}
	s := newStreams(GenerateOptions{}, [][]int32{{0}})[0]
	if got, err := s.sample([]float64{-1, 3, 3, 2}); err != nil || got != 1 {
		t.Errorf("temperature 0 took token %d, want 1 (%v)", got, err)
	}
}

// TestGenerateWithoutDropout: the tokens of a model with dropout are those of
// the whole sequence's scores without, on both ways of generating.
func TestGenerateWithoutDropout(t *testing.T) {
	for _, kind := range []MixerKind{S6, Attention} {
		e := tiny(kind)
		e.Model.Block.Dropout, e.Schedule.LR, e.Steps = 0.8, 0.02, 40
		ckpt := mustRun(t, e, Options{}).Checkpoint
		l, err := Load(ckpt)
		if err != nil {
			t.Fatal(err)
		}
		different := map[int32]bool{}
		for first := range int32(6) {
			want := []int32{first, 3, 7 - first}
			var got []int32
			o := GenerateOptions{Prompt: slices.Clone(want), Tokens: 8}
			if err := Generate(context.Background(), ckpt, o, func(tok int32) bool { got = append(got, tok); return true }); err != nil {
				t.Fatal(err)
			}
			for range o.Tokens {
				y, width := plainForward(l.Model, l.Params[0].Device(), &task.Batch{B: 1, L: len(want), Tokens: want})
				want = append(want, likeliest(y[len(y)-width:]))
			}
			if want = want[3:]; !slices.Equal(got, want) {
				t.Errorf("%s: generated %v, want %v", kind, got, want)
			}
			different[got[0]] = true
		}
		if len(different) < 2 {
			t.Errorf("%s: every prompt is followed by the same token, which shows nothing", kind)
		}
	}
}
