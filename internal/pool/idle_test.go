//go:build unix

package pool_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/internal/pool"
)

// An idle pool uses no processor: after the spinning is over, 100 ms of
// sleep must cost less than 20 ms of processor time (spinning helpers would
// cost 100 ms each; 20 leaves room for the garbage collector and the runtime).
func TestIdleHelpersPark(t *testing.T) {
	withProcs(t, 2)
	pool.Run(2, 64, func(int) { time.Sleep(10 * time.Microsecond) })
	time.Sleep(5 * time.Millisecond)
	before := processorTime(t)
	time.Sleep(100 * time.Millisecond)
	if used := processorTime(t) - before; used > 20*time.Millisecond {
		t.Errorf("an idle pool used %v of processor time in 100ms", used)
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
