package logbook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/tracker"
)

// Origin returns the checkpoint that an experiment starts from and the id of the
// run that holds it; both are empty if it starts from fresh weights. The SHA-256 in
// the experiment says what to look for, so any run of the store will do: the one
// that made it or one that started from it. A checkpoint whose file is damaged or
// missing is an error that is tracker.ErrCorrupt, one that no run holds an error
// that is tracker.ErrNotFound.
func Origin(ctx context.Context, store *tracker.Store, e lab.Experiment) (data []byte, run string, err error) {
	sum := e.From.Checkpoint
	if e.From.IsZero() {
		return nil, "", nil
	}
	found, err := store.SQL(ctx, "SELECT uid FROM v_artifacts WHERE sha256 = ? ORDER BY name = ?, run LIMIT 1", sum, lab.OriginArtifact)
	if err != nil {
		return nil, "", err
	}
	if len(found.Cells) == 0 {
		return nil, "", fmt.Errorf("the experiment starts from the checkpoint %.12s…, which no run of this database holds: %w", sum, tracker.ErrNotFound)
	}
	run = found.Cells[0][0].S
	artifacts, err := store.Artifacts(ctx, run)
	if err != nil {
		return nil, run, err
	}
	for _, a := range artifacts {
		if a.SHA256 != sum {
			continue
		}
		if data, err = os.ReadFile(a.Path); err == nil && sumOf(data) == sum {
			return data, run, nil
		}
		break // equal contents are one file
	}
	state := "damaged"
	if os.IsNotExist(err) {
		state = "missing"
	}
	return nil, run, fmt.Errorf("the experiment starts from the checkpoint %.12s… of run %s, whose file is %s: %w", sum, run, state, tracker.ErrCorrupt)
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
