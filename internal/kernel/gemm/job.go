package gemm

import (
	"sync"

	"github.com/gophersnake/gophersnake/internal/kernel/vec"
	"github.com/gophersnake/gophersnake/internal/pool"
)

// How a product is shared out. None of these changes a result, except for those
// of slices.
const (
	// minFlops is the least work, in floating-point operations, that is
	// shared between workers: about two microseconds' worth, twenty times
	// the price of pool.Run.
	minFlops = 200_000
	// minPack is the least number of floats of B that are packed by several
	// workers.
	minPack = 1 << 14
	// packCols is the number of columns of B in a task of packing.
	packCols = 8 * tileCols
	// minRows is the least number of rows in a task, so that a panel of B
	// is used for a while once it has been fetched.
	minRows = 4 * tileRows
	// tasksPerWorker evens out workers of different speed.
	tasksPerWorker = 4
	// packBudget is the number of floats of B packed at a time: 4 MB. Where
	// C itself, of at most smallC elements, stays in a second-level cache,
	// B should do so too: it is smallBudget then, 256 KB.
	packBudget  = 1 << 20
	smallBudget = 1 << 16
	smallC      = 1 << 18
	// colBlock is the number of columns of B packed at a time.
	colBlock = 2048

	// sliceLength is the least number of terms in a slice of k, and
	// maxSlices the greatest number of slices.
	sliceLength = 2 * kBlock
	maxSlices   = 16
	// sliceArea is the greatest m·n for which k is sliced: 512 KB of partial
	// sums for each slice, so that they and what is multiplied stay in a
	// second-level cache. All slices' sums have at most sumFloats floats, 1 MB,
	// if that leaves minSlices.
	sliceArea = 1 << 17
	sumFloats = 1 << 18
	minSlices = 4
)

// A job is one product while it is computed. Jobs are used again and again,
// together with the memory and the function values they hold.
type job struct {
	operands
	workers int

	kc     int     // terms in a block
	slices int     // slices of k, 1 if it is not sliced
	packed scratch // panels of B of the current columns and terms
	sums   scratch // sums of the slices 1 … slices-1, each (m, n)
	padded scratch // the bias, filled up to whole panels

	j0, j1, k0, k1     int // the current columns and terms
	rowsEach, colsEach int // rows and columns of C in a task
	colTasks           int

	parts    int        // parts of the rows that a slice is shared out by
	partRows int        // rows of a part
	next     []upcoming // by task: what follows its current block

	packTask, blockTask, sliceTask, sumTask func(i int)
}

var jobs = sync.Pool{New: func() any {
	j := new(job)
	j.packTask, j.blockTask = j.packGroup, j.multiplyBlock
	j.sliceTask, j.sumTask = j.multiplySlice, j.sumRow
	return j
}}

// takeJob prepares a job for the operands.
func takeJob(workers int, o *operands) *job {
	j := jobs.Get().(*job)
	j.operands, j.workers = *o, workers
	if 2*float64(o.m)*float64(o.n)*float64(o.k) < minFlops {
		j.workers = 1
	}
	if o.bias != nil {
		j.padded.resize(packedCols(o.n))
		clear(j.padded.floats[copy(j.padded.floats, o.bias[:o.n]):])
		j.bias = j.padded.floats
	}
	j.slices = slices(o.m, o.n, o.k)
	j.kc = blockLength(o.k)
	return j
}

func (j *job) release() {
	j.operands = operands{} // do not hold on to the caller's memory
	clear(j.next)
	jobs.Put(j)
}

// slices is the number of slices that k is cut into before anything else: 1,
// unless C is too small for its rows to be shared out and k is large. It
// depends on the shape alone, since the sums' order follows from it.
func slices(m, n, k int) int {
	if m*n > sliceArea || k < 2*max(m, n, sliceLength) {
		return 1
	}
	return min(k/sliceLength, maxSlices, max(minSlices, sumFloats/(m*n)))
}

// runBlocked computes the product without slicing k. As much of B is packed
// at a time as packBudget allows.
func (j *job) runBlocked() {
	budget := packBudget
	if j.m*j.n <= smallC {
		budget = smallBudget
	}
	for j.j0 = 0; j.j0 < j.n; j.j0 = j.j1 {
		j.j1 = min(j.j0+colBlock, j.n)
		blocks := max(1, budget/(j.kc*packedCols(j.j1-j.j0)))
		for j.k0 = 0; j.k0 < j.k; j.k0 = j.k1 {
			j.k1 = min(j.k0+blocks*j.kc, j.k)
			j.pack()
			j.share()
		}
	}
}

// pack packs the current columns and terms of B.
func (j *job) pack() {
	floats := packedCols(j.j1-j.j0) * (j.k1 - j.k0)
	j.packed.resize(floats)
	workers := j.workers
	if floats < minPack {
		workers = 1
	}
	groups := (j.j1 - j.j0 + packCols - 1) / packCols
	blocks := (j.k1 - j.k0 + j.kc - 1) / j.kc
	pool.Run(workers, groups*blocks, j.packTask)
}

// packGroup packs packCols columns of a block of k: group i, counted through
// all groups of all blocks.
func (j *job) packGroup(i int) {
	groups := (j.j1 - j.j0 + packCols - 1) / packCols
	j0, k0 := j.j0+i%groups*packCols, j.k0+i/groups*j.kc
	j1, k1 := min(j0+packCols, j.j1), min(k0+j.kc, j.k1)
	j.packB(j0, j1, k0, k1, j.packed.floats[(k0-j.k0)*packedCols(j.j1-j.j0)+(j0-j.j0)*(k1-k0):])
}

// share computes the current columns and terms, shared out by rows and, if
// there are few rows, by columns.
func (j *job) share() {
	cols := j.j1 - j.j0
	j.rowsEach, j.colsEach, j.colTasks = rowBlock, cols, 1
	if j.workers > 1 {
		want := tasksPerWorker * j.workers
		if j.m < want*rowBlock {
			j.rowsEach = max(minRows, roundUp((j.m+want-1)/want, 2*tileRows))
		}
		if rowTasks := (j.m + j.rowsEach - 1) / j.rowsEach; rowTasks < want/2 {
			colTasks := (want/2 + rowTasks - 1) / rowTasks
			j.colsEach = roundUp((cols+colTasks-1)/colTasks, 2*tileCols)
			j.colTasks = (cols + j.colsEach - 1) / j.colsEach
		}
	}
	rowTasks := (j.m + j.rowsEach - 1) / j.rowsEach
	pool.Run(j.workers, rowTasks*j.colTasks, j.blockTask)
}

func roundUp(x, multiple int) int { return (x + multiple - 1) / multiple * multiple }

// multiplyBlock computes the rows and columns of task i.
func (j *job) multiplyBlock(i int) {
	x := block{i0: i / j.colTasks * j.rowsEach, j0: j.j0 + i%j.colTasks*j.colsEach, ldc: j.ldc}
	x.i1, x.j1 = min(x.i0+j.rowsEach, j.m), min(x.j0+j.colsEach, j.j1)
	x.c = j.c[x.i0*j.ldc+x.j0:]
	for x.k0 = j.k0; x.k0 < j.k1; x.k0 = x.k1 {
		x.k1 = min(x.k0+j.kc, j.k1)
		x.b = j.packed.floats[(x.k0-j.k0)*packedCols(j.j1-j.j0)+(x.j0-j.j0)*(x.k1-x.k0):]
		x.bias, x.add = j.opening(x.k0)
		j.multiply(x)
	}
}

// opening returns the bias and whether to add to C for the terms from k0 on:
// bias and beta belong to the first terms.
func (o *operands) opening(k0 int) (bias []float32, add bool) {
	if k0 > 0 {
		return nil, true
	}
	return o.bias, o.add
}

// runSliced computes the product with k sliced: slice 0 into C, the others
// into sums of their own, which are then added to C in order.
func (j *job) runSliced() {
	j.sums.resize((j.slices - 1) * j.m * j.n)
	j.parts = min((j.workers+j.slices-1)/j.slices, max(1, j.m/rowBlock))
	j.partRows = roundUp((j.m+j.parts-1)/j.parts, wideRows)
	j.parts = (j.m + j.partRows - 1) / j.partRows
	tasks := j.slices * j.parts
	if cap(j.next) < tasks {
		j.next = make([]upcoming, tasks)
	}
	j.next = j.next[:tasks]
	pool.Run(j.workers, tasks, j.sliceTask)
	workers := j.workers
	if j.slices*j.m*j.n < minPack {
		workers = 1
	}
	pool.Run(workers, j.m, j.sumTask)
}

// sliceBounds returns the terms of slice i, whole blocks of k.
func (j *job) sliceBounds(i int) (k0, k1 int) {
	blocks := (j.k + j.kc - 1) / j.kc
	return blocks * i / j.slices * j.kc, min(blocks*(i+1)/j.slices*j.kc, j.k)
}

// multiplySlice computes a part of the rows of a slice.
func (j *job) multiplySlice(task int) {
	i, first := task/j.parts, task%j.parts*j.partRows
	end := min(first+j.partRows, j.m)
	x := block{j1: j.n, c: j.c, ldc: j.ldc, next: &j.next[task]}
	k0, k1 := j.sliceBounds(i)
	if i > 0 {
		x.c, x.ldc = j.sums.floats[(i-1)*j.m*j.n:], j.n
	}
	direct := j.direct()
	if !direct {
		panels := takeScratch(packedCols(j.n) * j.kc)
		defer panels.release()
		x.b = panels.floats
	}
	for x.k0 = k0; x.k0 < k1; x.k0 = x.k1 {
		x.k1 = min(x.k0+j.kc, k1)
		if !direct {
			j.packB(0, j.n, x.k0, x.k1, x.b)
		}
		j.next[task] = j.upcoming(i, x.k1, k1)
		for x.i0 = first; x.i0 < end; x.i0 = x.i1 {
			x.i1 = min(x.i0+rowBlock, end)
			y := x
			y.c = x.c[x.i0*x.ldc:]
			y.bias, y.add = j.opening(x.k0)
			if i > 0 {
				y.add = x.k0 > k0
			}
			if direct {
				j.multiplyDirect(y, x.i0 == first)
			} else {
				j.multiply(y)
			}
		}
	}
}

// upcoming is where A and B hold the block of terms that follows k in slice i,
// which ends at k1, or else begins the slice that its worker is likely to
// compute next.
func (j *job) upcoming(i, k, k1 int) (u upcoming) {
	if k == k1 && i+j.workers < j.slices {
		k, k1 = j.sliceBounds(i + j.workers)
	}
	if k1 = min(k+j.kc, k1); k < k1 && j.transA && !j.transB {
		u.first = j.b[k*j.ldb : (k1-1)*j.ldb+j.n]
		u.second = j.a[k*j.lda : (k1-1)*j.lda+j.m]
	}
	return u
}

// sumRow adds the slices' sums of row i to C.
func (j *job) sumRow(i int) {
	c := j.c[i*j.ldc : i*j.ldc+j.n]
	for s := range j.slices - 1 {
		at := (s*j.m + i) * j.n
		vec.AddTo(c, j.sums.floats[at:at+j.n])
	}
}
