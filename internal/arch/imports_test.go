package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/gophersnake/gophersnake/"

// allowed says for each folder which other folders of the module it may import,
// by prefix. Within a folder everything is allowed. The direction is:
//
//	cmd → lab → (rnn, ssm, nn, optim, task) → tensor → internal kernels
var allowed = map[string][]string{
	"bench/":              {"pkg/", "internal/device", "internal/kernel/ceiling"},
	"bench/tracker":       {"tracker"},
	"cmd/":                {"internal/live", "internal/logbook", "internal/near", "pkg/", "tracker", "internal/kernel/isa", "internal/bindings", "internal/kernelspec", "internal/nbhook"},
	"internal/arch":       {},
	"internal/bindings":   {"pkg/", "tracker"},
	"internal/genbind":    {},
	"internal/golden":     {},
	"internal/kernelspec": {},
	"internal/nbhook":     {},
	"internal/mixertest":  {"pkg/nn", "pkg/tensor", "internal/golden"},
	"internal/live":       {"tracker"},
	"internal/mutants":    {},
	"internal/near":       {},
	"internal/pool":       {},
	"internal/kernel/":    {"internal/pool"},
	"internal/device":     {"internal/kernel/", "internal/pool"},
	"internal/logbook":    {"pkg/lab", "pkg/tensor", "tracker"},
	"internal/results":    {"pkg/lab"},
	"internal/synth":      {"tracker"},
	"internal/torture":    {"tracker"},
	"pkg/init":            {},
	"pkg/tensor":          {"internal/device", "internal/kernel/isa"},
	"pkg/nn":              {"pkg/tensor", "pkg/init"},
	"pkg/rnn":             {"pkg/nn", "pkg/tensor", "pkg/init"},
	"pkg/ssm":             {"pkg/nn", "pkg/tensor", "pkg/init", "internal/pool"},
	"pkg/optim":           {"pkg/tensor"},
	"pkg/task":            {"pkg/init"},
	"pkg/lab":             {"pkg/rnn", "pkg/ssm", "pkg/nn", "pkg/optim", "pkg/task", "pkg/tensor", "pkg/init", "internal/near"},
	"pkg/nb":              {"pkg/lab", "pkg/task", "pkg/tensor", "internal/logbook", "internal/nbhook", "tracker"},
	"tracker":             {"tracker/query"},
	"tracker/analysis":    {"tracker", "pkg/lab/figure", "pkg/lab/stats", "pkg/lab/table"},
	"tracker/archive":     {"tracker"},
	"tracker/query":       {},
}

type pkg struct {
	ImportPath string
	Imports    []string
}

// TestImportDirections fails for an import against the direction, and for a
// folder that the map does not name.
func TestImportDirections(t *testing.T) {
	checked := 0
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		folder, ok := folderOf(name)
		if !ok {
			t.Errorf("%s lies in no folder of the map: add it with what it may import", name)
			continue
		}
		for _, imp := range p.Imports {
			target, ours := strings.CutPrefix(imp, module)
			if !ours {
				continue
			}
			checked++
			if !under(target, folder) && !anyUnder(target, allowed[folder]) {
				t.Errorf("%s imports %s; %s may import only %v", name, target, folder, allowed[folder])
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d imports were checked", checked)
	}
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// folderOf returns the longest key of the map that name lies under.
func folderOf(name string) (string, bool) {
	best := ""
	for f := range allowed {
		if under(name, f) && len(f) > len(best) {
			best = f
		}
	}
	return best, best != ""
}

func under(name, folder string) bool {
	folder = strings.TrimSuffix(folder, "/")
	return name == folder || strings.HasPrefix(name, folder+"/")
}

func anyUnder(name string, folders []string) bool {
	for _, f := range folders {
		if under(name, f) {
			return true
		}
	}
	return false
}
