package kernelspec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/kernelspec"
)

// program writes an executable script.
func program(t *testing.T, path, script string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// machine is a system of its own in a temporary directory.
func machine(t *testing.T, env map[string]string) kernelspec.System {
	t.Helper()
	t.Setenv("PATH", t.TempDir())
	return kernelspec.System{GOOS: "linux", Home: t.TempDir(), WorkDir: t.TempDir(), Getenv: func(k string) string { return env[k] }}
}

func TestInstall(t *testing.T) {
	data := t.TempDir()
	kernel := program(t, filepath.Join(t.TempDir(), "gophernotes"), "")
	for range 2 { // the second time replaces the first
		dir, err := kernelspec.Install(data, kernel)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(data, "kernels", "gophersnake"); dir != want {
			t.Errorf("installed in %s, want %s", dir, want)
		}
	}
	spec, err := kernelspec.Read(data)
	if err != nil || spec.Argv[0] != kernel || spec.Argv[1] != "{connection_file}" || spec.InterruptMode != "message" || spec.Language != "go" {
		t.Errorf("spec %+v, %v", spec, err)
	}
	entries, _ := os.ReadDir(filepath.Join(data, "kernels"))
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if _, err := kernelspec.Uninstall(data); err != nil {
		t.Error(err)
	}
	if _, err := kernelspec.Uninstall(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("second uninstall: %v, want ErrNotExist", err)
	}
}

func TestLogos(t *testing.T) {
	data := t.TempDir()
	dir, err := kernelspec.Install(data, program(t, filepath.Join(t.TempDir(), "k"), ""))
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"logo-32x32.png": 32, "logo-64x64.png": 64} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(b))
		if err != nil || m.Bounds().Dx() != size || m.Bounds().Dy() != size {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "logo-svg.svg"))
	if err != nil || xml.Unmarshal(b, new(struct{ XMLName xml.Name })) != nil {
		t.Errorf("logo-svg.svg: %v", err)
	}
}

func TestInstallRefuses(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/nowhere/kernel": "no such file", plain: "not a program", t.TempDir(): "not a program"} {
		if _, err := kernelspec.Install(t.TempDir(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", path, err, want)
		}
	}
}

func TestDirectories(t *testing.T) {
	for _, c := range []struct {
		goos string
		env  map[string]string
		want string
	}{
		{"linux", nil, "/home/u/.local/share/jupyter"},
		{"linux", map[string]string{"XDG_DATA_HOME": "/x"}, "/x/jupyter"},
		{"linux", map[string]string{"XDG_DATA_HOME": "/x", "JUPYTER_DATA_DIR": "/j"}, "/j"},
		{"darwin", nil, "/home/u/Library/Jupyter"},
	} {
		s := kernelspec.System{GOOS: c.goos, Home: "/home/u", Getenv: func(k string) string { return c.env[k] }}
		if got := s.UserData(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestVenv(t *testing.T) {
	s := machine(t, map[string]string{})
	if v, err := s.Venv(); err == nil {
		t.Errorf("found %s", v)
	}
	program(t, filepath.Join(s.WorkDir, ".venv", "bin", "python"), "")
	if v, err := s.Venv(); err != nil || v != filepath.Join(s.WorkDir, ".venv") {
		t.Errorf("%s, %v", v, err)
	}
	active := machine(t, map[string]string{"VIRTUAL_ENV": "/v"})
	if v, err := active.Venv(); err != nil || v != "/v" {
		t.Errorf("%s, %v", v, err)
	}
}

func hints(findings []kernelspec.Finding) map[string]string {
	m := map[string]string{}
	for _, f := range findings {
		m[f.What] += f.Hint
	}
	return m
}

func TestExamineFindsWhatIsMissing(t *testing.T) {
	s := machine(t, map[string]string{})
	got := hints(s.Examine(context.Background()))
	for what, want := range map[string]string{"kernel": "make kernel", "kernelspec": "kernel install", "jupyter": "make lab"} {
		if !strings.Contains(got[what], want) {
			t.Errorf("%s: hint %q, want %q in it", what, got[what], want)
		}
	}
	kernel := filepath.Join(s.WorkDir, "bin", "gophernotes")
	for script, want := range map[string]string{
		"echo flag provided but not defined; exit 2":                             "not gophersnake's kernel",
		"test \"$1\" = -version && echo gophernotes gophersnake && exit; exit 1": "does not start",
	} {
		program(t, kernel, script)
		if f := s.Examine(context.Background())[0]; f.Well() || !strings.Contains(f.Detail, want) {
			t.Errorf("%s: %+v, want %q", script, f, want)
		}
	}
}

func TestExamineSpecs(t *testing.T) {
	s := machine(t, map[string]string{})
	kernel := program(t, filepath.Join(s.WorkDir, "bin", "gophernotes"), "")
	dir, err := kernelspec.Install(s.UserData(), kernel)
	if err != nil {
		t.Fatal(err)
	}
	if h := hints(s.Examine(context.Background()))["kernelspec"]; h != "" {
		t.Errorf("well installed, hint %q", h)
	}
	file := filepath.Join(dir, "kernel.json")
	for name, change := range map[string]func(*kernelspec.Spec){
		"signal": func(k *kernelspec.Spec) { k.InterruptMode = "signal" },
		"gone":   func(k *kernelspec.Spec) { k.Argv[0] = "/nowhere" },
		"empty":  func(k *kernelspec.Spec) { k.Argv = nil },
	} {
		spec := kernelspec.Spec{Argv: []string{kernel}, InterruptMode: "message"}
		change(&spec)
		text, _ := json.Marshal(spec)
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if h := hints(s.Examine(context.Background()))["kernelspec"]; !strings.Contains(h, "kernel install") {
			t.Errorf("%s: hint %q", name, h)
		}
	}
}
