package kernelspec

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Finding is one thing that the doctor looked at.
type Finding struct {
	What   string // what was looked at
	Detail string // what was found
	Hint   string // what to do; "" if all is well
}

// Well reports whether nothing needs to be done.
func (f Finding) Well() bool { return f.Hint == "" }

// Examine looks at all that a notebook needs, from the kernel's binary to
// Jupyter, and starts the kernel once.
func (s System) Examine(ctx context.Context) []Finding {
	findings := []Finding{s.examineBinary(ctx)}
	spec := s.examineSpecs()
	findings = append(findings, spec...)
	return append(findings, s.examineJupyter())
}

const build = "build the kernel with 'make kernel'"

func (s System) examineBinary(ctx context.Context) Finding {
	f := Finding{What: "kernel"}
	path, err := s.Kernel()
	if err != nil {
		f.Detail, f.Hint = err.Error(), build
		return f
	}
	version, err := versionOf(ctx, path)
	if err != nil {
		f.Detail, f.Hint = fmt.Sprintf("%s: %v", path, err), build
		return f
	}
	took, err := start(ctx, path)
	if err != nil {
		f.Detail, f.Hint = fmt.Sprintf("%s does not start: %v", path, err), build
		return f
	}
	f.Detail = fmt.Sprintf("%s, %s, listens after %d ms", path, version, took.Milliseconds())
	return f
}

// versionOf asks a kernel which it is; another gophernotes does not know.
func versionOf(ctx context.Context, kernel string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, kernel, "-version").CombinedOutput()
	version := strings.TrimSpace(string(out))
	if err != nil || !strings.Contains(version, Name) {
		return "", fmt.Errorf("not gophersnake's kernel: %.200s", version)
	}
	return version, nil
}

// patience is how long a kernel may take to start; half a second is usual.
const patience = 10 * time.Second

// start runs a kernel until it listens, and returns how long that took.
func start(ctx context.Context, kernel string) (time.Duration, error) {
	dir, err := os.MkdirTemp("", "gophersnake-doctor-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	file, address, err := connection(dir)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, kernel, file)
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		cancel()
		<-ended
	}()
	for {
		if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			c.Close()
			return time.Since(begin), nil
		}
		select {
		case err := <-ended:
			ended <- err
			return 0, fmt.Errorf("it ended: %v", err)
		case <-ctx.Done():
			return 0, fmt.Errorf("it does not listen after %v", patience)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// connection writes a connection file with free ports; address is the last
// one that a kernel opens.
func connection(dir string) (file, address string, err error) {
	info := map[string]any{"transport": "tcp", "ip": "127.0.0.1", "key": "doctor", "signature_scheme": "hmac-sha256"}
	for _, name := range []string{"shell_port", "control_port", "stdin_port", "iopub_port", "hb_port"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", err
		}
		defer l.Close() // all at once, so that the ports differ
		info[name] = l.Addr().(*net.TCPAddr).Port
		address = l.Addr().String()
	}
	text, err := json.Marshal(info)
	if err != nil {
		return "", "", err
	}
	file = filepath.Join(dir, "kernel.json")
	return file, address, os.WriteFile(file, text, 0o600)
}

// examineSpecs looks at every installed kernelspec; the first one wins.
func (s System) examineSpecs() []Finding {
	var findings []Finding
	for _, data := range s.DataDirs() {
		dir := Dir(data)
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		f := Finding{What: "kernelspec", Detail: dir}
		spec, err := Read(data)
		if err == nil {
			err = executable(spec.Argv[0])
		}
		switch {
		case err != nil:
			f.Detail, f.Hint = fmt.Sprintf("%s: %v", dir, err), "gophersnake kernel install, or remove the directory"
		case spec.InterruptMode != "message":
			f.Hint = "gophersnake kernel install: this kernelspec was written by something else, and the stop button would not work"
		default:
			f.Detail = fmt.Sprintf("%s starts %s", dir, spec.Argv[0])
		}
		findings = append(findings, f)
	}
	if len(findings) == 0 {
		findings = []Finding{{What: "kernelspec", Detail: "none in " + strings.Join(s.DataDirs(), ", "), Hint: "gophersnake kernel install"}}
	}
	return findings
}

func (s System) examineJupyter() Finding {
	path, err := s.Jupyter()
	if err != nil {
		return Finding{"jupyter", err.Error(), "'make lab' makes .venv with the versions of notebooks/requirements.txt and opens it"}
	}
	return Finding{What: "jupyter", Detail: path}
}
