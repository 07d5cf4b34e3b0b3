package tracker

import (
	"context"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
	"golang.org/x/sys/cpu"

	"github.com/gophersnake/gophersnake/tracker/internal/gpu"
)

// gpuTimeLimit bounds the wait for a graphics driver: it may have to wake the cards up.
const gpuTimeLimit = 5 * time.Second

// captureMachine describes the machine. What the system does not tell stays empty.
func (e *Environment) captureMachine(ctx context.Context) {
	if platform, _, version, err := host.PlatformInformationWithContext(ctx); err == nil {
		e.OSVersion = strings.TrimSpace(platform + " " + version)
	}
	e.Kernel, _ = host.KernelVersionWithContext(ctx)
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		e.MemoryBytes = m.Total
	}
	e.CPUFeatures = cpuFeatures()
	answer := make(chan Environment, 1)
	go func() { answer <- askGPUs() }()
	select {
	case a := <-answer:
		e.GPUs, e.GPUDriver, e.GPUProblem = a.GPUs, a.GPUDriver, a.GPUProblem
	case <-ctx.Done():
	case <-time.After(gpuTimeLimit):
		e.GPUProblem = "the driver took too long"
	}
}

func askGPUs() (e Environment) {
	cards, err := gpu.Open()
	if err != nil {
		e.GPUProblem = err.Error()
		return e
	}
	defer cards.Close()
	e.GPUDriver = cards.Driver()
	for _, c := range cards.List() {
		e.GPUs = append(e.GPUs, c.Model)
	}
	return e
}

// cpuFeatures names the instruction sets that kernels choose by, in a fixed order.
func cpuFeatures() string {
	var has []string
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"sse4.2", cpu.X86.HasSSE42}, {"avx", cpu.X86.HasAVX}, {"avx2", cpu.X86.HasAVX2}, {"fma", cpu.X86.HasFMA},
		{"avx512f", cpu.X86.HasAVX512F}, {"avx512bf16", cpu.X86.HasAVX512BF16}, {"amx", cpu.X86.HasAMXTile},
		{"asimd", cpu.ARM64.HasASIMD}, {"fphp", cpu.ARM64.HasFPHP}, {"sve", cpu.ARM64.HasSVE}, {"sve2", cpu.ARM64.HasSVE2},
	} {
		if f.has {
			has = append(has, f.name)
		}
	}
	return strings.Join(has, " ")
}
