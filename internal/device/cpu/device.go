package cpu

import (
	"runtime"

	"github.com/gophersnake/gophersnake/internal/device"
)

// Device computes in float32 on up to workers cores. Its methods may be called
// by several goroutines at once, on buffers that they do not share.
type Device struct {
	workers int
	free    freeList
	packs   packList
	turns   angleCache
}

var _ device.Device = (*Device)(nil)

// New returns a device that uses the given number of cores, all that Go may
// use (GOMAXPROCS) if workers <= 0. The number changes no bit of any result.
func New(workers int) *Device {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return &Device{workers: workers}
}

// Name returns "cpu".
func (*Device) Name() string { return "cpu" }
