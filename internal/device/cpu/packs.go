package cpu

import (
	"sync"

	"github.com/gophersnake/gophersnake/internal/kernel/gemm"
)

// packList hands out packed matrices, whose memory is used again.
type packList struct {
	mu   sync.Mutex
	free []*gemm.Packed
}

func (l *packList) get() *gemm.Packed {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.free)
	if n == 0 {
		return new(gemm.Packed)
	}
	p := l.free[n-1]
	l.free = l.free[:n-1]
	return p
}

func (l *packList) put(p ...*gemm.Packed) {
	l.mu.Lock()
	l.free = append(l.free, p...)
	l.mu.Unlock()
}
