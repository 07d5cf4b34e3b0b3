package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// Config says what Fill makes.
type Config struct {
	Runs   int
	Points int // values per run
	Seed   uint64
}

// seedsPerArm runs differ in the seed alone.
const seedsPerArm = 5

// epoch is when the first run began; each arm begins ten minutes after the one before.
func epoch() time.Time { return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) }

// perTransaction runs are committed at once: each commit waits for the disk.
const perTransaction = 50

// Fill adds the runs with the tracker's own writer.
func Fill(ctx context.Context, store *tracker.Store, cfg Config) error {
	for first := 0; first < cfg.Runs; first += perTransaction {
		var runs []tracker.ImportedRun
		for i := first; i < min(first+perTransaction, cfg.Runs); i++ {
			p := newPlan(cfg, i)
			runs = append(runs, tracker.ImportedRun{Record: p.record(), Fill: p.fill})
		}
		if _, err := store.ImportRuns(ctx, runs); err != nil {
			return fmt.Errorf("runs from %d on: %w", first, err)
		}
	}
	return nil
}

// plan is what happens in one run.
type plan struct {
	rng                     *rand.Rand
	arm, seed               int
	experiment, mixer, task string
	width, depth            int
	lr, skill               float64 // skill: how low the loss gets
	steps, stop             int     // stop: the steps that it came to
	status                  tracker.Status
	detail                  string
	created                 time.Time
}

// pick takes a choice of an arm: the same for all its seeds.
func pick[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

// newPlan draws run number i. The arm has a generator of its own, and so has the run.
func newPlan(cfg Config, i int) *plan {
	p := &plan{arm: i / seedsPerArm, seed: i % seedsPerArm, rng: rand.New(rand.NewPCG(cfg.Seed, uint64(i)<<1))}
	arm := rand.New(rand.NewPCG(cfg.Seed, uint64(p.arm)<<1|1))
	p.experiment = pick(arm, "ladder", "width sweep", "learning rates", "long sequences", "ablation")
	p.mixer = pick(arm, "elman", "gru", "lstm", "lru", "s4d", "s5", "mamba")
	p.task = pick(arm, "copy", "adding", "recall", "parity")
	p.width, p.depth = pick(arm, 32, 64, 128, 256), pick(arm, 1, 2, 4)
	p.lr = math.Round(1e5*math.Pow(10, -4+2.5*arm.Float64())) / 1e5
	p.skill = 0.02 + 0.5*arm.Float64() + 0.1*p.rng.Float64()
	p.steps = cfg.Points / 4
	p.created = epoch().Add(time.Duration(p.arm)*10*time.Minute + time.Duration(p.seed)*time.Second)
	p.end()
	return p
}

// end draws how the run ends: 88 % finish.
func (p *plan) end() {
	p.status, p.stop = tracker.StatusFinished, p.steps
	part := 1 + p.rng.IntN(p.steps)
	switch u := p.rng.Float64(); {
	case u < 0.04:
		p.status, p.stop, p.detail = tracker.StatusDiverged, part, fmt.Sprintf("loss is NaN at step %d", (part-1)*10)
	case u < 0.07:
		p.status, p.stop, p.detail = tracker.StatusCrashed, part, "the process ended without finishing the run"
	case u < 0.10:
		p.status, p.stop, p.detail = tracker.StatusInterrupted, part, "interrupt"
	case u < 0.12:
		p.status, p.stop, p.detail = tracker.StatusFailed, part, "out of memory"
	}
}

func (p *plan) record() tracker.RunRecord {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	id := []byte("s123456789")
	for i := 1; i < len(id); i++ {
		id[i] = alphabet[p.rng.IntN(len(alphabet))]
	}
	end := p.timeOf(p.stop)
	rec := tracker.RunRecord{
		Info: tracker.RunInfo{ID: string(id), Name: fmt.Sprintf("%s-%s-%d-%d", p.mixer, p.task, p.width, p.seed), Experiment: p.experiment,
			Group: p.mixer + " on " + p.task, Status: p.status, StatusDetail: p.detail, Seed: int64(p.seed), HasSeed: true,
			Created: p.created, Finished: end, Heartbeat: end, Host: fmt.Sprintf("node%d", p.arm%4), PID: 1000 + p.arm%30_000},
		Config: fmt.Appendf(nil, `{"task":{"name":%q,"length":%d},"model":{"mixer":%q,"width":%d,"depth":%d},"optim":{"lr":%g,"clip":1},"seed":%d}`,
			p.task, 64<<(p.arm%4), p.mixer, p.width, p.depth, p.lr, p.seed),
		Tags: map[string]string{"team": []string{"red", "green", "blue"}[p.arm%3]},
		Environment: map[string]string{"go.version": "go1.26", "os": "linux", "arch": "amd64", "host": fmt.Sprintf("node%d", p.arm%4),
			"git.commit": fmt.Sprintf("%040x", p.arm/100)},
	}
	if p.arm%7 == 0 {
		rec.Tags["baseline"] = "yes"
	}
	return rec
}

func (p *plan) timeOf(step int) time.Time {
	return p.created.Add(time.Duration(step) * 1500 * time.Millisecond)
}

// fill adds values and events.
func (p *plan) fill(im *tracker.RunImport) error {
	var points []tracker.Point
	for i := range p.stop {
		t := float64(i) / float64(p.steps)
		loss := p.skill + (2.3-p.skill)*math.Exp(-6*t) + 0.02*p.rng.NormFloat64()
		accuracy := max(0, min(1, 1-loss/2.3))
		if p.status == tracker.StatusDiverged && i == p.stop-1 {
			loss, accuracy = math.NaN(), 0
		}
		at, step := p.timeOf(i), int64(10*i)
		points = append(points, tracker.Point{Key: "loss", Context: "train", Step: step, Value: loss, Time: at},
			tracker.Point{Key: "loss", Context: "eval", Step: step, Value: loss * 1.05, Time: at},
			tracker.Point{Key: "accuracy", Context: "eval", Step: step, Value: accuracy, Time: at},
			tracker.Point{Key: "gradient norm", Step: step, Value: math.Exp(-3*t + 0.3*p.rng.NormFloat64()), Time: at})
	}
	if err := im.AddPoints(points); err != nil {
		return err
	}
	if err := im.AddEvent(tracker.Event{Time: p.created, Kind: "started", Data: "{}"}); err != nil {
		return err
	}
	kind := "finished"
	if p.status == tracker.StatusCrashed {
		kind = "crashed"
	}
	return im.AddEvent(tracker.Event{Time: p.timeOf(p.stop), Kind: kind, Message: string(p.status) + ": " + p.detail, Data: "{}"})
}
