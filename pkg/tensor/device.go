package tensor

import (
	"fmt"
	"strings"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/device/cpu"
	"github.com/gophersnake/gophersnake/internal/device/reference"
	"github.com/gophersnake/gophersnake/internal/kernel/isa"
)

// Device is where tensors live and operations run.
type Device struct {
	impl device.Device
}

// Reference returns the float64 device of plain loops: slow, readable, and the
// truth that every other device is checked against.
func Reference() *Device { return &Device{reference.New()} }

// CPU returns the float32 device on the given number of workers, all cores if
// it is 0 or less. The number changes the speed, never a bit of a result.
func CPU(workers int) *Device { return &Device{cpu.New(workers)} }

// NewDevice returns the device that computes on impl, whose type only this module
// can name: for its measurements, which put a stopwatch around an implementation.
// Everything else takes CPU, Reference or OpenDevice.
func NewDevice(impl device.Device) *Device { return &Device{impl} }

// DeviceNames lists the names that OpenDevice knows.
func DeviceNames() []string { return []string{"reference", "cpu"} }

// OpenDevice returns the device of that name; workers is as in CPU.
func OpenDevice(name string, workers int) (*Device, error) {
	switch name {
	case "reference":
		return Reference(), nil
	case "cpu":
		return CPU(workers), nil
	}
	return nil, fmt.Errorf("tensor: device %q, want one of %s", name, strings.Join(DeviceNames(), ", "))
}

// Name is "reference" or "cpu".
func (d *Device) Name() string { return d.impl.Name() }

// Kernels names the code path that this process uses on the device:
// "avx512", "avx2", "neon" or "go". It is recorded with a run, since bits may
// differ between paths.
func (d *Device) Kernels() string {
	if d.Name() == "cpu" {
		return isa.Name()
	}
	return isa.Go
}

// Eps is the device's unit round-off: 2⁻⁵³ on reference, 2⁻²⁴ on cpu.
func (d *Device) Eps() float64 {
	if d.Name() == "reference" {
		return 1.0 / (1 << 53)
	}
	return 1.0 / (1 << 24)
}

func (d *Device) String() string { return d.Name() + " (" + d.Kernels() + ")" }
