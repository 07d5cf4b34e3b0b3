package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gophersnake/gophersnake/tracker"
)

// op is one call of the tracker. The sequence of a run's calls follows from the run's seed, so that parent and child
// agree on it without talking.
type op struct {
	kind     opKind
	points   []tracker.Point
	object   tracker.Object
	tag      string
	artifact []byte
}

type opKind int

const (
	opLog opKind = iota
	opBatch
	opSync
	opObject
	opTag
	opArtifact
)

const (
	objectKey = "note"
	tagKey    = "call"
)

var (
	metricKeys     = []string{"loss", "gradient norm"}
	metricContexts = []string{"", "train", "eval"}
)

// opAt returns call i of the run with this seed.
func opAt(seed uint64, i int64) op {
	rng := rand.New(rand.NewPCG(seed, uint64(i)))
	switch n := rng.IntN(200); {
	case n < 140:
		return op{kind: opLog, points: []tracker.Point{pointAt(rng, i)}}
	case n < 180:
		o := op{kind: opBatch}
		for range 1 + rng.IntN(60) {
			o.points = append(o.points, pointAt(rng, i))
		}
		return o
	case n < 184:
		p := pointAt(rng, i)
		p.Context = ""
		return op{kind: opSync, points: []tracker.Point{p}}
	case n < 196:
		text := make([]byte, rng.IntN(300))
		for j := range text {
			text[j] = byte(rng.Uint32())
		}
		return op{kind: opObject, object: tracker.Object{Key: objectKey, Step: i, Kind: "bytes", Data: text}}
	case n < 199:
		return op{kind: opTag, tag: fmt.Sprint(i)}
	}
	return op{kind: opArtifact, artifact: []byte(fmt.Sprintf("content %d of %d", i, seed))}
}

// pointAt draws a value of any bits; steps repeat and are out of order now and then. -0 is left out: SQLite stores it
// as 0.
func pointAt(rng *rand.Rand, i int64) tracker.Point {
	p := tracker.Point{Key: metricKeys[rng.IntN(len(metricKeys))], Context: metricContexts[rng.IntN(len(metricContexts))],
		Step: i + int64(rng.IntN(7)) - 3, Value: math.Float64frombits(rng.Uint64())}
	if rng.IntN(4) > 0 {
		p.Value = rng.NormFloat64()
	}
	if p.Value == 0 {
		p.Value = 0
	}
	return p
}

// perform calls the tracker.
func (o op) perform(run *tracker.Run, i int64) error {
	switch o.kind {
	case opLog:
		return run.LogContext(o.points[0].Context, o.points[0].Key, o.points[0].Step, o.points[0].Value)
	case opSync:
		return run.LogSync(o.points[0].Key, o.points[0].Step, o.points[0].Value)
	case opBatch:
		return run.LogBatch(o.points)
	case opObject:
		return run.LogObject(o.object)
	case opTag:
		return run.SetTag(tagKey, o.tag)
	}
	_, err := run.LogArtifactBytes(artifactName(i), o.artifact)
	return err
}

func artifactName(i int64) string { return fmt.Sprintf("made/%d.txt", i) }

// values counts what the call adds to the tables of points and objects.
func (o op) values() int {
	if o.kind == opObject {
		return 1
	}
	return len(o.points)
}

// certain reports whether an error of this call means that nothing of it was stored. A LogSync whose commit failed has
// its value in the journal, and an artifact or a tag may have been committed by the time of the error.
func (o op) certain() bool { return o.kind == opLog || o.kind == opBatch || o.kind == opObject }
