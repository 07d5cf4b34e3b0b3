package cpu_test

import (
	"reflect"
	"runtime"
	"testing"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/device/cpu"
	"github.com/gophersnake/gophersnake/internal/device/reference"
)

// TestConformance compares every operation with the float64 device.
func TestConformance(t *testing.T) {
	truth, dev := reference.New(), cpu.New(2)
	for _, c := range cases() {
		t.Run(c.String(), func(t *testing.T) { c.check(t, c.collect(dev), c.collect(truth)) })
	}
}

// TestEveryOperationHasACase walks the interface.
func TestEveryOperationHasACase(t *testing.T) {
	covered := map[string]int{"Name": 1} // checked by TestName
	for _, c := range cases() {
		covered[c.op]++
	}
	methods := reflect.TypeFor[device.Device]()
	for i := range methods.NumMethod() {
		name := methods.Method(i).Name
		if covered[name] == 0 {
			t.Errorf("device.Device.%s has no case", name)
		}
		delete(covered, name)
	}
	for name := range covered {
		t.Errorf("cases for %q, which is no method of device.Device", name)
	}
}

func TestName(t *testing.T) {
	if got := cpu.New(0).Name(); got != "cpu" {
		t.Errorf("Name() = %q, want cpu", got)
	}
}

// TestWorkersDoNotChangeBits runs every case with several numbers of workers.
func TestWorkersDoNotChangeBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8)) // the pool never starts more
	one := cpu.New(1)
	for _, c := range cases() {
		want := c.collect(one)
		for _, workers := range []int{2, 3, 8} {
			if err := sameBits(c.collect(cpu.New(workers)), want); err != nil {
				t.Errorf("%v: %d workers against 1: %v", c, workers, err)
			}
		}
	}
}
