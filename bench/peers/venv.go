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

//go:embed peer/*.py peer/*.txt
var peerFiles embed.FS

// kit is what a peer is made of.
type kit struct {
	name   string   // as the tables say it
	folder string   // of its Python environment, under -dir
	list   string   // what is installed, in peer/
	script string   // its side of a measurement, in peer/
	pip    []string // further arguments of pip install
	env    []string // for pip
	needs  string   // beside Python 3.10 or later with venv, and a way to PyPI
	size   string   // of what is installed
}

// The peers. llama.cpp is built from its sources, for the instructions of this
// machine; what it builds without is not used here.
var (
	torchKit = kit{name: "PyTorch", folder: "venv", list: "torch.txt", script: "torch_peer.py", size: "several GB"}
	jaxKit   = kit{name: "JAX", folder: "venv-jax", list: "jax.txt", script: "jax_peer.py", size: "300 MB"}
	llamaKit = kit{name: "llama.cpp", folder: "venv-llama", list: "llama.txt", script: "llama_peer.py",
		size: "80 MB of sources, minutes to build",
		pip:  []string{"--no-binary", "llama-cpp-python"}, needs: "a C++ compiler, ",
		env: []string{"CMAKE_ARGS=-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF -DMTMD_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF"}}
)

// peer is a kit that lies ready.
type peer struct {
	name   string
	python string // the interpreter
	script string
	cache  string // what torch.compile keeps
}

// install writes the peers' programs under dir and, unless python names an
// interpreter that has what the kit lists, installs that into an environment of
// its own there, once per version of the list.
func (k kit) install(ctx context.Context, dir, python string, progress io.Writer) (p peer, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return p, err
	}
	p = peer{name: k.name, python: python, cache: filepath.Join(dir, "inductor"),
		script: filepath.Join(dir, "peer", k.script)}
	if err := writePeers(dir); err != nil {
		return p, err
	}
	if python != "" {
		return p, nil
	}
	venv := filepath.Join(dir, k.folder)
	p.python = filepath.Join(venv, "bin", "python")
	want, err := peerFiles.ReadFile("peer/" + k.list)
	if err != nil {
		return p, err
	}
	stamp := filepath.Join(venv, "installed.txt")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == string(want) {
		return p, nil
	}
	fmt.Fprintf(progress, "installing %s into %s (from PyPI, %s)\n", k.name, venv, k.size)
	install := append([]string{p.python, "-m", "pip", "install", "-q", "--disable-pip-version-check"}, k.pip...)
	for _, command := range [][]string{
		{"python3", "-m", "venv", venv},
		append(install, "-r", filepath.Join(dir, "peer", k.list)),
	} {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Env = append(os.Environ(), k.env...)
		cmd.Stdout, cmd.Stderr = progress, progress
		if err := cmd.Run(); err != nil {
			return p, fmt.Errorf("%v: %w; it needs %sPython 3.10 or later with venv and a way to PyPI", command, err, k.needs)
		}
	}
	return p, os.WriteFile(stamp, want, 0o644)
}

// writePeers writes the peers' programs and lists.
func writePeers(dir string) error {
	err := os.MkdirAll(filepath.Join(dir, "peer"), 0o755)
	files, ferr := peerFiles.ReadDir("peer")
	err = errors.Join(err, ferr)
	for _, f := range files {
		data, rerr := peerFiles.ReadFile("peer/" + f.Name())
		err = errors.Join(err, rerr, os.WriteFile(filepath.Join(dir, "peer", f.Name()), data, 0o644))
	}
	return err
}
