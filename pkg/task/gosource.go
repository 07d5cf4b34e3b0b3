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

// readGoSource reads every .go file below root/src, without testdata and src/cmd, split by file hash.
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
	c, err := readTree(GoSource, root, os.DirFS(src), goFile, hashSplit)
	if err != nil {
		return nil, err
	}
	if version, err := os.ReadFile(filepath.Join(root, "VERSION")); err == nil {
		line, _, _ := bytes.Cut(version, []byte("\n"))
		c.manifest.Version = strings.TrimSpace(string(line))
	}
	return c, nil
}

// goFile keeps .go files, and directories but testdata and the commands in src/cmd.
func goFile(p string, d fs.DirEntry) bool {
	if d.IsDir() {
		return p != "cmd" && path.Base(p) != "testdata"
	}
	return path.Ext(p) == ".go"
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
