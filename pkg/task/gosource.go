package task

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// readGoSource reads every .go file below root/src, without testdata and src/cmd, split by families.
func readGoSource(root string) (*corpus, error) {
	if root == "" {
		found, err := goRoot()
		if err != nil {
			return nil, err
		}
		root = found
	}
	src := filepath.Join(root, "src")
	if info, err := os.Stat(src); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("path is %q, which has no directory src, want the %s", root, wantedPath(GoSource))
	}
	m := &Manifest{Corpus: GoSource, Root: root, Split: ByFamily}
	if version, err := os.ReadFile(filepath.Join(root, "VERSION")); err == nil {
		line, _, _ := bytes.Cut(version, []byte("\n"))
		m.Version = strings.TrimSpace(string(line))
	}
	files, err := m.readTree(os.DirFS(src), sieveGo, nil)
	if err != nil {
		return nil, err
	}
	splitFamilies(files, families(files, goFamily))
	return m.join(files), nil
}

// sieveGo takes .go files, and directories but testdata and the commands in src/cmd.
func sieveGo(p string, d fs.DirEntry) string {
	if d.IsDir() && (p == "cmd" || path.Base(p) == "testdata") || !d.IsDir() && path.Ext(p) != ".go" {
		return notCounted
	}
	return ""
}

// goFamily names the family of a Go file by its directory and the first word of its name, without digits: what comes
// after an underscore is a system, a machine, "test", "string" or another part of the same thing, and numbers tell
// releases and sizes apart. So zerrors_linux_arm64.go is with zerrors_aix_ppc64.go and tables9.0.0.go with tables15.0.0.go.
func goFamily(p string) string {
	dir, base := path.Split(p)
	stem, _, _ := strings.Cut(strings.TrimSuffix(base, ".go"), "_")
	return dir + strings.Map(func(r rune) rune {
		if r == '.' || '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, stem) + "/"
}

// goRoot asks the environment and then the go command where the toolchain is.
func goRoot() (string, error) {
	if root := os.Getenv("GOROOT"); root != "" {
		return root, nil
	}
	const patience = 10 * time.Second // a toolchain answers in milliseconds, one that has to be unpacked first in seconds
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	root := strings.TrimSpace(string(out))
	if err != nil || root == "" {
		return "", fmt.Errorf("no Go source tree: GOROOT is not set and \"go env GOROOT\" gave %q (%v); "+
			"hint: install Go, or set path to a directory that holds its src/", root, err)
	}
	return root, nil
}
