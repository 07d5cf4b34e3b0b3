// Command results takes the numbers of the last `make reproduce` and `make
// bench` into the repository: it copies them with their figures from out to
// docs/results and writes the README's table from out/ladder.json. A test holds
// README and file together.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab"
)

// Marks between which the README's table stands.
const (
	begin = "<!-- ladder: written by make results -->"
	end   = "<!-- /ladder -->"
)

func main() {
	if err := run("out", "."); err != nil {
		fmt.Fprintln(os.Stderr, "results:", err)
		os.Exit(1)
	}
}

// run copies from the folder of results to the repository at root.
func run(from, root string) error {
	docs := filepath.Join(root, "docs", "results")
	if err := os.MkdirAll(docs, 0o755); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(from, "ladder-*.svg"))
	if err != nil {
		return err
	}
	for _, name := range []string{"ladder.json", "ladder.md", "bench.md", "scaling.svg"} {
		files = append(files, filepath.Join(from, name))
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("%w; run `make reproduce` and `make bench` first", err)
		}
		if err := os.WriteFile(filepath.Join(docs, filepath.Base(path)), data, 0o644); err != nil {
			return err
		}
	}
	readme := filepath.Join(root, "README.md")
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	section, err := section(filepath.Join(docs, "ladder.json"))
	if err != nil {
		return err
	}
	out, err := splice(string(text), section)
	if err != nil {
		return err
	}
	return os.WriteFile(readme, []byte(out), 0o644)
}

// section renders the README's part from the stored numbers.
func section(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var f lab.LadderRecord
	if err := json.Unmarshal(data, &f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if f.Reused > 0 || len(f.Studies) == 0 {
		return "", fmt.Errorf("%s: %d studies, %d of %d runs were found in a database: the time is not that of the whole; run `make reproduce` on a new database", path, len(f.Studies), f.Reused, f.Runs)
	}
	var b strings.Builder
	b.WriteString(lab.SummaryTable(f.Studies).Markdown())
	var seeds []string
	for _, s := range f.Studies {
		seeds = append(seeds, fmt.Sprint(len(s.Seeds)))
	}
	fmt.Fprintf(&b, "\nMean ± half of the 95 %% t interval over %s seeds; every rung had the same tuning budget. Preset `%s`: %d runs in %.0f s on %s cores of %s.\n",
		strings.Join(seeds, ", "), f.Preset, f.Runs, f.Seconds, f.Machine["cores"], f.Machine["cpu"])
	return b.String(), nil
}

// splice replaces what stands between the marks.
func splice(readme, section string) (string, error) {
	before, rest, ok := strings.Cut(readme, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("README.md lacks %q … %q", begin, end)
	}
	return before + begin + "\n" + section + end + after, nil
}
