package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// quiet waits until other programs leave the machine alone, as long as there is
// patience left. Ours and the peer's processes do nothing between turns. A
// program beside it slows PyTorch on two threads by far more than its share,
// since its threads wait for each other without giving up their cores.
func (b *bench) quiet(ctx context.Context) {
	const look = 100 * time.Millisecond
	for b.patience > 0 && ctx.Err() == nil {
		busy, all := processorTime()
		time.Sleep(look)
		busy2, all2 := processorTime()
		if all2 == all || float64(busy2-busy) < busyLimit*float64(all2-all) {
			return
		}
		b.patience -= look
	}
}

// busyLimit is the share of the machine's time in use above which it is not
// quiet.
const busyLimit = 0.15

// patience is how long a row may wait for quiet.
const patience = 5 * time.Second

// processorTime returns the ticks that all cores have spent on programs, and at
// all; zeros where the system does not tell.
func processorTime() (busy, all int64) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(data), "\n")
	for i, word := range strings.Fields(line) {
		var ticks int64
		if _, err := fmt.Sscan(word, &ticks); err != nil || i > 8 { // then the guests', which are counted already
			continue
		}
		all += ticks
		if i != 4 && i != 5 { // idle, waiting for input and output
			busy += ticks
		}
	}
	return busy, all
}
