package main

import "slices"

// table is all mutants: one mistake each that somebody could make and that no
// compiler sees.
func table() []mutant {
	return slices.Concat(evaluation(), training(), replaying(), keeping(), generating(), comparing(), optimising(), building(), setting(), recurring(), attending())
}

func evaluation() []mutant {
	const file, byHand = "pkg/lab/eval.go", "./pkg/lab TestEvaluateByHand"
	return []mutant{
		{"lab/ignored-is-correct", file, "if w != task.Ignore && got[i] == w {", "if w == task.Ignore || got[i] == w {", byHand},
		{"lab/loss-by-a-constant", file, "lossSum / float64(scored)", "1.001 * lossSum / float64(scored)", byHand},
		{"lab/loss-by-batch-size", file, "lossSum += float64(n)", "lossSum += float64(b.B*b.L)", byHand},
		{"lab/evaluates-with-dropout", file, "SetTraining(false)", "SetTraining(true)", byHand},
		{"lab/evaluates-one-batch", file, "for i := 0; ; i++ {", "for i := 0; i < 1; i++ {", byHand},
		{"lab/accuracy-one-more", file, "float64(correct)/", "float64(correct+1)/", byHand},
		{"lab/bits-times-ln2", file, "mean/math.Ln2", "mean*math.Ln2", "./pkg/lab TestEvaluateBits"},
		{"lab/regression-by-batch", file, "scored += n\n", "scored++\n", "./pkg/lab TestEvaluateRegression"},
	}
}

func training() []mutant {
	const file, masks, seeds, splits = "pkg/lab/train.go", "./pkg/lab TestDropoutMasks", "./pkg/lab TestSeedDrawsWeightsAndData", "./pkg/lab TestEvaluationChangesNothing"
	const rate, damage, watch = "./pkg/lab TestLearningRateOfTheStep", "./pkg/lab TestCheckpointDamage", "./pkg/lab TestDivergenceWatch"
	return []mutant{
		{"lab/rate-of-the-next-step", file, "Schedule.At(t.step,", "Schedule.At(t.step+1,", rate},
		{"lab/rate-not-the-logged", file, "t.opt.Step(lr)", "t.opt.Step(2 * lr)", rate},
		{"lab/one-mask-for-all-steps", file, "uint64(first+i)*0x9e3779b97f4a7c15", "uint64(first+i)*0", masks},
		{"lab/one-mask-for-all-seeds", file, "t.e.Seed ^ uint64(first+i)", "1 ^ uint64(first+i)", masks},
		{"lab/no-dropout-after-eval", file, "\tt.tape.SetTraining(true)\n", "", splits},
		{"lab/batch-of-the-next-step", file, "t.task.Train(first + i)", "t.task.Train(first + i + 1)", "./pkg/lab TestStepAsksForItsBatch"},
		{"lab/data-of-another-seed", file, "cache.New(e.Task, e.Seed)", "cache.New(e.Task, 1)", seeds},
		{"lab/weights-of-another-seed", file, "nn.NewBuilder(dev, e.Seed)", "nn.NewBuilder(dev, 1)", seeds},
		{"lab/test-while-training", file, "|| last {", "|| last || true {", splits},
		{"lab/no-last-validation", file, "t.step%t.e.EvalEvery == 0 || last", "t.step%t.e.EvalEvery == 0", splits},
		{"lab/test-is-left-out", file, `if split != "valid" {`, `if split == "valid" {`, splits},
		{"lab/resume-forgets-the-loss", file, "t.step, t.watch, t.stop = c.Step, c.watch, c.stop", "t.step, t.stop = c.Step, c.stop", "./pkg/lab TestResumeEqualsNoInterruption"},
		{"lab/resume-of-any-experiment", file, "c.Experiment.Hash() != t.e.Hash()", "len(c.Experiment.Hash()) == 0", damage},
		{"lab/divergence-a-step-late", file, "d.High >= divergeSteps", "d.High > divergeSteps", watch},
		{"lab/divergence-is-never-over", file, "d.High = 0", "d.High += 0", watch},
		{"lab/infinite-loss-goes-on", file, "|| math.IsInf(loss+norm, 0)", "", watch},
		{"lab/no-log-of-the-first-step", file, " || t.step == 1 {", " {", "./pkg/lab TestLogsWhenAsked"},
		{"lab/no-log-of-the-last-step", file, "|| t.step == t.e.Steps || t.step == 1", "|| t.step == 1", "./pkg/lab TestLogsWhenAsked"},
		{"lab/no-log-of-divergence", file, "if diverged || t.step%t.e.LogEvery", "if t.step%t.e.LogEvery", "./pkg/lab TestLogsWhenAsked"},
		{"lab/checkpoints-at-odd-steps", file, "t.step%n == 0 && !last", "t.step%n == 1 && !last", "./pkg/lab TestCheckpointsWhenAsked"},
		{"lab/norm-after-clipping", "pkg/optim/adamw.go", "tensor.ZeroGrad(a.params)\n\treturn norm", "tensor.ZeroGrad(a.params)\n\treturn norm * h.GradScale", "./pkg/optim TestTorchAdamW"},
		{"lab/prepends-the-step-again", "pkg/lab/past.go", "old.Steps[n] < c.Steps[0]", "old.Steps[n] <= c.Steps[0]", "./pkg/lab TestPrepend"},
		{"lab/interruption-is-no-error", file, "if status == Interrupted {", "if status == Failed {", "./pkg/lab TestResumeEqualsNoInterruption"},
	}
}

func replaying() []mutant {
	const file, oneBit, logs = "pkg/lab/replay.go", "./pkg/lab TestReplaySeesOneBit", "./pkg/lab TestReplayComparesWhatARunLogs"
	return []mutant{
		{"lab/replays-train-only", file, `{"train/", "valid/", "test/", "test@"}`, `{"train/"}`, oneBit},
		{"lab/replays-no-evaluation", file, `{"train/", "valid/", "test/", "test@"}`, `{"train/", "test@"}`, "./cmd/gophersnake TestScripts/replay"},
		{"lab/replays-no-long-test", file, `, "test@"}`, "}", oneBit},
		{"lab/replay-within-1e-6", file, "math.Float64bits(v) != math.Float64bits(w)", "math.Abs(v-w) > 1e-6", oneBit},
		{"lab/replay-by-value", file, "math.Float64bits(v) != math.Float64bits(w)", "v != w", logs},
		{"lab/replay-nan-by-bits", file, " && !(math.IsNaN(v) && math.IsNaN(w))", "", logs},
		{"lab/replay-lacks-nothing", file, "if _, ok := a[step]; !ok {", "if _, ok := a[step]; !ok && a == nil {", oneBit},
		{"lab/replay-too-many-is-fine", file, "if !ok || math", "if ok && math", oneBit},
		{"lab/replay-of-the-rest", file, "\to.Resume = nil\n", "", oneBit},
		{"lab/replay-of-nothing-is-equal", file, "r.Compared > 0 && ", "", logs},
		{"lab/replay-any-step-is-first", file, "if m.Step == all[0].Step {", "if m.Step >= all[0].Step {", "./pkg/lab TestReplayTellsTheFirst"},
	}
}

func keeping() []mutant {
	const file, counts, damage = "pkg/lab/checkpoint.go", "./pkg/lab TestCheckpointKeepsEachCount", "./pkg/lab TestCheckpointDamage"
	const refuses = "./pkg/lab TestRestoreRefusesOtherParameters"
	return []mutant{
		{"lab/moments-change-places", file, "state.M[i], state.V[i]}", "state.V[i], state.M[i]}", counts},
		{"lab/counts-are-not-written", file, "OptimiserSteps: state.Steps", "OptimiserSteps: nil", counts},
		{"lab/counts-are-not-read", file, "Steps: h.OptimiserSteps", "Steps: nil", counts},
		{"lab/high-losses-are-forgotten", file, "HighSteps: t.watch.High", "HighSteps: 0", counts},
		{"lab/reference-in-32-bits", file, "\t\treturn 64", "\t\treturn 32", "./pkg/lab TestResumeEqualsNoInterruption"},
		{"lab/damage-goes-unseen", file, "!bytes.Equal(sum[:], data[len(body):])", "len(sum) == 0", damage},
		{"lab/names-do-not-matter", file, "p.Name != c.params[i].Name || ", "", refuses},
		{"lab/sizes-do-not-matter", file, "return c.Len == p.Len() && ", "return ", refuses},
	}
}

func generating() []mutant {
	const file, draw, sample = "pkg/lab/generate.go", "pkg/lab/sample.go", "./pkg/lab TestSample"
	return []mutant{
		{"lab/temperature-does-nothing", draw, "(v - scores[best]) / s.temperature", "v - scores[best]", sample},
		{"lab/temperature-upside-down", draw, "(v - scores[best]) / s.temperature", "(v - scores[best]) * s.temperature", sample},
		{"lab/large-scores-overflow", draw, "(v - scores[best]) / s.temperature", "v / s.temperature", sample},
		{"lab/last-of-equals", draw, "if v > top {", "if v >= top {", sample},
		{"lab/streams-share-a-seed", file, "o.Seed+uint64(i)", "o.Seed", "./pkg/lab TestBatchIsSingle"},
		{"lab/a-token-too-many", file, "left: o.Tokens}", "left: o.Tokens + 1}", "./pkg/lab TestGenerate"},
		{"lab/generates-with-dropout", file, "SetTraining(false)", "SetTraining(true)", "./pkg/lab TestGenerateWithoutDropout"},
		{"lab/takes-the-first-scores", file, "scores[len(scores)-y.Dim(-1):]", "scores[:y.Dim(-1)]", "./pkg/lab TestGenerateWithoutDropout"},
	}
}

// comparing is what stands between runs and the word for them.
func comparing() []mutant {
	const tune, step, noise, ladder = "pkg/lab/tune.go", "pkg/lab/step.go", "pkg/lab/noise.go", "pkg/lab/ladder.go"
	const rate, words, neighbours = "./pkg/lab TestChooseRate", "./pkg/lab TestVerdicts|TestWordsNeverContradictNumbers", "./pkg/lab TestNeighbours|TestEqualParameters"
	return []mutant{
		{"lab/best-rate-without-error", tune, "worth(best.Mean)-best.SE", "worth(best.Mean)", rate},
		{"lab/lost-runs-do-not-matter", tune, "r.Lost < best.Lost || r.Lost == best.Lost && worth", "worth", rate},
		{"lab/edge-goes-unflagged", tune, "t.Edge = last > 0", "t.Edge = last < 0", rate},
		{"lab/grid-grows-for-one-arm", "pkg/lab/study_run.go", "for i := range s.c.Arms {\n\t\tfor _, lr := range rates", "for i := range s.c.Arms[:1] {\n\t\tfor _, lr := range rates", "./pkg/lab TestGridGrowsForAllArmsAlike"},
		{"lab/tuned-on-test", "pkg/lab/study_run.go", `{"valid": &t.Score, "test": &t.Test}`, `{"test": &t.Score, "valid": &t.Test}`, "./pkg/lab TestTry"},
		{"lab/p-without-holm", step, "adjusted[i], exact[i], decides", "min(adjusted[i], ps[i]), exact[i], decides", "./pkg/lab TestHolm"},
		{"lab/word-without-exact-test", step, "s.P < Alpha && s.Exact < Alpha", "s.P < Alpha", words},
		{"lab/word-without-interval", step, "case sure && s.Lo > 0:", "case sure && p.MeanDiff > 0:", "./pkg/lab TestWordNeedsItsInterval"},
		{"lab/word-without-p", step, "s.P < Alpha && s.Exact < Alpha", "s.Exact < Alpha", words},
		{"lab/lost-pairs-spare-the-exact-test", step, "float64(len(r.Config.Seeds)))*float64(len(names))", "6)*float64(len(names))", "./pkg/lab TestLostPairsSpareNothing"},
		{"lab/record-without-hash", "pkg/lab/publish.go", "l.SHA256 != want", "len(l.SHA256) != len(want)", "./pkg/lab TestRecordIsHeldToItself"},
		{"lab/choice-has-no-noise", noise, "meanOf(values[i], reported) + shifts[i].of(tuned)", "meanOf(values[i], reported)", "./pkg/lab TestIntervalsHoldTheNoiseOfTheChoice"},
		{"lab/intervals-too-narrow", "pkg/lab/stats/bootstrap.go", "math.Sqrt(m/(m-1)) * tFactor", "0.8 * tFactor", "./pkg/lab/stats TestExpandedLevels"},
		{"lab/arms-draw-apart", noise, "meanOf(values[i], reported) +", "meanOf(values[i], reported[i%2:]) +", "./pkg/lab TestPairsAreDrawnTogether"},
		{"lab/ring-changes-gamma-too", ladder, `c.Gamma = r.Name == "lru"`, `c.Gamma = r.Name == "lru" || r.Name == "ring"`, neighbours},
		{"lab/selective-has-more-states", ladder, "\t\tc.State = 1\n", "\t\tc.State = 2\n", "./pkg/lab TestFactorialIsComplete"},
		{"lab/sizes-are-not-adapted", ladder, "target-count(n-1) < count(n)-target", "target > 0", neighbours},
	}
}

func optimising() []mutant {
	const file, torch, groups, shape = "pkg/optim/adamw.go", "./pkg/optim TestTorchAdamW", "./pkg/optim TestAdamWGroups", "./pkg/optim TestSchedule(Shape|Values)"
	return []mutant{
		{"optim/one-count-for-all", file, "math.Pow(a.cfg.Beta1, float64(a.steps[i]))", "math.Pow(a.cfg.Beta1, float64(a.steps[0]))", torch},
		{"optim/rest-is-counted", file, "if !p.HasGrad() {", "if p == nil {", torch},
		{"optim/clips-without-1e-6", file, "math.Min(1, clip/(norm+1e-6))", "math.Min(1, clip/norm)", torch},
		{"optim/clips-what-is-small", file, "math.Min(1, clip/", "(clip / ", torch},
		{"optim/all-groups-decay", file, "h.LR, h.Decay = lr, 0", "h.LR, h.Decay = lr, a.cfg.WeightDecay", groups},
		{"optim/decay-does-not", file, "h.Decay = a.cfg.WeightDecay", "h.Decay = 0", groups},
		{"optim/recurrent-at-full-rate", file, "lr * a.cfg.RecurrentFactor", "lr", groups},
		{"optim/steps-with-infinity", file, "if math.IsNaN(norm) || math.IsInf(norm, 0) {", "if math.IsNaN(norm) {", "./pkg/optim TestAdamWRefusesBadGradients"},
		{"optim/import-of-one-moment", file, "a.v[i].SetData(s.V[i])", "a.v[i].SetData(s.M[i])", "./pkg/optim TestAdamWResume"},
		{"optim/import-of-no-count", file, "copy(a.steps, steps)", "copy(a.steps, steps[:0])", "./pkg/optim TestAdamWResume"},
		{"optim/keeps-old-gradients", file, "\ttensor.ZeroGrad(a.params)\n", "", torch},
		{"optim/warm-up-from-0", "pkg/optim/schedule.go", "float64(step+1) / float64(warm)", "float64(step) / float64(warm)", shape},
		{"optim/ends-above-final", "pkg/optim/schedule.go", "(1-s.Final)*left", "left", shape},
		{"optim/sgd-decays-the-others", "pkg/optim/sgd.go", "p.Group == tensor.Decay", "p.Group != tensor.Decay", "./pkg/optim TestSGDFormula"},
	}
}

func building() []mutant {
	const block, start = "pkg/nn/block.go", "./pkg/nn TestStartOfLayers"
	return []mutant{
		{"nn/residual-by-layers", block, "math.Sqrt(float64(layers))", "math.Sqrt(float64(layers+1))", "./pkg/nn TestBlockResidualScale"},
		{"nn/no-dropout-inside-glu", block, "tp.Dropout(k.cfg.Dropout, tp.Map", "tp.Dropout(0, tp.Map", "./pkg/nn TestBlockDropout"},
		{"nn/no-dropout-by-pieces", block, "tp.Residual(k.cfg.Dropout,", "tp.Residual(0,", "./pkg/nn TestBlockDropout"},
		{"nn/no-dropout-on-the-branch", block, "tp.AddBranch(k.cfg.Dropout,", "tp.AddBranch(0,", "./pkg/nn TestBlockDropout"},
		{"nn/norm-decays", "pkg/nn/norm.go", `RMSNorm{b.Param("weight", tensor.NoDecay`, `RMSNorm{b.Param("weight", tensor.Decay`, "./pkg/nn TestModelParams"},
		{"nn/linear-bias-decays", "pkg/nn/linear.go", `"bias", tensor.NoDecay`, `"bias", tensor.Decay`, start},
		{"nn/conv-bias-decays", "pkg/nn/conv.go", `"bias", tensor.NoDecay`, `"bias", tensor.Decay`, start},
		{"nn/embedding-starts-large", "pkg/nn/model.go", "cfg.Vocab*cfg.D, 0.02)", "cfg.Vocab*cfg.D, 0.03)", "./pkg/nn TestModelEmbeddingStart"},
		{"nn/last-head-reads-the-first", "pkg/nn/model.go", "tp.SelectTime(x, -1)", "tp.SelectTime(x, 0)", "./pkg/nn TestModels"},
		{"nn/weights-of-seed-1", "pkg/nn/builder.go", `NewRand(seed, "parameters")`, `NewRand(1, "parameters")`, "./pkg/nn TestBuilderSeed"},
		{"nn/keys-keep-their-place", "pkg/nn/attention.go", "a.rotated(tp, a.K, x, offset)", "a.rotated(tp, a.K, x, 0)", "./pkg/nn TestAttentionSteps"},
		{"nn/cache-is-not-copied", "pkg/nn/attention.go", "\ttp.StoreSteps(t, big, 0)\n", "\ttp.StoreSteps(t, t, 0)\n", "./pkg/nn TestAttentionSteps"},
		{"nn/tied-head-is-not", "pkg/nn/model.go", "if !cfg.Tied {", "if cfg.D > 0 {", "./pkg/nn TestModelParams"},
		{"nn/position-stands-still", "pkg/nn/model.go", "\ts.Advance(x.Dim(1))\n", "", "./pkg/nn TestModelStateImport|TestModelSteps"},
	}
}

func setting() []mutant {
	const file, text, differ = "pkg/task/synthetic.go", "pkg/task/text.go", "./pkg/task TestSeedsStepsAndSplitsDiffer"
	const windows = "./pkg/task TestWindows|TestSplitsAreDisjoint|TestTextIsCutPerFile"
	return []mutant{
		{"task/test-is-training", file, "s.cfg.Name, split, i)", `s.cfg.Name, "train", i)`, differ},
		{"task/test-is-validation", file, "s.cfg.Name, split, i)", `s.cfg.Name, "valid", i)`, differ},
		{"task/one-batch-for-all-steps", file, "strconv.Itoa(i))", "strconv.Itoa(0))", differ},
		{"task/one-stream-for-all-seeds", file, "initializer.NewRand(seed,", "initializer.NewRand(1,", differ},
		{"task/long-test-is-short", file, "return n\n", "return c.Length\n", "./pkg/task TestEveryTaskKeepsItsSpec"},
		{"task/never-the-longest", file, "rng.IntN(hi-lo+1)", "rng.IntN(hi-lo)", "./pkg/task TestTrainLengthsAreUniform"},
		{"task/one-batch-too-many", file, "i >= s.cfg.EvalBatches", "i > s.cfg.EvalBatches", "./pkg/task TestEveryTaskKeepsItsSpec"},
		{"task/text-validates-on-test", text, "\t\treturn valid\n", "\t\treturn test\n", windows},
		{"task/text-tests-on-training", text, "windows(t.corpus.splits[splitIndex(split)]", "windows(t.corpus.splits[splitIndex(split)*0]", windows},
		{"task/text-trains-on-test", text, "windows(t.corpus.splits[train], t.cfg.Batch", "windows(t.corpus.splits[test], t.cfg.Batch", windows},
		{"task/text-target-is-input", text, "data[s+t+1]", "data[s+t]", windows},
		{"task/ignored-is-scored", "pkg/task/task.go", "if y != Ignore {", "if y != 0 {", "./pkg/task TestScored"},
		{"task/induction-asks-itself", "pkg/task/recall.go", "x[p+1]", "x[p]", "./pkg/task TestInduction"},
		{"task/parity-forgets", "pkg/task/numeric.go", "sum ^= b.Tokens[t]", "sum = b.Tokens[t]", "./pkg/task TestParity"},
		{"task/files-move-to-training", "pkg/task/family.go", "room[s] -= size[r]", "room[s] -= 2 * size[r]", "./pkg/task TestSplitFamilies"},
		{"task/families-are-torn", "pkg/task/family.go", "splitNames[part[roots[i]]]", "splitNames[part[i]]", "./pkg/task TestSplitFamilies|TestCopiesDoNotLeak"},
		{"task/shared-windows-stay", text, "t.corpus.manifest.Split != ByFamily ||", "t.corpus.manifest.Split == ByFamily ||", "./pkg/task TestCopiesDoNotLeak|TestGoSourceDoesNotLeak"},
		{"task/lengths-are-shared", text, "slices.Clone(cfg.EvalLengths)", "cfg.EvalLengths", "./pkg/task TestConfigIsCopied"},
		{"task/any-digest-fits", text, "got != c.Digest", "len(got) == 0", "./pkg/task TestDigestSeesEveryChange"},
		{"task/last-window-is-cut-off", text, "start+length < len(t.corpus.splits[split])", "start+2*length < len(t.corpus.splits[split])", windows},
		{"task/copying-a-step-late", "pkg/task/copying.go", "y[t] = x[t-M]", "y[t] = x[t-M+1]", "./pkg/task TestCopying"},
		{"task/adding-marks-one-half", "pkg/task/numeric.go", "mid+rng.IntN(length-mid)", "rng.IntN(length)", "./pkg/task TestAdding"},
		{"task/mqar-asks-another-key", "pkg/task/mqar.go", "x[q], y[q] = k[i], v[i]", "x[q], y[q] = k[0], v[i]", "./pkg/task TestMQAR"},
	}
}

func recurring() []mutant {
	const ssm, rnn = "./pkg/ssm TestParamGroups", "./pkg/rnn TestParamGroups"
	return []mutant{
		{"ssm/lru-B_re-decays", "pkg/ssm/diagonal.go", `"B_re", tensor.Recurrent`, `"B_re", tensor.Decay`, ssm},
		{"ssm/lru-gamma-decays", "pkg/ssm/diagonal.go", `"gamma_log", tensor.Recurrent`, `"gamma_log", tensor.Decay`, ssm},
		{"ssm/lru-C-is-recurrent", "pkg/ssm/diagonal.go", `"C_im", tensor.Decay`, `"C_im", tensor.Recurrent`, ssm},
		{"ssm/lru-gamma-on-one-part", "pkg/ssm/diagonal.go", "scaleRows(tp, bIm, gamma, m.ones)", "bIm", "./pkg/ssm TestTorchLRU"},
		{"ssm/s4d-step-decays", "pkg/ssm/s4d.go", `"log_dt", tensor.Recurrent`, `"log_dt", tensor.Decay`, ssm},
		{"ssm/mamba-A-decays", "pkg/ssm/s6.go", `"A_log", tensor.NoDecay`, `"A_log", tensor.Decay`, ssm},
		{"ssm/mamba-D-decays", "pkg/ssm/s6.go", `"D", tensor.NoDecay`, `"D", tensor.Decay`, ssm},
		{"rnn/A-decays", "pkg/rnn/dense.go", `"A", tensor.Recurrent`, `"A", tensor.Decay`, rnn},
		{"rnn/bias-decays", "pkg/rnn/gated.go", "tensor.NoDecay", "tensor.Decay", rnn},
		{"ssm/lru-C-without-minus", "pkg/ssm/diagonal.go", "cx := tp.Sub(yRe, yIm)", "cx := tp.Add(yRe, yIm)", "./pkg/ssm TestTorchLRU"},
		{"ssm/lru-rings-differ", "pkg/ssm/diagonal.go", "expAll(nuLog), expAll(thetaLog)", "expAll(nuLog), thetaLog", "./pkg/ssm TestLambda"},
	}
}

func attending() []mutant {
	const forward, back, finite = "internal/device/cpu/attention.go", "internal/device/cpu/attention_grad.go", "./pkg/tensor TestConformanceNotFinite"
	return []mutant{
		{"cpu/nan-reaches-the-past", forward, " || !finite(vec.Sum(a.query(a.Y, b, h, q1-1)[:a.Dh]))", "", finite},
		{"cpu/score-spoils-its-tile", forward, "!finite(vec.Sum(sum)) || ", "", finite},
		{"cpu/infinite-score-is-nan", forward, "if !finite(top) {", "if a.Dh == 0 {", finite},
		{"cpu/nan-of-a-query-spreads", back, "w.clean = finite(vec.Sum(w.mean[:n]))", "w.clean = g.Dh > 0", finite},
		{"cpu/nan-of-a-key-spreads", back, "clean = clean && (first == 0 || finite(p[0]))", "clean = clean && (first >= 0 || finite(p[0]))", finite},
	}
}
