package lab

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// quantiles is a source whose Float64 goes through (i + ½)/n for i = 0, 1, ….
type quantiles struct{ i, n uint64 }

func (q *quantiles) Uint64() uint64 {
	q.i++
	return (2*q.i - 1) * (1 << 52 / q.n) // the number times 2⁵³
}

// frequencies draws at n quantiles and returns how often each token came.
func frequencies(t *testing.T, s sampler, scores []float64, n int) []int {
	t.Helper()
	s.rng = rand.New(&quantiles{n: uint64(n)})
	count := make([]int, len(scores))
	for range n {
		token, err := s.sample(scores)
		if err != nil {
			t.Fatal(err)
		}
		count[token]++
	}
	return count
}

// probabilities says token by token, without a ranking, what may be drawn: a
// token that fewer than topK others beat, and whose betters have less than topP
// of what those tokens have together.
func probabilities(scores []float64, temperature float64, topK int, topP float64) []float64 {
	beats := func(j, i int) bool { return scores[j] > scores[i] || scores[j] == scores[i] && j < i }
	weight := func(i int) float64 { return math.Exp(scores[i] / temperature) }
	inK := func(i int) bool {
		betters := 0
		for j := range scores {
			if beats(j, i) {
				betters++
			}
		}
		return topK == 0 || betters < topK
	}
	var all, total float64
	for i := range scores {
		if inK(i) {
			all += weight(i)
		}
	}
	p := make([]float64, len(scores))
	for i := range scores {
		before := 0.0
		for j := range scores {
			if beats(j, i) {
				before += weight(j)
			}
		}
		if inK(i) && (topP == 0 || topP == 1 || before == 0 || before < topP*all) {
			p[i] = weight(i)
			total += p[i]
		}
	}
	for i := range p {
		p[i] /= total
	}
	return p
}

func logs(p ...float64) []float64 {
	for i := range p {
		p[i] = math.Log(p[i])
	}
	return p
}

// Every filter against every distribution: a token comes as often as its
// probability says, and one that is left out never does.
func TestSampleDistributions(t *testing.T) {
	distributions := [][]float64{
		logs(0.4, 0.3, 0.2, 0.1), logs(0.1, 0.2, 0.3, 0.4), {3, 3, 3, 3, 3}, {0, 5, 0, 5, 1}, {7},
		{1, math.Inf(-1), 1, 0.5}, {1000, 999, -1000}, {-1000, -1001},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		d := make([]float64, 12)
		for i := range d {
			d[i] = math.Round(8*rng.NormFloat64()) / 4 // some are equal
		}
		distributions = append(distributions, d)
	}
	const n = 4000
	for _, scores := range distributions {
		for _, temperature := range []float64{0.5, 1, 3} {
			shifted := slices.Clone(scores)
			for i := range shifted {
				shifted[i] -= slices.Max(scores) // exp of 1000 is none
			}
			for _, topK := range []int{0, 1, 2, 3, len(scores), 1000} {
				for _, topP := range []float64{0, 1e-12, 0.123, 0.5, 0.77, 0.95, 0.999999, 1} {
					s := sampler{temperature: temperature, topK: topK, topP: topP}
					want := probabilities(shifted, temperature, topK, topP)
					for i, c := range frequencies(t, s, scores, n) {
						// n·p quantiles fall into an interval of length p, give or take one at each end.
						if want[i] == 0 && c > 0 || math.Abs(float64(c)-n*want[i]) > 1 {
							t.Fatalf("scores %v, temperature %g, top-k %d, top-p %g: token %d came %d times of %d, want probability %g",
								scores, temperature, topK, topP, i, c, n, want[i])
						}
					}
				}
			}
		}
	}
}

// What implementations are reported to get wrong.
func TestSampleKeeps(t *testing.T) {
	for name, c := range map[string]struct {
		scores []float64
		s      sampler
		want   []int
	}{
		"the token that crosses top-p":              {logs(0.5, 0.3, 0.15, 0.05), sampler{temperature: 1, topP: 0.6}, []int{0, 1}},
		"0.5 and 0.41 make 0.9":                     {logs(0.5, 0.41, 0.09), sampler{temperature: 1, topP: 0.9}, []int{0, 1}},
		"one token below the largest probability":   {logs(0.2, 0.5, 0.3), sampler{temperature: 1, topP: 0.1}, []int{1}},
		"one token for the least top-p":             {make([]float64, 4096), sampler{temperature: 1, topP: math.SmallestNonzeroFloat64}, []int{0}},
		"all for a top-p next to 1":                 {make([]float64, 10), sampler{temperature: 1, topP: math.Nextafter(1, 0)}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		"a top-k beyond the vocabulary is all":      {logs(0.4, 0.3, 0.3), sampler{temperature: 1, topK: 50}, []int{0, 1, 2}},
		"no more than top-k of equals":              {[]float64{1, 2, 2, 2}, sampler{temperature: 1, topK: 2}, []int{1, 2}},
		"no more than the nucleus needs of equals":  {[]float64{1, 1, 1, 1}, sampler{temperature: 1, topP: 0.5}, []int{0, 1}},
		"temperature before top-p: cold is fewer":   {logs(0.5, 0.3, 0.2), sampler{temperature: 0.1, topP: 0.9}, []int{0}},
		"temperature before top-p: hot is more":     {logs(0.9, 0.06, 0.04), sampler{temperature: 100, topP: 0.9}, []int{0, 1, 2}},
		"top-p is a share of what top-k left":       {logs(0.4, 0.3, 0.2, 0.1), sampler{temperature: 1, topK: 2, topP: 0.5}, []int{0}},
		"temperature 0 with top-k":                  {[]float64{1, 3, 3, 2}, sampler{topK: 3}, []int{1}},
		"temperature 0 with both":                   {[]float64{1, 3, 3, 2}, sampler{topK: 3, topP: 0.99}, []int{1}},
		"a temperature that overflows the quotient": {[]float64{1, 3, 2}, sampler{temperature: 1e-320, topK: 2}, []int{1}},
		"-Inf is a token that cannot come":          {[]float64{math.Inf(-1), 0, 0}, sampler{temperature: 1, topK: 3, topP: 0.999}, []int{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int
			for i, n := range frequencies(t, c.s, c.scores, 10000) {
				if n > 0 {
					got = append(got, i)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("tokens %v come, want %v", got, c.want)
			}
		})
	}
}

func TestSampleRefusesScores(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, s := range []sampler{{}, {temperature: 1}, {temperature: 1, topK: 1}, {temperature: 1, topP: 0.5}, {topK: 2, topP: 0.5}} {
		s.rng = rand.New(rand.NewPCG(1, 2))
		for want, scores := range map[string][]float64{
			"symbol 0 the score NaN": {nan, 1, 2}, "symbol 2 the score NaN": {1, inf, nan}, "symbol 1 the score +Inf": {1, inf, 2},
			"symbol 0 the score -Inf": {-inf, -inf},
		} {
			if token, err := s.sample(scores); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("top-k %d, top-p %g, scores %v: token %d, error %v, want %q", s.topK, s.topP, scores, token, err, want)
			}
		}
	}
}

// Filters that leave nothing out change no bit, and the same options draw the
// same tokens.
func TestGenerateFilters(t *testing.T) {
	checkpoint := mustRun(t, bytesExperiment(S6, 8, 2), Options{}).Checkpoint
	draw := func(k int, p, temperature float64) []int32 {
		o := GenerateOptions{Tokens: 60, Temperature: temperature, TopK: k, TopP: p, Seed: 3}
		return drawBatch(t, checkpoint, o, [][]int32{{'f'}})[0]
	}
	plain := draw(0, 0, 1)
	for name, got := range map[string][]int32{"top-p 1": draw(0, 1, 1), "top-k 256": draw(256, 0, 1), "top-k 300, top-p 1": draw(300, 1, 1)} {
		if !slices.Equal(got, plain) {
			t.Errorf("%s draws %v, want %v", name, got, plain)
		}
	}
	if greedy, one := draw(0, 0, 0), draw(1, 0, 1); !slices.Equal(one, greedy) || slices.Equal(one, plain) {
		t.Errorf("top-k 1 draws %v, temperature 0 %v, no filter %v", one, greedy, plain)
	}
	few := draw(5, 0.5, 1)
	if slices.Equal(few, plain) || !slices.Equal(few, draw(5, 0.5, 1)) {
		t.Errorf("top-k 5 and top-p 0.5 draw %v and %v, no filter %v", few, draw(5, 0.5, 1), plain)
	}
}

func TestGenerateOptionErrors(t *testing.T) {
	checkpoint := mustRun(t, bytesExperiment(S6, 8, 2), Options{}).Checkpoint
	for want, o := range map[string]GenerateOptions{
		"top-k -1":         {TopK: -1},
		"top-p -0.1":       {TopP: -0.1},
		"top-p 1.01":       {TopP: 1.01},
		"top-p NaN":        {TopP: math.NaN()},
		"temperature NaN":  {Temperature: math.NaN()},
		"temperature +Inf": {Temperature: math.Inf(1)},
		"tokens -1":        {Tokens: -1},
	} {
		o.Prompt = []int32{1}
		err := Generate(context.Background(), checkpoint, o, func(int32) bool { return true })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// A checkpoint whose weights are no numbers is an error for every way to draw,
// and no token comes before it.
func TestGenerateFromDivergedWeights(t *testing.T) {
	for _, kind := range []MixerKind{S6, Attention} {
		checkpoint := mustRun(t, bytesExperiment(kind, 8, 2), Options{}).Checkpoint
		checkpoint = withoutNumbers(checkpoint)
		for _, temperature := range []float64{0, 1} {
			o := GenerateOptions{Prompt: []int32{1}, Tokens: 3, Temperature: temperature}
			drawn := 0
			err := Generate(context.Background(), checkpoint, o, func(int32) bool { drawn++; return true })
			if err == nil || drawn > 0 || !strings.Contains(err.Error(), "want a finite number") {
				t.Errorf("%s at temperature %g: %d tokens, error %v", kind, temperature, drawn, err)
			}
		}
	}
}

// withoutNumbers is a whole checkpoint whose weights are all NaN.
func withoutNumbers(checkpoint []byte) []byte {
	body := slices.Clone(checkpoint[:len(checkpoint)-sha256.Size])
	lead := len(checkpointMagic) + 8
	header := int(binary.LittleEndian.Uint64(body[len(checkpointMagic):]))
	for p := body[lead+header:]; len(p) > 0; p = p[4:] {
		binary.LittleEndian.PutUint32(p, math.Float32bits(float32(math.NaN())))
	}
	sum := sha256.Sum256(body)
	return append(body, sum[:]...)
}
