package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/gophersnake/gophersnake/tracker"
)

// valueID is a value bit for bit. The one thing SQLite does not keep is which NaN it was.
type valueID struct {
	key, context string
	step         int64
	bits         uint64
	object       string
}

func idOf(p tracker.Point) valueID {
	bits := math.Float64bits(p.Value)
	if math.IsNaN(p.Value) {
		bits = math.Float64bits(math.NaN())
	}
	return valueID{key: p.Key, context: p.Context, step: p.Step, bits: bits}
}

// ids are the values of one call.
func (o op) ids() []valueID {
	if o.kind == opObject {
		return []valueID{{key: objectKey, step: o.object.Step, object: string(o.object.Data)}}
	}
	list := make([]valueID, len(o.points))
	for i, p := range o.points {
		list[i] = idOf(p)
	}
	return list
}

// verdict is how a run compares with its record.
type verdict struct {
	acknowledged int      // values that must be there
	missing      int      // of these, those that are not
	other        []string // tags and artifacts that are missing
	wrong        []string // what must not be
	underway     bool     // the call during which the child was killed is there
}

// compare reads a run and holds it against its record.
func compare(ctx context.Context, store *tracker.Store, r *record) (v verdict, err error) {
	stored, err := storedValues(ctx, store, r.id)
	if errors.Is(err, tracker.ErrNotFound) {
		stored, err = map[valueID]int{}, nil
		v.other = append(v.other, "the run")
	}
	if err != nil {
		return v, err
	}
	var maybe [][]valueID
	for i := range r.next {
		o := opAt(r.seed, i)
		if r.refused[i] {
			if !o.certain() {
				maybe = append(maybe, o.ids())
			}
			continue
		}
		v.acknowledged += o.values()
		for _, id := range o.ids() {
			if stored[id] == 0 {
				v.missing++
			} else {
				take(stored, id)
			}
		}
	}
	for _, ids := range maybe {
		takeAll(stored, ids)
	}
	if !r.over {
		v.underway = takeAll(stored, opAt(r.seed, r.next).ids())
	}
	for id, n := range stored {
		v.wrong = append(v.wrong, fmt.Sprintf("%d × %+v was never accepted, or is there twice", n, id))
	}
	return v, v.compareOther(ctx, store, r)
}

func take(stored map[valueID]int, id valueID) {
	if stored[id]--; stored[id] == 0 {
		delete(stored, id)
	}
}

// takeAll takes a call's values out if all of them are there.
func takeAll(stored map[valueID]int, ids []valueID) bool {
	need := map[valueID]int{}
	for _, id := range ids {
		need[id]++
	}
	for id, n := range need {
		if stored[id] < n {
			return false
		}
	}
	for _, id := range ids {
		take(stored, id)
	}
	return len(ids) > 0
}

func storedValues(ctx context.Context, store *tracker.Store, id string) (map[valueID]int, error) {
	stored := map[valueID]int{}
	if _, err := store.Run(ctx, id); err != nil {
		return nil, err
	}
	for _, key := range metricKeys {
		for _, label := range metricContexts {
			points, err := store.History(ctx, id, key, label)
			if err != nil && !errors.Is(err, tracker.ErrNotFound) {
				return nil, err
			}
			for _, p := range points {
				stored[idOf(p)]++
			}
		}
	}
	objects, err := store.Objects(ctx, id, objectKey, "")
	for _, o := range objects {
		stored[valueID{key: objectKey, step: o.Step, object: string(o.Data)}]++
	}
	return stored, err
}

// compareOther looks for the newest acknowledged tag and for every acknowledged artifact.
func (v *verdict) compareOther(ctx context.Context, store *tracker.Store, r *record) error {
	if len(v.other) > 0 {
		return nil // the run itself is missing
	}
	newest := int64(-1)
	for i := range r.next {
		o := opAt(r.seed, i)
		switch {
		case r.refused[i]:
		case o.kind == opTag:
			newest = i
		case o.kind == opArtifact:
			data, err := store.ReadArtifact(ctx, r.id, artifactName(i))
			if errors.Is(err, tracker.ErrNotFound) {
				v.other = append(v.other, artifactName(i))
			} else if err != nil {
				return err
			} else if !bytes.Equal(data, o.artifact) {
				v.wrong = append(v.wrong, "another content in "+artifactName(i))
			}
		}
	}
	tags, err := store.Tags(ctx, r.id)
	if err != nil {
		return err
	}
	got, err := strconv.ParseInt(tags[tagKey], 10, 64)
	if err != nil {
		got = -1
	}
	if got < newest {
		v.other = append(v.other, fmt.Sprintf("tag of call %d (it says %d)", newest, got))
	}
	if got > r.next || (got == r.next && r.over) {
		v.wrong = append(v.wrong, fmt.Sprintf("a tag of call %d, %d are known", got, r.next))
	}
	return nil
}
