package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Machine is where measurements were made. Rows of different machines do not
// go into one table.
type Machine struct {
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Memory  string `json:"memory"`
	System  string `json:"system"`
	Go      string `json:"go"`
	Kernels string `json:"kernels"` // instruction set that ours uses
	Python  string `json:"python"`
	Torch   string `json:"torch"`
}

// thisMachine asks the system and the peer.
func thisMachine(ctx context.Context, p peer) (Machine, error) {
	m := Machine{CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Memory: gigabytes(field("/proc/meminfo", "MemTotal")),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
		Kernels: tensor.CPU(1).Kernels()}
	const ask = `import platform, torch
b = torch.__config__.show()
blas = b[b.index("BLAS_INFO=") + 10:].split(",")[0]
print(platform.python_version())
print(torch.__version__, "BLAS", blas, "instructions", torch.backends.cpu.get_cpu_capability(), "OpenMP" if torch.backends.openmp.is_available() else "")`
	out, err := exec.CommandContext(ctx, p.python, "-c", ask).Output()
	if err != nil {
		return m, fmt.Errorf("%s has no working PyTorch: %w", p.python, err)
	}
	m.Python, m.Torch, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	return m, nil
}

// field reads "key: value" from a file of the system, "unknown" if there is none.
func field(path, key string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// gigabytes turns "24684100 kB" into "25 GB".
func gigabytes(size string) string {
	var kB float64
	if _, err := fmt.Sscan(size, &kB); err != nil {
		return size
	}
	return fmt.Sprintf("%.0f GB", kB*1024/1e9)
}

// load is the mean number of running processes over the last minute, 0 where
// the system does not tell.
func load() (mean float64) {
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(data), &mean)
	}
	return mean
}

// commit names the state of the repository.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
