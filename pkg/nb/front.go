package nb

import (
	"context"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/gophersnake/gophersnake/internal/nbhook"
	"github.com/gophersnake/gophersnake/pkg/lab"
)

// process is what belongs to the process because the cells of a notebook have
// nothing else in common: where output goes outside a kernel, the stores that
// are open, and the newest result.
type process struct {
	mu       sync.Mutex
	fallback nbhook.Frontend  // GoNB's pipe or standard output, once needed
	began    string           // tells this process's outputs from an earlier one's
	ids      int              // of outputs, given out so far
	books    map[string]*Book // by absolute path
	book     *Book            // the one that Train and Study log to
	last     *lab.Result
	drawn    context.Context // of the cell that shows last's curve, nil if none does
}

var here = process{books: map[string]*Book{}}

// front returns where output goes.
func (p *process) front() nbhook.Frontend {
	if f := nbhook.Get(); f != nil {
		return f
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fallback == nil {
		p.fallback = newFallback()
	}
	return p.fallback
}

// newFallback looks for GoNB, then takes standard output.
func newFallback() nbhook.Frontend {
	stop := signalContext()
	if path := os.Getenv("GONB_PIPE"); path != "" {
		if g, err := newGonb(path, stop); err == nil {
			return g
		}
	}
	t := newTerminal(os.Stdout, term.IsTerminal(int(os.Stdout.Fd())), stop)
	t.size = func() (int, int) {
		w, h, err := term.GetSize(int(os.Stdout.Fd()))
		if err != nil {
			return 0, 0
		}
		return w, h
	}
	return t
}

// newID returns an id that no other output of this notebook has.
func (p *process) newID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.began == "" {
		p.began = strconv.FormatInt(time.Now().UnixNano(), 36)
	}
	p.ids++
	return "nb-" + p.began + "-" + strconv.Itoa(p.ids)
}

// Context is cancelled by the stop button, in GoNB and on a terminal by ^C
// (a second ^C ends the program). Give it to every call that takes long, and ask
// it in loops of your own. It is not cancelled when a cell ends by itself.
func Context() context.Context { return here.front().Context() }

// Clear removes what the running cell has shown; with wait only when something
// new is shown, which avoids flicker.
func Clear(wait bool) { _ = here.front().Clear(wait) } // best effort, as all display

// LastResult returns what the newest call of Train came to, nil if there was
// none: also of a run that was stopped, when the cell could not keep it.
func LastResult() *lab.Result {
	here.mu.Lock()
	defer here.mu.Unlock()
	return here.last
}
