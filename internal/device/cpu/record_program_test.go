package cpu

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// Every share of a segment is done once, and before any of the next, on fewer
// processors than workers too, and when some take long.
func TestProgramOrder(t *testing.T) {
	for _, procs := range []int{1, 4} {
		for _, shares := range []int{2, 3, 8} {
			func() {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				const segments, runs = 20, 30
				var done [segments]atomic.Int64
				var wrong atomic.Bool
				run := int64(0)
				steps := make([][][]func(), shares)
				for s := range steps {
					for g := range segments {
						steps[s] = append(steps[s], []func(){func() {
							if (s+g)%17 == 0 {
								time.Sleep(50 * time.Microsecond)
							}
							if g > 0 && done[g-1].Load() != (run+1)*int64(shares) {
								wrong.Store(true)
							}
							done[g].Add(1)
						}})
					}
				}
				p := newProgram(steps, min(shares, 3))
				for ; run < runs; run++ {
					p.Run()
				}
				if wrong.Load() || done[segments-1].Load() != runs*int64(shares) {
					t.Errorf("%d processors, %d shares: a share is missing, too much or too early", procs, shares)
				}
			}()
		}
	}
}

// A step that panics ends the run for every worker, and the program.
func TestProgramPanics(t *testing.T) {
	for bad := range 2 {
		steps := make([][][]func(), 2)
		for s := range steps {
			steps[s] = [][]func(){{func() {}}, {func() {
				if s == bad {
					panic("bad step")
				}
			}}, {func() {}}}
		}
		p := newProgram(steps, 2)
		for _, want := range []string{"bad step", "cpu: Program.Run: an earlier run has panicked"} {
			func() {
				defer func() {
					if got := recover(); got != want {
						t.Errorf("panic %v, want %q", got, want)
					}
				}()
				p.Run()
			}()
		}
	}
}
