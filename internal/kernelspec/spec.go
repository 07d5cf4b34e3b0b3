package kernelspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Name is the kernelspec's directory, DisplayName what Jupyter shows.
const (
	Name        = "gophersnake"
	DisplayName = "Go (gophersnake)"
)

// Spec is kernel.json.
type Spec struct {
	Argv          []string          `json:"argv"`
	DisplayName   string            `json:"display_name"`
	Language      string            `json:"language"`
	InterruptMode string            `json:"interrupt_mode"`
	Metadata      map[string]string `json:"metadata,omitempty"`
}

// Install writes the kernelspec for a kernel's binary under a Jupyter data
// directory and returns where. What was there before is replaced whole.
func Install(data, kernel string) (string, error) {
	kernel, err := filepath.Abs(kernel)
	if err != nil {
		return "", err
	}
	if err := executable(kernel); err != nil {
		return "", err
	}
	spec := Spec{
		Argv: []string{kernel, "{connection_file}"}, DisplayName: DisplayName, Language: "go",
		// A signal would also end what the kernel started; a message waits for nothing.
		InterruptMode: "message",
	}
	text, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return "", err
	}
	dir := Dir(data)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	files := logos()
	files["kernel.json"] = append(text, '\n')
	return dir, replace(dir, files)
}

// replace writes files into a new directory that then takes the place of dir:
// Jupyter never reads half a kernelspec.
func replace(dir string, files map[string][]byte) error {
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+Name+"-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(tmp, name), content, 0o644); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

// Uninstall removes the kernelspec from a Jupyter data directory. It returns
// where it was, and fs.ErrNotExist if there was none.
func Uninstall(data string) (string, error) {
	dir := Dir(data)
	if _, err := os.Stat(filepath.Join(dir, "kernel.json")); err != nil {
		return dir, fmt.Errorf("%s: no kernelspec there: %w", dir, fs.ErrNotExist)
	}
	return dir, os.RemoveAll(dir)
}

// Dir is where the kernelspec lies under a Jupyter data directory.
func Dir(data string) string { return filepath.Join(data, "kernels", Name) }

// Read returns the kernelspec under a data directory.
func Read(data string) (Spec, error) {
	path := filepath.Join(Dir(data), "kernel.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return Spec{}, err
	}
	var s Spec
	if err := json.Unmarshal(text, &s); err != nil {
		return Spec{}, fmt.Errorf("%s: %w", path, err)
	}
	if len(s.Argv) == 0 {
		return s, fmt.Errorf("%s: argv is empty", path)
	}
	return s, nil
}

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no such file", path)
	case err != nil:
		return err
	case info.IsDir() || info.Mode()&0o111 == 0:
		return fmt.Errorf("%s is not a program", path)
	}
	return nil
}
