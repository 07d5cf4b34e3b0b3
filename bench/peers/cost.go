package main

import "github.com/gophersnake/gophersnake/internal/device"

// cost is what is counted of an operation: floating-point operations, and
// float32 read and written once.
type cost struct {
	class         string
	flops         float64
	read, written float64
}

// reads is a pass that reads the buffers.
func reads(from ...device.Buf) cost { return cost{class: classPasses, read: total(from)} }

// elements is a pass over so many elements.
func elements(read, written int) cost {
	return cost{class: classPasses, read: float64(read), written: float64(written)}
}

// writes adds buffers that are written.
func (c cost) writes(to ...device.Buf) cost {
	c.written += total(to)
	return c
}

// products makes c a product of so many operations.
func (c cost) products(flops float64) cost {
	c.class, c.flops = classProducts, flops
	return c
}

// scan makes c a scan of so many operations.
func (c cost) scan(flops float64) cost {
	c.class, c.flops = classScans, flops
	return c
}

func total(bufs []device.Buf) float64 {
	n := 0
	for _, b := range bufs {
		n += b.Len()
	}
	return float64(n)
}

// Multiplications and fused multiply-adds of a state element of a selective scan,
// each as dear as a multiply-add, 2 operations: exp has 5, the recurrence 2, y
// one; the gradient computes those of exp and the recurrence again and has 9 of
// its own, for dB, dC, dA, the adjoint and its sums. An exp is 5 elsewhere, too.
const (
	expProducts      = 5
	forwardProducts  = expProducts + 3
	backwardProducts = expProducts + 2 + 9
)

// selectiveFLOPs counts the products of every state element.
func selectiveFLOPs(s *device.SelectiveScan, products float64) float64 {
	return 2 * products * float64(s.B*s.L) * float64(s.D*s.N)
}

// linearFLOPs counts one multiply-add of every element, four if it is complex,
// times the number of products.
func linearFLOPs(s *device.LinearScan, products float64) float64 {
	if !s.AIm.IsNil() {
		products *= 4
	}
	return 2 * products * float64(s.B*s.L*s.D)
}

// gateFLOPs counts products of (B·L, H) by (H, H).
func gateFLOPs(b, l, h int, products float64) float64 {
	return 2 * products * float64(b*l) * float64(h*h)
}

// lstmCost counts the four gates, and their input if that is computed, too.
func lstmCost(s *device.LSTM) cost {
	c := reads(s.X).writes(s.Out, s.C).products(gateFLOPs(s.B, s.L, s.H, 4))
	if s.In != nil {
		c.flops += 2 * float64(s.B*s.L) * float64(4*s.H*s.In.D)
		c.read += float64(s.In.U.Len())
	}
	return c
}

// attentionCost counts the products of every query and the keys that it sees, of
// Dh multiply-adds each, and an exp for each.
func attentionCost(a *device.Attention, products float64) cost {
	pairs := float64(a.B*a.H) * (float64(a.Lq)*float64(a.Lk) - float64(a.Lq)*float64(a.Lq-1)/2)
	return cost{}.products(2 * pairs * (products*float64(a.Dh) + expProducts))
}

// with adds what is moved to what is computed.
func (c cost) with(moved cost) cost {
	c.read, c.written = moved.read, moved.written
	return c
}
