package tracker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// Environment is where and with what a run took place. No environment variable is recorded but the four that change
// how a Go program computes (GODEBUG, GOGC, GOMEMLIMIT, GOEXPERIMENT), and no git remote.
type Environment struct {
	GoVersion   string
	OS, Arch    string
	OSVersion   string   // e.g. "debian 12.5"
	Kernel      string   // version of the operating system's kernel
	CPU         string   // model name
	CPUFeatures string   // instruction sets that matter for numbers, e.g. "avx avx2 fma"
	MemoryBytes uint64   // of the machine
	GPUs        []string // models of NVIDIA's cards
	GPUDriver   string   // its version
	GPUProblem  string   // why there is no GPU, e.g. that there is no driver
	Cores       int      // logical cores that the process may use
	MaxProcs    int      // GOMAXPROCS
	Host        string
	CommandLine []string // with the values of flags named password, secret, token, credential or api-key blanked out
	WorkDir     string
	Module      string            // path and version of the main module
	Modules     map[string]string // version of every module in the program
	Settings    map[string]string // build settings and the variables above
	Git         GitState
	GitDiff     []byte            // uncommitted changes to tracked files, at most MaxDiffBytes
	Extra       map[string]string // whatever the caller wants to add, e.g. the device
	Started     time.Time         // start of the capture; not part of Values
}

// GitState is the state of the work tree that holds the working directory.
type GitState struct {
	Commit    string   // "" outside a work tree
	Branch    string   // "" on a detached head
	Dirty     bool     // tracked files were changed
	Untracked []string // files that git neither tracks nor ignores, at most maxUntracked
	Problem   string   // why git could not tell, e.g. "not installed", "time limit"
}

// MaxDiffBytes bounds Environment.GitDiff; a longer diff is cut and says so in its last line.
const MaxDiffBytes = 8 << 20

const (
	gitTimeLimit = 5 * time.Second
	maxUntracked = 200
)

// CaptureEnvironment describes this process and the working directory. It never fails because of git: what git
// could not tell stands in GitState.Problem. An error means that ctx ended.
func CaptureEnvironment(ctx context.Context) (*Environment, error) {
	e := &Environment{
		GoVersion: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		CPU: cpuModel(), Cores: runtime.NumCPU(), MaxProcs: runtime.GOMAXPROCS(0),
		CommandLine: redact(os.Args), Modules: map[string]string{}, Settings: map[string]string{}, Started: time.Now(),
	}
	e.Host, _ = os.Hostname()
	e.captureMachine(ctx)
	e.WorkDir, _ = os.Getwd()
	if info, ok := debug.ReadBuildInfo(); ok {
		e.addBuildInfo(info)
	}
	for _, name := range []string{"GODEBUG", "GOGC", "GOMEMLIMIT", "GOEXPERIMENT"} {
		if v := os.Getenv(name); v != "" {
			e.Settings["env."+name] = v
		}
	}
	e.captureGit(ctx)
	return e, ctx.Err()
}

func (e *Environment) addBuildInfo(info *debug.BuildInfo) {
	e.Module = strings.TrimSpace(info.Main.Path + " " + info.Main.Version)
	for _, m := range info.Deps {
		version := m.Version
		if m.Replace != nil {
			version += " => " + strings.TrimSpace(m.Replace.Path+" "+m.Replace.Version)
		}
		e.Modules[m.Path] = version
	}
	for _, set := range info.Settings {
		switch set.Key {
		case "-ldflags", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS":
			// May carry paths and values that were not meant for a shared database.
		default:
			e.Settings["build."+set.Key] = set.Value
		}
	}
}

// captureGit asks git, within a time limit, without running hooks, external diff programs or file system monitors.
func (e *Environment) captureGit(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeLimit)
	defer cancel()
	inside, err := runGit(ctx, "rev-parse", "--is-inside-work-tree")
	if err != nil || strings.TrimSpace(string(inside)) != "true" {
		e.Git.Problem = gitProblem(err)
		return
	}
	if out, err := runGit(ctx, "rev-parse", "--verify", "-q", "HEAD"); err == nil {
		e.Git.Commit = strings.TrimSpace(string(out))
	} else {
		e.Git.Problem = "no commit yet"
		return
	}
	if out, err := runGit(ctx, "symbolic-ref", "-q", "--short", "HEAD"); err == nil {
		e.Git.Branch = strings.TrimSpace(string(out))
	}
	status, err := runGit(ctx, "status", "--porcelain=v1", "-z", "--no-renames")
	if err != nil {
		e.Git.Problem = gitProblem(err)
		return
	}
	for _, entry := range strings.Split(string(status), "\x00") {
		switch {
		case len(entry) < 4:
		case strings.HasPrefix(entry, "?? "):
			if len(e.Git.Untracked) < maxUntracked {
				e.Git.Untracked = append(e.Git.Untracked, strings.ToValidUTF8(entry[3:], "\uFFFD"))
			}
		default:
			e.Git.Dirty = true
		}
	}
	if e.Git.Dirty {
		if e.GitDiff, err = runGit(ctx, "diff", "--no-ext-diff", "--no-textconv", "--binary", "HEAD"); err != nil {
			e.Git.Problem = gitProblem(err)
		}
	}
}

// runGit returns at most MaxDiffBytes of git's output.
func runGit(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false", "-c", "core.quotePath=false",
		"-c", "color.ui=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_PAGER=cat", "LC_ALL=C")
	cmd.WaitDelay = time.Second
	out := &limitedBuffer{limit: MaxDiffBytes}
	cmd.Stdout = out
	err := cmd.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if out.cut {
		out.Buffer.WriteString("\n[cut here: the diff is longer than " + strconv.Itoa(MaxDiffBytes) + " bytes]\n")
	}
	return out.Bytes(), err
}

func gitProblem(err error) string {
	switch {
	case err == nil:
		return "not inside a work tree"
	case errors.Is(err, exec.ErrNotFound):
		return "git is not installed"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "git took too long"
	}
	return "not inside a work tree that git may read"
}

// limitedBuffer keeps the first bytes of a stream and swallows the rest.
type limitedBuffer struct {
	bytes.Buffer
	limit int
	cut   bool
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if room := b.limit - b.Len(); len(p) > room {
		b.cut = true
		b.Buffer.Write(p[:max(room, 0)])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

// redact blanks out the values of flags that are named like secrets: "--api-key=x" and "--api-key x". Words are compared
// whole, so that "--tokens 1000000" stays.
func redact(args []string) []string {
	out := append([]string(nil), args...)
	for i := 1; i < len(out); i++ {
		name, _, hasValue := strings.Cut(out[i], "=")
		if !strings.HasPrefix(name, "-") || !secretName(name) {
			continue
		}
		if hasValue {
			out[i] = name + "=***"
		} else if i+1 < len(out) && !strings.HasPrefix(out[i+1], "-") {
			out[i+1] = "***"
			i++
		}
	}
	return out
}

func secretName(flag string) bool {
	words := strings.FieldsFunc(strings.ToLower(flag), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	for i, w := range words {
		switch w {
		case "password", "passwd", "passphrase", "secret", "token", "credential", "credentials", "apikey", "auth":
			return true
		case "key":
			if i > 0 && (words[i-1] == "api" || words[i-1] == "access" || words[i-1] == "private") {
				return true
			}
		}
	}
	return false
}

// cpuModel reads the model name where Linux shows it.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// Values flattens the environment into the names and texts that the database holds (table environment_values): what two
// runs differ in is what differs here. The diff is represented by its SHA-256; its text is an artifact.
func (e *Environment) Values() map[string]string {
	v := map[string]string{
		"go.version": e.GoVersion, "os": e.OS, "arch": e.Arch, "cpu.model": e.CPU,
		"cpu.cores": strconv.Itoa(e.Cores), "go.maxprocs": strconv.Itoa(e.MaxProcs), "host": e.Host,
		"command.dir": e.WorkDir, "go.module": e.Module,
	}
	if len(e.CommandLine) > 0 {
		v["command.program"] = filepath.Base(e.CommandLine[0])
		v["command.args"] = fmt.Sprintf("%q", e.CommandLine[1:])
	}
	for name, value := range map[string]string{"os.version": e.OSVersion, "os.kernel": e.Kernel, "cpu.features": e.CPUFeatures,
		"gpu.models": strings.Join(e.GPUs, "\n"), "gpu.driver": e.GPUDriver, "gpu.problem": e.GPUProblem} {
		if value != "" {
			v[name] = value
		}
	}
	if e.MemoryBytes > 0 {
		v["memory.bytes"] = strconv.FormatUint(e.MemoryBytes, 10)
	}
	for path, version := range e.Modules {
		v["module."+path] = version
	}
	for name, value := range e.Settings {
		v["setting."+name] = value
	}
	for name, value := range e.Extra {
		v["extra."+name] = value
	}
	if e.Git.Commit != "" {
		v["git.commit"], v["git.branch"] = e.Git.Commit, e.Git.Branch
		v["git.dirty"] = strconv.FormatBool(e.Git.Dirty)
		v["git.untracked"] = strings.Join(e.Git.Untracked, "\n")
		if e.Git.Dirty {
			v["git.diff_sha256"] = hexSum(e.GitDiff)
		}
	}
	if e.Git.Problem != "" {
		v["git.problem"] = e.Git.Problem
	}
	return v
}
