// Command results takes the numbers of the last `make reproduce`, `make study`
// and `make bench` into the repository: docs/results gets the record of every
// ladder in out, with the tables and figures that follow from it, and the README
// the table of preset quick. Tests hold README and files to the records.
package main

import (
	"errors"
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

// quick is the record whose table the README shows.
const quick = "ladder-quick.json"

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
	records, err := filepath.Glob(filepath.Join(from, "ladder-*.json"))
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return fmt.Errorf("%s holds no ladder-*.json; run `make reproduce` first", from)
	}
	for _, path := range records {
		rec, err := lab.ReadLadder(path)
		if err != nil {
			return err
		}
		if err := publish(rec, docs); err != nil {
			return err
		}
	}
	if err := again(filepath.Join(from, "again", quick), docs); err != nil {
		return err
	}
	for _, name := range []string{"bench.md", "scaling.svg"} { // as far as they were measured anew
		data, err := os.ReadFile(filepath.Join(from, name))
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(docs, name), data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return readme(docs, filepath.Join(root, "README.md"))
}

// again takes over the record of the preset with other seeds, if there is a new
// one, and writes whether its words are the same.
func again(path, docs string) error {
	kept := filepath.Join(docs, "again", quick)
	data, err := os.ReadFile(path)
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Dir(kept), 0o755), os.WriteFile(kept, data, 0o644))
	} else if os.IsNotExist(err) {
		err = nil
	}
	if err != nil {
		return err
	}
	text, err := stability(docs)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, "stability.md"), []byte(text), 0o644)
}

// stability renders the comparison of the two records in docs.
func stability(docs string) (string, error) {
	var studies [2][]*lab.StudyResult
	for i, path := range []string{filepath.Join(docs, quick), filepath.Join(docs, "again", quick)} {
		rec, err := lab.ReadLadder(path)
		if err != nil {
			return "", fmt.Errorf("%w; `make again` makes the second record", err)
		}
		if studies[i], err = rec.Results(); err != nil {
			return "", err
		}
	}
	t, err := lab.Stability(studies[0], studies[1])
	if err != nil {
		return "", err
	}
	return "# Do other seeds say the same?\n\n" + t.Markdown(), nil
}

// publish writes a record's report without its PNG files, which would only make
// the repository larger.
func publish(rec lab.LadderRecord, dir string) error {
	name := filepath.Join(dir, "ladder-"+rec.Preset)
	if err := errors.Join(remove(name+".*"), remove(name+"-*")); err != nil {
		return err
	}
	return errors.Join(rec.Publish(dir), remove(name+"-*.png"))
}

// remove deletes the files that fit a pattern.
func remove(pattern string) error {
	files, err := filepath.Glob(pattern)
	for _, f := range files {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

// readme puts the table into the README.
func readme(docs, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	section, err := section(filepath.Join(docs, quick))
	if err != nil {
		return err
	}
	out, err := splice(string(text), section)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(out), 0o644)
}

// section renders the README's part from the stored numbers.
func section(path string) (string, error) {
	rec, err := lab.ReadLadder(path)
	if err != nil {
		return "", err
	}
	if rec.Reused > 0 {
		return "", fmt.Errorf("%s: %d of %d runs were found in a database: the time is not that of the whole; run `make reproduce` on a new database", path, rec.Reused, rec.Runs)
	}
	results, err := rec.Results()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(lab.SummaryTable(results).Markdown())
	fmt.Fprintf(&b, "\nMean over %d seeds [95 %% interval over tuning and reporting seeds; at four times the trained length Student's t of the reported ones]; every arm had the same tuning: %d learning rates × %d other seeds. –: preset `quick` leaves it to `full`. Preset `%s`: %d runs in %.0f s on %s cores of %s (%s).\n",
		len(rec.Studies[0].Seeds), len(rec.Studies[0].LRs), len(rec.Studies[0].TuneSeeds), rec.Preset, rec.Runs, rec.Seconds, rec.Machine["cores"], rec.Machine["cpu"], rec.Machine["kernels"])
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
