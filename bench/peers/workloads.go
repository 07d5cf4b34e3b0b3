package main

import (
	"fmt"
	"slices"
)

// Workload is a row of the comparison.
type Workload struct {
	Name     string
	Job      Job
	Variants []string // of the peer; the fastest is raced
	Target   float64  // how many times as fast as the peer we want to be, 0 for no target
	Against  string   // the peer's name, "" for PyTorch
}

// kit is what the peer is made of.
func (w Workload) kit() kit {
	for _, k := range []kit{jaxKit, llamaKit} {
		if k.name == w.Against {
			return k
		}
	}
	return torchKit
}

// memoryTarget is how many times as much memory as ours a training step of the
// peer should take at its peak, scalingTarget how many times as fast two cores
// should be as one.
const memoryTarget, scalingTarget = 8.0, 1.8

// Ways in which the peer computes a recurrence.
var (
	selectiveVariants = []string{"sequential", "pscan", "compiled"}
	linearVariants    = []string{"sequential", "pscan", "fft"}
	plainVariants     = []string{"eager", "compile"}
	jaxVariants       = []string{"scan", "scan, 8 steps unrolled", "associative"}
)

// everyWorkload lists what is compared, in the order of the tables.
func everyWorkload() []Workload {
	return slices.Concat(workloads(), jaxWorkloads(), decodeWorkloads())
}

// jaxWorkloads are those of PyTorch's that JAX runs, too.
func jaxWorkloads() (out []Workload) {
	for _, w := range workloads() {
		j := w.Job
		if j.Kind == kindScan || j.Kind == kindTrain && j.D == 128 && (j.Model == "mamba" || j.Model == "lru") {
			out = append(out, Workload{Name: w.Name + ", JAX", Job: j, Variants: jaxVariants, Against: jaxKit.name})
		}
	}
	return out
}

// decodeWorkloads are the formats in which both we and llama.cpp keep weights.
func decodeWorkloads() (out []Workload) {
	for _, f := range [][2]string{{"float32", "f32"}, {"bf16", "bf16"}, {"int8", "q8_0"}} {
		j := generation(768, 24, 50280, true)
		j.Format = f[0]
		w := Workload{Name: "mamba d768, 24 layers, " + f[0] + ", llama.cpp", Job: j, Variants: f[1:], Against: llamaKit.name}
		if f[0] == "float32" {
			w.Target = 1
		}
		out = append(out, w)
	}
	return out
}

// workloads lists what is compared with PyTorch.
func workloads() []Workload {
	all := []Workload{{
		Name:     "selective scan B8 L1024 D256 N16",
		Job:      Job{Kind: kindScan, Batch: 8, Length: 1024, D: 256, State: 16, Warm: 2},
		Variants: selectiveVariants, Target: 25,
	}}
	for _, d := range []int{64, 128, 256} {
		for _, l := range []int{256, 1024} {
			target := 8.0
			if l >= 1024 {
				target = 12
			}
			all = append(all, training("mamba", d, 8, l, selectiveVariants, target))
		}
	}
	for _, d := range []int{64, 128, 256} {
		target := 5.0
		if d > 128 {
			target = 3.5
		}
		all = append(all, training("gru", d, 16, 256, []string{"eager"}, target))
	}
	all = append(all, training("lstm", 128, 16, 256, []string{"eager"}, 3), training("lstm", 256, 16, 256, []string{"eager"}, 3),
		training("rnn", 128, 16, 256, []string{"eager"}, 3))
	for _, l := range []int{256, 1024} {
		all = append(all, training("lru", 128, 8, l, linearVariants, 3))
	}
	all = append(all, training("gpt", 64, 16, 256, plainVariants, 1.5), training("gpt", 128, 16, 256, plainVariants, 1.5),
		training("gpt", 128, 8, 1024, plainVariants, 1.5))
	return append(all, generations()...)
}

// training is full training steps of a model of two layers, vocabulary 256.
func training(model string, d, batch, length int, variants []string, target float64) Workload {
	return Workload{
		Name: fmt.Sprintf("%s d%d B%d L%d, training", model, d, batch, length),
		Job: Job{Kind: kindTrain, Model: model, D: d, Layers: 2, Batch: batch, Length: length, Vocab: 256,
			State: 16, Heads: 4, LR: 1e-3, Warm: 3},
		Variants: variants, Target: target,
	}
}

func generations() []Workload {
	mamba := func(d, layers, vocab int, tied bool, target float64) Workload {
		return Workload{
			Name:     fmt.Sprintf("mamba d%d, %d layers, generation of one stream", d, layers),
			Job:      generation(d, layers, vocab, tied),
			Variants: plainVariants, Target: target,
		}
	}
	return []Workload{mamba(64, 2, 256, false, 20), mamba(128, 2, 256, false, 20), mamba(256, 4, 256, false, 10),
		mamba(768, 24, 50280, true, 0)}
}

// generation is one stream of a Mamba; 768, 24, 50280, tied is the shape of
// Mamba 130M, with random weights.
func generation(d, layers, vocab int, tied bool) Job {
	return Job{Kind: kindGenerate, Model: "mamba", D: d, Layers: layers, Batch: 1, Length: 1, Vocab: vocab, State: 16,
		Tied: tied, Warm: 16}
}

// tokens is how many tokens a step of the job takes in.
func (j Job) tokens() float64 { return float64(j.Batch * j.Length) }
