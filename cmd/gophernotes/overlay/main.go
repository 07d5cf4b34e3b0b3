// Command overlay writes the file for `go build -overlay` that lays gophernotes'
// own sources into cmd/gophernotes. Run it in the root of the module:
//
//	go run ./cmd/gophernotes/overlay -docs bin/docs.json.gz -o bin/overlay.json
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const upstream = "github.com/gopherdata/gophernotes"

// parts are the upstream files that the kernel is built with; main.go has the
// flags, which are ours.
var parts = []string{"complete", "display", "image", "kernel", "messages", "x_package"}

func main() {
	out := flag.String("o", "bin/overlay.json", "write to this file")
	docs := flag.String("docs", "bin/docs.json.gz", "the documentation that cmd/gophernotes/docs wrote")
	flag.Parse()
	if err := write(*out, *docs); err != nil {
		fmt.Fprintln(os.Stderr, "overlay:", err)
		os.Exit(1)
	}
}

func write(out, docs string) error {
	source, err := moduleDir(upstream)
	if err != nil {
		return err
	}
	kernel, err := filepath.Abs(filepath.Join("cmd", "gophernotes"))
	if err != nil {
		return err
	}
	if docs, err = filepath.Abs(docs); err != nil {
		return err
	}
	replace := map[string]string{filepath.Join(kernel, "docs.json.gz"): docs}
	for _, p := range parts {
		from := filepath.Join(source, p+".go")
		if _, err := os.Stat(from); err != nil {
			return fmt.Errorf("%s is not as expected: %w", upstream, err)
		}
		replace[filepath.Join(kernel, "gn_"+p+".go")] = from
	}
	data, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

// moduleDir returns where the module cache has the version that go.mod names,
// after downloading it if need be.
func moduleDir(path string) (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", path)
	cmd.Stderr = os.Stderr
	data, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w\n%s", path, err, data)
	}
	var m struct{ Dir string }
	if err := json.Unmarshal(data, &m); err != nil {
		return "", err
	}
	return m.Dir, nil
}
