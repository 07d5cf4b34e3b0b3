package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed peer/*.py peer/requirements.txt
var peerFiles embed.FS

// peer is where PyTorch's side lies.
type peer struct {
	python string // the interpreter
	script string // peer.py
	cache  string // what torch.compile keeps
}

// installPeer writes the peer's programs under dir and, unless python names an
// interpreter that has what requirements.txt lists, installs PyTorch into an
// environment of its own there, once per version of the list.
func installPeer(ctx context.Context, dir, python string, progress io.Writer) (p peer, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return p, err
	}
	p = peer{python: python, script: filepath.Join(dir, "peer", "peer.py"), cache: filepath.Join(dir, "inductor")}
	if err := writePeer(dir); err != nil {
		return p, err
	}
	if python != "" {
		return p, nil
	}
	venv := filepath.Join(dir, "venv")
	p.python = filepath.Join(venv, "bin", "python")
	want, err := peerFiles.ReadFile("peer/requirements.txt")
	if err != nil {
		return p, err
	}
	stamp := filepath.Join(venv, "installed.txt")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == string(want) {
		return p, nil
	}
	fmt.Fprintf(progress, "installing PyTorch into %s (from PyPI, several GB)\n", venv)
	for _, command := range [][]string{
		{"python3", "-m", "venv", venv},
		{p.python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", filepath.Join(dir, "peer", "requirements.txt")},
	} {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Stdout, cmd.Stderr = progress, progress
		if err := cmd.Run(); err != nil {
			return p, fmt.Errorf("%v: %w; it needs Python 3.10 or later with venv and a way to PyPI, or give -python an interpreter that has torch, numpy and mambapy", command, err)
		}
	}
	return p, os.WriteFile(stamp, want, 0o644)
}

// writePeer writes the peer's programs.
func writePeer(dir string) error {
	err := os.MkdirAll(filepath.Join(dir, "peer"), 0o755)
	files, ferr := peerFiles.ReadDir("peer")
	err = errors.Join(err, ferr)
	for _, f := range files {
		data, rerr := peerFiles.ReadFile("peer/" + f.Name())
		err = errors.Join(err, rerr, os.WriteFile(filepath.Join(dir, "peer", f.Name()), data, 0o644))
	}
	return err
}
