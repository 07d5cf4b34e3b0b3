package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// process is a measuring process: a child of this program, or the peer.
type process struct {
	name   string
	ready  Ready
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *json.Decoder
	stderr *bytes.Buffer
}

// tunedMalloc keeps glibc from giving memory back between steps, which costs
// PyTorch much of its time on CPUs.
var tunedMalloc = []string{"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=68719476736", "MALLOC_TOP_PAD_=536870912"}

// startOurs starts our side of a job and waits for its warm steps.
func startOurs(ctx context.Context, j Job) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, "gophersnake", nil, j, exe, "child")
}

// startPeer starts a peer's side of a job and waits for its warm steps.
func startPeer(ctx context.Context, p peer, j Job, tuned bool) (*process, error) {
	env := []string{fmt.Sprint("OMP_NUM_THREADS=", j.Threads), fmt.Sprint("MKL_NUM_THREADS=", j.Threads), "TORCHINDUCTOR_CACHE_DIR=" + p.cache}
	if tuned {
		env = append(env, tunedMalloc...)
	}
	return start(ctx, p.name+" "+j.Variant, env, j, p.python, p.script)
}

func start(ctx context.Context, name string, env []string, j Job, command ...string) (*process, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	p := &process{name: name, stderr: &bytes.Buffer{}}
	p.cmd = exec.CommandContext(ctx, command[0], append(command[1:], string(text))...)
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), env...), p.stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.out.Decode(&p.ready); err != nil {
		return nil, p.failed(ctx, err)
	}
	return p, nil
}

// turn lets the process run steps for the given number of seconds.
func (p *process) turn(ctx context.Context, seconds float64) (t Turn, err error) {
	if _, err = fmt.Fprintln(p.in, seconds); err == nil {
		err = p.out.Decode(&t)
	}
	if err != nil {
		return t, p.failed(ctx, err)
	}
	return t, nil
}

// close ends the process.
func (p *process) close() {
	if p != nil {
		p.in.Close()
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// failed ends a process that has not answered, and says what it last said.
func (p *process) failed(ctx context.Context, err error) error {
	p.close()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	said := strings.TrimSpace(p.stderr.String())
	if i := strings.LastIndexByte(said, '\n'); i >= 0 {
		said = said[i+1:]
	}
	return errors.Join(fmt.Errorf("%s: %w: %s", p.name, err, said))
}

// run runs our program for a job that ends by itself, and returns what it says.
func run(ctx context.Context, j Job) ([]byte, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, exe, "child", string(text)).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return out, nil
}
