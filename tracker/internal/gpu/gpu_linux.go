//go:build linux && (amd64 || arm64)

package gpu

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ebitengine/purego"
)

// library is the driver's management library, the functions by their names
// there (NVML API Reference). All but errorString return 0 for success.
type library struct {
	init, shutdown func() int32
	errorString    func(code int32) string
	driverVersion  func(text *byte, size uint32) int32
	count          func(n *uint32) int32
	handle         func(index uint32, device *uintptr) int32
	name           func(device uintptr, text *byte, size uint32) int32
	memory         func(device uintptr, m *memory) int32
	utilization    func(device uintptr, u *utilization) int32
	power          func(device uintptr, milliwatts *uint32) int32
	temperature    func(device uintptr, sensor int32, celsius *uint32) int32
}

// The library's structs.
type (
	memory      struct{ total, _, used uint64 } // bytes; the second is what is free
	utilization struct{ gpu, memory uint32 }    // percent
)

// load finds the library, which comes with the driver, at run time: the
// program needs neither the driver nor its headers to be built.
func load() (*library, error) {
	so, err := purego.Dlopen("libnvidia-ml.so.1", purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, errors.New("no NVIDIA driver library (libnvidia-ml.so.1)")
	}
	l := &library{}
	for _, f := range []struct {
		name string
		fn   any
	}{
		{"nvmlInit_v2", &l.init}, {"nvmlShutdown", &l.shutdown}, {"nvmlErrorString", &l.errorString},
		{"nvmlSystemGetDriverVersion", &l.driverVersion}, {"nvmlDeviceGetCount_v2", &l.count},
		{"nvmlDeviceGetHandleByIndex_v2", &l.handle}, {"nvmlDeviceGetName", &l.name}, {"nvmlDeviceGetMemoryInfo", &l.memory},
		{"nvmlDeviceGetUtilizationRates", &l.utilization}, {"nvmlDeviceGetPowerUsage", &l.power},
		{"nvmlDeviceGetTemperature", &l.temperature},
	} {
		address, err := purego.Dlsym(so, f.name)
		if err != nil {
			return nil, fmt.Errorf("the NVIDIA driver library lacks %s", f.name)
		}
		purego.RegisterFunc(f.fn, address)
	}
	return l, nil
}

// Cards is a connection to the driver. It is for one goroutine at a time.
type Cards struct {
	lib     *library
	devices []uintptr
	driver  string
	list    []Card
}

// Open connects to the driver. An error means that there is no card to ask.
func Open() (*Cards, error) {
	lib, err := load()
	if err != nil {
		return nil, err
	}
	if code := lib.init(); code != 0 {
		return nil, fmt.Errorf("the NVIDIA driver does not answer: %s", lib.errorString(code))
	}
	c := &Cards{lib: lib}
	var n uint32
	if lib.count(&n) != 0 || n == 0 {
		c.Close()
		return nil, errors.New("the NVIDIA driver knows of no card")
	}
	c.driver = text(func(b *byte, size uint32) int32 { return lib.driverVersion(b, size) })
	for i := range n {
		var d uintptr
		if lib.handle(i, &d) != 0 {
			continue // not ours to see
		}
		card := Card{Model: text(func(b *byte, size uint32) int32 { return lib.name(d, b, size) })}
		var m memory
		if lib.memory(d, &m) == 0 {
			card.MemoryBytes = m.total
		}
		c.devices, c.list = append(c.devices, d), append(c.list, card)
	}
	return c, nil
}

// text reads a C string through a function that fills a buffer.
func text(fill func(*byte, uint32) int32) string {
	buffer := make([]byte, 96)
	if fill(&buffer[0], uint32(len(buffer))) != 0 {
		return ""
	}
	s, _, _ := strings.Cut(string(buffer), "\x00")
	return s
}

// Driver returns the driver's version.
func (c *Cards) Driver() string { return c.driver }

// List returns the cards.
func (c *Cards) List() []Card { return c.list }

// Read returns the state of every card, in the order of List.
func (c *Cards) Read() []Reading {
	readings := make([]Reading, len(c.devices))
	for i, d := range c.devices {
		r := Reading{-1, -1, -1, -1, -1}
		var u utilization
		if c.lib.utilization(d, &u) == 0 {
			r.BusyPercent, r.MemoryBusy = float64(u.gpu), float64(u.memory)
		}
		var m memory
		if c.lib.memory(d, &m) == 0 {
			r.MemoryBytes = float64(m.used)
		}
		var v uint32
		if c.lib.power(d, &v) == 0 {
			r.PowerWatts = float64(v) / 1000
		}
		if c.lib.temperature(d, 0, &v) == 0 { // sensor 0: the chip
			r.Temperature = float64(v)
		}
		readings[i] = r
	}
	return readings
}

// Close ends the connection.
func (c *Cards) Close() { c.lib.shutdown() }
