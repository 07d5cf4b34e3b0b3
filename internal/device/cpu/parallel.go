package cpu

import (
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
	"github.com/gophersnake/gophersnake/internal/pool"
)

const (
	// grain is how many elements a task touches: 64 KiB, which lasts several
	// times longer than handing a task to a worker (about 1 µs), and stays in
	// the second-level cache together with two or three more arrays.
	grain = 1 << 14
	// minReduceRows keeps the partials of a sum over rows (one row each) small
	// beside the rows that they sum.
	minReduceRows = 16
)

// tasks runs f(0) … f(n−1), by one worker when the work, in elements, is not
// worth a second.
func (d *Device) tasks(n, work int, f func(task int)) {
	if n <= 1 || d.workers <= 1 || work <= grain {
		for i := range n {
			f(i)
		}
		return
	}
	pool.Run(d.workers, n, f)
}

// rows cuts m rows, each of the given cost in elements, into blocks of about
// one grain and runs f on each. The cut depends on m and cost alone.
func (d *Device) rows(m, cost int, f func(lo, hi int)) {
	block := max(1, grain/max(1, cost))
	if m <= block {
		f(0, m)
		return
	}
	d.tasks((m+block-1)/block, m*cost, func(t int) {
		f(t*block, min((t+1)*block, m))
	})
}

// flat is rows for n single elements; every block but the last is a multiple
// of every vector width.
func (d *Device) flat(n int, f func(lo, hi int)) { d.rows(n, 1, f) }

// reduce cuts m rows, each of the given cost in elements, into blocks; f adds
// the share of rows lo to hi to part, width zeros at first. Then done gets the
// sum of all parts, added in the order of the blocks.
func (d *Device) reduce(m, cost, width int, f func(lo, hi int, part []float32), done func(sum []float32)) {
	block := max(minReduceRows, grain/max(1, cost))
	n := max(1, (m+block-1)/block)
	parts := d.free.getZero(n * width)
	defer d.free.put(parts)
	d.tasks(n, m*cost, func(t int) {
		f(t*block, min((t+1)*block, m), parts[t*width:(t+1)*width])
	})
	d.addParts(parts, n, width)
	done(parts[:width])
}

// addParts adds parts 1 to n−1 to part 0, in that order.
func (d *Device) addParts(parts []float32, n, width int) {
	sum := parts[:width]
	for t := 1; t < n; t++ {
		vec.AddTo(sum, parts[t*width:(t+1)*width])
	}
}
