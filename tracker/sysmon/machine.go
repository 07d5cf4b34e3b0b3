package sysmon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/process"

	"github.com/gophersnake/gophersnake/tracker/internal/gpu"
)

// Machine is the Source that reads this machine and this process. What the system does not tell is left out.
type Machine struct {
	disk    string // a folder on the disk of interest
	process *process.Process
	cards   *gpu.Cards // nil if there is none

	begun             bool // the values below are of an earlier sample
	at                time.Time
	busy, total, used float64 // seconds of CPU: all cores busy and in all, this process
}

// NewMachine opens the source. database is a file or folder on the disk whose free space is of interest.
func NewMachine(database string) *Machine {
	m := &Machine{disk: filepath.Dir(database)}
	m.process, _ = process.NewProcess(int32(os.Getpid()))
	if cards, err := gpu.Open(); err == nil { // the environment says why there is none
		m.cards = cards
	}
	m.rates(map[string]float64{}, time.Now())
	return m
}

// Sample reads everything once. CPU percentages are of the time since the sample before, or since NewMachine.
func (m *Machine) Sample() (map[string]float64, error) {
	v := map[string]float64{}
	m.rates(v, time.Now())
	m.memory(v)
	m.gpus(v)
	if len(v) == 0 {
		return nil, errors.New("sysmon: this system tells nothing")
	}
	return v, nil
}

// Close ends the connection to the graphics cards.
func (m *Machine) Close() error {
	if m.cards != nil {
		m.cards.Close()
		m.cards = nil
	}
	return nil
}

func (m *Machine) rates(v map[string]float64, now time.Time) {
	before := *m
	m.begun, m.at = true, now
	if all, err := cpu.Times(false); err == nil && len(all) == 1 {
		t := all[0]
		idle := t.Idle + t.Iowait
		m.busy = t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal
		m.total = m.busy + idle
		if spent := m.total - before.total; before.begun && spent > 0 {
			v["cpu_percent"] = 100 * max(0, min(1, (m.busy-before.busy)/spent))
		}
	}
	if m.process == nil {
		return
	}
	if t, err := m.process.Times(); err == nil {
		m.used = t.User + t.System
		if wall := now.Sub(before.at).Seconds(); before.begun && wall > 0 {
			v["process_cpu_percent"] = 100 * max(0, m.used-before.used) / wall
		}
	}
}

func (m *Machine) memory(v map[string]float64) {
	var heap runtime.MemStats
	runtime.ReadMemStats(&heap)
	v["go_heap_bytes"], v["go_goroutines"] = float64(heap.HeapAlloc), float64(runtime.NumGoroutine())
	if m.process != nil {
		if info, err := m.process.MemoryInfo(); err == nil && info != nil {
			v["process_memory_bytes"] = float64(info.RSS)
		}
		if n, err := m.process.NumThreads(); err == nil {
			v["process_threads"] = float64(n)
		}
	}
	if all, err := mem.VirtualMemory(); err == nil {
		v["memory_used_bytes"], v["memory_percent"] = float64(all.Used), all.UsedPercent
	}
	if usage, err := disk.Usage(m.disk); err == nil {
		v["disk_free_bytes"] = float64(usage.Free)
	}
}

func (m *Machine) gpus(v map[string]float64) {
	if m.cards == nil {
		return
	}
	for i, r := range m.cards.Read() {
		for name, value := range map[string]float64{"percent": r.BusyPercent, "memory_bytes": r.MemoryBytes,
			"memory_busy_percent": r.MemoryBusy, "power_watts": r.PowerWatts, "temperature_celsius": r.Temperature} {
			if value >= 0 {
				v[fmt.Sprintf("gpu%d_%s", i, name)] = value
			}
		}
	}
}
