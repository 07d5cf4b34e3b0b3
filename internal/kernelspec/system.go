package kernelspec

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
)

// System is what the package has to know of the machine.
type System struct {
	GOOS    string              // runtime.GOOS
	Home    string              // the user's home directory
	WorkDir string              // where commands run
	Program string              // this program's file, "" if unknown
	Prefix  string              // an installation prefix that is looked at first, "" for none
	Getenv  func(string) string // os.Getenv
}

// UserData returns the user's Jupyter data directory.
func (s System) UserData() string {
	if dir := s.Getenv("JUPYTER_DATA_DIR"); dir != "" {
		return dir
	}
	if s.GOOS == "darwin" {
		return filepath.Join(s.Home, "Library", "Jupyter")
	}
	if dir := s.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "jupyter")
	}
	return filepath.Join(s.Home, ".local", "share", "jupyter")
}

// PrefixData returns the data directory of an installation prefix.
func PrefixData(prefix string) string { return filepath.Join(prefix, "share", "jupyter") }

// Venv returns the virtual environment: the active one, or .venv here.
func (s System) Venv() (string, error) {
	if dir := s.Getenv("VIRTUAL_ENV"); dir != "" {
		return dir, nil
	}
	dir := filepath.Join(s.WorkDir, ".venv")
	if executable(filepath.Join(dir, "bin", "python")) != nil {
		return "", fmt.Errorf("no virtual environment is active and %s is none", dir)
	}
	return dir, nil
}

// DataDirs returns where Jupyter looks for kernelspecs, first what wins.
func (s System) DataDirs() []string {
	var dirs []string
	if s.Prefix != "" {
		dirs = append(dirs, PrefixData(s.Prefix))
	}
	dirs = append(dirs, filepath.SplitList(s.Getenv("JUPYTER_PATH"))...)
	if venv, err := s.Venv(); err == nil {
		dirs = append(dirs, PrefixData(venv))
	}
	dirs = append(dirs, s.UserData(), "/usr/local/share/jupyter", "/usr/share/jupyter")
	return slices.Compact(dirs)
}

// Kernel finds the kernel's binary: beside this program, in bin here, or on
// the PATH.
func (s System) Kernel() (string, error) {
	candidates := []string{filepath.Join(s.WorkDir, "bin", "gophernotes")}
	if s.Program != "" {
		candidates = slices.Insert(candidates, 0, filepath.Join(filepath.Dir(s.Program), "gophernotes"))
	}
	for _, c := range candidates {
		if executable(c) == nil {
			return c, nil
		}
	}
	if path, err := exec.LookPath("gophernotes"); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("no kernel: looked for %s, %s, and gophernotes on the PATH", candidates[0], candidates[len(candidates)-1])
}

// Jupyter finds JupyterLab: under the prefix, in the virtual environment or on
// the PATH.
func (s System) Jupyter() (string, error) {
	prefixes := []string{s.Prefix}
	if venv, err := s.Venv(); err == nil {
		prefixes = append(prefixes, venv)
	}
	for _, prefix := range prefixes {
		if path := filepath.Join(prefix, "bin", "jupyter-lab"); prefix != "" && executable(path) == nil {
			return path, nil
		}
	}
	for _, name := range []string{"jupyter-lab", "jupyter-notebook"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no JupyterLab: neither in a virtual environment nor on the PATH")
}
