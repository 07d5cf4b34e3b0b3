package nb

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/internal/nbhook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// message is one call of Display.
type message struct {
	data, metadata nbhook.Bundle
	id             string
	update         bool
	at             time.Time
}

func (m message) text() string { s, _ := m.data["text/plain"].(string); return s }
func (m message) html() string { s, _ := m.data["text/html"].(string); return s }
func (m message) svg() string  { s, _ := m.data["image/svg+xml"].(string); return s }

// fake is a front end that keeps what it is told.
type fake struct {
	ctx  context.Context
	stop context.CancelFunc

	mu     sync.Mutex
	all    []message
	clears int
	err    error
}

// notebook makes a fake the front end until the test ends.
func notebook(t *testing.T) *fake {
	t.Helper()
	f := &fake{}
	f.ctx, f.stop = context.WithCancel(context.Background())
	nbhook.Set(f)
	t.Cleanup(func() { nbhook.Set(nil); f.stop() })
	return f
}

func (f *fake) Context() context.Context { return f.ctx }

func (f *fake) Clear(bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clears++
	return nil
}

func (f *fake) Display(data, metadata nbhook.Bundle, id string, update bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, message{data, metadata, id, update, time.Now()})
	return f.err
}

func (f *fake) messages() []message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.all)
}

// byID returns the messages of every id, in the order of their first ones.
func (f *fake) byID() [][]message {
	var ids []string
	groups := map[string][]message{}
	for _, m := range f.messages() {
		if groups[m.id] == nil {
			ids = append(ids, m.id)
		}
		groups[m.id] = append(groups[m.id], m)
	}
	var out [][]message
	for _, id := range ids {
		out = append(out, groups[id])
	}
	return out
}

// checkLive fails unless the messages are one output shown first and then
// updated, each after pace at least but for the last.
func checkLive(t *testing.T, what string, ms []message, pace time.Duration) {
	t.Helper()
	for i, m := range ms {
		if m.id == "" || m.id != ms[0].id || m.update != (i > 0) {
			t.Errorf("%s: message %d has id %q, update %v; the first had %q", what, i, m.id, m.update, ms[0].id)
		}
		if m.text() == "" {
			t.Errorf("%s: message %d has no text", what, i)
		}
		// Times are taken at the end of a drawing here and there; a tenth is
		// for what lies between.
		if i > 0 && i < len(ms)-1 && m.at.Sub(ms[i-1].at) < pace*9/10 {
			t.Errorf("%s: message %d follows %v after the one before, want %v", what, i, m.at.Sub(ms[i-1].at), pace)
		}
	}
}

// tiny returns an experiment of a few milliseconds.
func tiny(kind lab.MixerKind) lab.Experiment {
	e := lab.DefaultExperiment(task.SelectiveCopying)
	e.Task.Length, e.Task.Memorize, e.Task.Batch, e.Task.EvalBatches = 8, 2, 4, 2
	e.Model.D, e.Model.Mixer = 8, lab.DefaultMixer(kind)
	e.Steps, e.EvalEvery, e.LogEvery = 12, 4, 1
	return e
}

func openTemp(t *testing.T) *Book {
	t.Helper()
	b, err := Open(filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s lacks %q:\n%s", what, p, text)
		}
	}
}
