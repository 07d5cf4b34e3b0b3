package cpu

import (
	"fmt"
	"strings"

	"github.com/gophersnake/gophersnake/internal/device"
)

// Record implements device.Recorder.
func (d *Device) Record(w device.Weights) device.Recording {
	return &recording{Device: d, weights: w, streams: 1}
}

var _ device.Recorder = (*Device)(nil)

// recording notes the operations of a forward pass. What it does not override
// belongs to gradients, losses and optimisers, or computes nothing.
type recording struct {
	*Device
	weights device.Weights
	streams int // rows of tokens
	ops     []op
	refused []string
}

// op is one noted operation.
type op struct {
	reads, writes []touch
	tokens        bool // it also reads tokens, which change
	// units is how many equal parts it has, which shares divide up; 0 is one
	// that the first share does.
	units int
	// align is what the units of a share begin at, 0 for unitAlign.
	align int
	// copies says that every share may have results of its own: nothing that
	// is read is written, and what is written is written whole.
	copies bool
	// follows says so too where every share has copies of all that is read.
	follows bool
	work    int // about how many elements it touches
	// step returns what repeats its units lo … hi−1.
	step func(c *compiler, lo, hi int) func()
}

// touch is what an operation reads or writes of a buffer. With rows the buffer is
// (rows, units, …), and a unit of the operation touches that of every row;
// without, any unit may touch all of it.
type touch struct {
	buf  device.Buf
	rows int
}

// whole are buffers of which any unit touches everything.
func whole(bufs ...device.Buf) []touch { return by(0, bufs...) }

// by are buffers of (rows, units, …).
func by(rows int, bufs ...device.Buf) []touch {
	out := make([]touch, len(bufs))
	for i, b := range bufs {
		out[i] = touch{b, rows}
	}
	return out
}

func join(lists ...[]touch) []touch {
	var out []touch
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// note notes an operation that has been computed.
func (r *recording) note(o op) {
	for _, t := range o.writes {
		o.work += t.buf.Len()
	}
	r.ops = append(r.ops, o)
}

// plain notes an operation that one worker repeats as it is.
func (r *recording) plain(reads, writes []device.Buf, step func()) {
	r.note(op{reads: whole(reads...), writes: whole(writes...), step: func(*compiler, int, int) func() { return step }})
}

// columns notes an operation on n elements, each by itself: the units are the
// elements of a stream. f gets the same range of all that is written, then read.
func (r *recording) columns(n int, writes, reads []device.Buf, f func(bufs [][]float32)) {
	rows := r.streams
	if n%rows != 0 {
		rows = 1
	}
	units := n / rows
	o := op{reads: by(rows, reads...), writes: by(rows, writes...), units: units, follows: true}
	o.step = func(c *compiler, lo, hi int) func() {
		var parts [][][]float32
		for i := range rows {
			var part [][]float32
			for _, b := range writes {
				part = append(part, c.out(b).F32[i*units:][lo:hi])
			}
			for _, b := range reads {
				part = append(part, c.in(b).F32[i*units:][lo:hi])
			}
			parts = append(parts, part)
		}
		return func() {
			for _, part := range parts {
				f(part)
			}
		}
	}
	r.note(o)
}

// refuse notes that an operation cannot be repeated.
func (r *recording) refuse(format string, args ...any) {
	r.refused = append(r.refused, fmt.Sprintf(format, args...))
}

// Program implements device.Recording.
func (r *recording) Program() (device.Program, error) {
	if len(r.refused) > 0 {
		return nil, fmt.Errorf("these operations cannot be repeated step by step: %s", strings.Join(r.refused, ", "))
	}
	return newCompiler(r).compile(), nil
}
