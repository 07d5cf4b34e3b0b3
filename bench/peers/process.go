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
	"time"
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

// stderrDelay is how long the end of a process waits for its standard error,
// which its own children, torch.compile's, may still hold open.
const stderrDelay = 5 * time.Second

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
	p.cmd.WaitDelay = stderrDelay
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

// ask has our side do a job that is done with its first reply, and returns that.
func ask(ctx context.Context, j Job) (Ready, error) {
	p, err := startOurs(ctx, j)
	if err != nil {
		return Ready{}, err
	}
	p.close()
	return p.ready, nil
}
