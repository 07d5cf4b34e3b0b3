package tracker

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestCaptureEnvironment(t *testing.T) {
	t.Setenv("WANDB_API_KEY", "hunter2-environment")
	t.Setenv("GODEBUG", "madvdontneed=1")
	dir := gitRepo(t)
	t.Chdir(dir)
	env, err := CaptureEnvironment(ctx)
	must(t, err)
	v := env.Values()
	if env.GoVersion != runtime.Version() || env.Cores < 1 || env.CPU == "" || env.Host == "" || env.Git.Commit == "" || env.Git.Dirty ||
		v["setting.env.GODEBUG"] != "madvdontneed=1" || v["go.module"] == "" || v["setting.build.GOARCH"] != runtime.GOARCH {
		t.Errorf("clean: %+v", v)
	}
	if runtime.GOOS == "linux" && (env.MemoryBytes < 1<<20 || v["memory.bytes"] == "" || v["os.kernel"] == "" || v["os.version"] == "") {
		t.Errorf("the machine: %+v", v)
	}
	if runtime.GOARCH == "amd64" && !strings.Contains(v["cpu.features"], "sse4.2") {
		t.Errorf("features %q", v["cpu.features"])
	}
	if (v["gpu.models"] == "") != (v["gpu.problem"] != "") {
		t.Errorf("GPUs %q, and the problem is %q", v["gpu.models"], v["gpu.problem"])
	}
	if strings.Contains(fmt.Sprint(v), "hunter2") {
		t.Error("a secret from the environment was captured")
	}

	must(t, os.WriteFile(filepath.Join(dir, "tracked"), []byte("changed\n"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "new file"), []byte("secret content\n"), 0o644))
	env, err = CaptureEnvironment(ctx)
	must(t, err)
	if !env.Git.Dirty || len(env.Git.Untracked) != 1 || env.Git.Untracked[0] != "new file" ||
		!bytes.Contains(env.GitDiff, []byte("+changed")) || bytes.Contains(env.GitDiff, []byte("secret content")) {
		t.Errorf("dirty: %+v\n%s", env.Git, env.GitDiff)
	}

	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "r", Environment: env})
	other := startRun(t, s, RunConfig{Environment: env})
	stored, err := s.Environment(ctx, "r")
	must(t, err)
	if fmt.Sprint(stored) != fmt.Sprint(env.Values()) {
		t.Errorf("stored %v", stored)
	}
	diff, err := s.ReadArtifact(ctx, r.ID(), "environment/git.diff")
	must(t, err)
	if !bytes.Equal(diff, env.GitDiff) {
		t.Errorf("diff %q", diff)
	}
	var n int
	must(t, s.rdb.QueryRow("SELECT count(*) FROM environments").Scan(&n))
	if n != 1 || other.RowID() == r.RowID() {
		t.Errorf("%d environments stored, want 1", n)
	}
}

func gitRepo(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "tracked"), []byte("first\n"), 0o644))
	for _, args := range [][]string{{"init", "-q"}, {"add", "tracked"}, {"-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "c"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("git %v: %v %s", args, err, out)
		}
	}
	return dir
}

func TestCaptureOutsideGit(t *testing.T) {
	t.Setenv("GIT_CEILING_DIRECTORIES", "/")
	t.Chdir(t.TempDir())
	env, err := CaptureEnvironment(ctx)
	must(t, err)
	if env.Git.Commit != "" || env.Git.Problem == "" || len(env.GitDiff) != 0 {
		t.Errorf("git %+v", env.Git)
	}
	t.Setenv("PATH", "")
	env, err = CaptureEnvironment(ctx)
	must(t, err)
	if env.Git.Problem != "git is not installed" {
		t.Errorf("git %+v", env.Git)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := CaptureEnvironment(cancelled); err == nil {
		t.Error("a cancelled context gave no error")
	}
}

// TestBuildInfo: a test binary carries no list of modules, so here is one.
func TestBuildInfo(t *testing.T) {
	env := Environment{Modules: map[string]string{}, Settings: map[string]string{}}
	env.addBuildInfo(&debug.BuildInfo{
		Main: debug.Module{Path: "example.org/m", Version: "(devel)"},
		Deps: []*debug.Module{{Path: "a", Version: "v1.0.0"}, {Path: "b", Version: "v2.0.0", Replace: &debug.Module{Path: "../b"}}},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "-ldflags", Value: "-X main.token=x"},
			{Key: "CGO_CFLAGS", Value: "-I/home/x"}},
	})
	if got := fmt.Sprint(env.Module, env.Modules, env.Settings); got !=
		"example.org/m (devel)map[a:v1.0.0 b:v2.0.0 => ../b] map[build.vcs.revision:abc]" {
		t.Error(got)
	}
}

func TestRedact(t *testing.T) {
	args := []string{"prog", "--token=abc", "--api-key", "abc", "-password", "abc", "--tokens", "1000", "--lr=0.1", "--auth_token=abc", "--secret", "--x", "key=1"}
	want := "[prog --token=*** --api-key *** -password *** --tokens 1000 --lr=0.1 --auth_token=*** --secret --x key=1]"
	if got := fmt.Sprint(redact(args)); got != want {
		t.Errorf("got %s", got)
	}
	if args[1] != "--token=abc" {
		t.Error("the arguments themselves were changed")
	}
}
