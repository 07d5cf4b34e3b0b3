// Package nbhook is where a notebook kernel and the library that draws in
// notebooks meet: the kernel sets its front end, pkg/nb asks for it. It knows
// neither of them and nothing of Jupyter's wire.
package nbhook

import (
	"context"
	"sync/atomic"
)

// Bundle is one thing to show in several forms: MIME type to content, as
// Jupyter's display_data has it. Text forms are strings, images are []byte
// (sent as base64), application/json is any value that encodes. Every bundle
// should have a text/plain form.
type Bundle = map[string]any

// Output is one thing to show and what a front end is told about showing it,
// such as the size of an image, by MIME type.
type Output struct{ Data, Metadata Bundle }

// Frontend is the running cell as compiled code sees it. All methods may be
// called from any goroutine, also after the cell has ended: what is shown then
// appears below the cell that runs at that time.
type Frontend interface {
	// Context is cancelled when the user interrupts the running cell, never
	// because a cell ended by itself.
	Context() context.Context
	// Display shows data. With an id it can be shown anew later: update true
	// replaces every output with that id, in place.
	Display(data, metadata Bundle, id string, update bool) error
	// Clear removes the output of the running cell; with wait only when
	// something new is shown, which avoids flicker.
	Clear(wait bool) error
}

// front is state of the process because it stands for the process' one
// front end, as os.Stdout does: a kernel sets it once, before the first cell.
var front atomic.Pointer[Frontend]

// Set makes f the front end of this process; nil takes it away.
func Set(f Frontend) {
	if f == nil {
		front.Store(nil)
		return
	}
	front.Store(&f)
}

// Get returns the front end, nil outside a notebook kernel.
func Get() Frontend {
	if f := front.Load(); f != nil {
		return *f
	}
	return nil
}
