package nb

import (
	"context"
	"encoding/gob"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/gophersnake/gophersnake/internal/nbhook"
)

// gonb shows things in GoNB (github.com/janpfeifer/gonb, tried with the protocol
// of v0.11): a gob stream of displayData on the named pipe $GONB_PIPE. Of two
// writers gob would mix up the types, so a program cannot use GoNB's own gonbui
// beside this.
type gonb struct {
	ctx func() context.Context
	mu  sync.Mutex
	enc *gob.Encoder
}

// displayData and mimeType have the names and fields of GoNB's
// gonbui/protocol.DisplayData, by which gob matches them. GoNB shows an output
// with a new DisplayID and replaces the one with a known DisplayID.
type displayData struct {
	Data      map[mimeType]any
	Metadata  map[string]any
	DisplayID string
}

type mimeType string

// gonbGrace is how long a last state is waited for: GoNB closes its end of the
// pipe as soon as the program ends, and what it has not read is lost. Reading is
// a matter of microseconds; twenty milliseconds are not noticed.
const gonbGrace = 20 * time.Millisecond

func newGonb(path string, ctx func() context.Context) (*gonb, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("nb: GoNB's pipe: %w", err)
	}
	return &gonb{ctx: ctx, enc: gob.NewEncoder(f)}, nil
}

// Context implements nbhook.Frontend.
func (g *gonb) Context() context.Context { return g.ctx() }

// Clear does nothing: GoNB has no message for it.
func (g *gonb) Clear(bool) error { return nil }

// Display implements nbhook.Frontend. The metadata are left out: gob would need
// their types registered on both sides.
func (g *gonb) Display(data, _ nbhook.Bundle, id string, _ bool) error {
	d := displayData{Data: map[mimeType]any{}, DisplayID: id}
	for kind, content := range data {
		switch content.(type) {
		case string, []byte:
			d.Data[mimeType(kind)] = content
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.enc.Encode(d); err != nil {
		return fmt.Errorf("nb: GoNB's pipe: %w", err)
	}
	if id == "" {
		time.Sleep(gonbGrace)
	}
	return nil
}

// end waits until GoNB has read the last state.
func (g *gonb) end(string) error {
	time.Sleep(gonbGrace)
	return nil
}
