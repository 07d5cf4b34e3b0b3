package tensor

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/device"
)

// Ignore is the target of a position that is not scored.
const Ignore = -100

// CrossEntropy returns the mean of −log softmax(x)[target] over the scored rows
// of logits x (..., V), in nats, as a tensor of one element. A negative target
// is not scored; with none scored the loss is 0. It panics on a target of V or
// more.
func (tp *Tape) CrossEntropy(x *Tensor, targets []int32) *Tensor {
	const op = "CrossEntropy"
	alone := x.unread()
	track := tp.tracks(op, x)
	v := lastAxis(op, "x", x)
	m := x.rows()
	wantCount(op, "targets", len(targets), m)
	for i, t := range targets {
		if int(t) >= v {
			panic(fmt.Sprintf("tensor: CrossEntropy: target %d is %d, want below %d", i, t, v))
		}
	}
	loss, lse := tp.alloc(1), tp.scratch(m)
	tp.d.CrossEntropy(m, v, x.buf, targets, lse, loss.buf)
	if track {
		tp.record([]*Tensor{loss}, []device.Buf{lse}, func() {
			logits := x.buf
			tp.d.CrossEntropyGrad(m, v, logits, targets, lse, loss.grad, tp.gradOver(x, alone))
		})
	}
	return loss
}

// MSE returns the mean of (x − target)², as a tensor of one element.
func (tp *Tape) MSE(x *Tensor, target []float64) *Tensor {
	tp.accept("MSE", x)
	wantCount("MSE", "targets", len(target), x.Len())
	t := tp.like(x)
	tp.d.Upload(t.buf, target)
	return tp.Mean(tp.Map(Square, tp.Sub(x, t)))
}

// Argmax returns the index of the largest element of each row of x (..., V),
// the first of equals.
func (tp *Tape) Argmax(x *Tensor) []int32 {
	tp.accept("Argmax", x)
	v := lastAxis("Argmax", "x", x)
	return tp.d.Argmax(x.rows(), v, x.buf)
}
