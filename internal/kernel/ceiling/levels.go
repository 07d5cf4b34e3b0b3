package ceiling

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Level is a level of the memory.
type Level struct {
	Name   string // "L1", "L2", "L3", "memory"
	Size   int    // bytes; memory: as good as endless
	Shared bool   // by the cores
	last   int    // memory: size of the last cache
}

// usual are the levels where the system does not tell.
var usual = []Level{
	{Name: "L1", Size: 32 << 10},
	{Name: "L2", Size: 512 << 10},
	{Name: "L3", Size: 16 << 20, Shared: true},
}

// endless is the size of the memory.
const endless = 1 << 50

// set returns the bytes of the arrays that each worker measures the level with.
// Those for the memory are for each far greater than the last cache: cores that the
// system says share one may have one each, of which a virtual machine need not know.
func (l Level) set(workers int) int {
	switch {
	case l.last > 0:
		return 4 * l.last
	case l.Shared:
		return l.Size / 2 / workers
	}
	return l.Size / 2
}

// levels reads the caches from a folder of Linux.
func levels(dir string) []Level {
	var out []Level
	places, _ := filepath.Glob(filepath.Join(dir, "index*")) // only a bad pattern is an error
	for _, place := range places {
		var level, kB int
		_, err := fmt.Sscan(word(place, "level"), &level)
		_, err2 := fmt.Sscanf(word(place, "size"), "%dK", &kB)
		if err != nil || err2 != nil || word(place, "type") == "Instruction" {
			continue
		}
		out = append(out, Level{Name: fmt.Sprintf("L%d", level), Size: kB << 10, Shared: level > 2})
	}
	slices.SortFunc(out, func(a, b Level) int { return strings.Compare(a.Name, b.Name) })
	if len(out) == 0 {
		out = slices.Clone(usual)
	}
	return append(out, Level{Name: "memory", Size: endless, Shared: true, last: out[len(out)-1].Size})
}

// word reads a file that holds one word, "" if there is none.
func word(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
