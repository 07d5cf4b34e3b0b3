package tracker

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childMain is what a child process does; the parent reads its standard output.
func childMain(mode string) int {
	path, name := os.Getenv("TRACKER_TEST_DB"), os.Getenv("TRACKER_TEST_NAME")
	var err error
	switch mode {
	case "log":
		err = childLog(path, name)
	case "write":
		err = childWrite(path, name)
	case "hold":
		err = childHold(path, name)
	case "full":
		err = childFull(path, name)
	case "unprivileged":
		err = childUnprivileged(path)
	default:
		err = errors.New("unknown mode " + mode)
	}
	if err != nil {
		fmt.Println("ERROR", err)
		return 1
	}
	return 0
}

type child struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	name  string
}

func startChild(t *testing.T, mode, path, name string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "TRACKER_TEST_CHILD="+mode, "TRACKER_TEST_DB="+path, "TRACKER_TEST_NAME="+name)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	c := &child{cmd: cmd, lines: bufio.NewScanner(out), name: name}
	t.Cleanup(func() { c.kill() })
	return c
}

// next returns the child's next line; an error line ends the test.
func (c *child) next(t *testing.T) (line string, ok bool) {
	t.Helper()
	if !c.lines.Scan() {
		return "", false
	}
	if strings.HasPrefix(c.lines.Text(), "ERROR") {
		t.Fatalf("child %s: %s", c.name, c.lines.Text())
	}
	return c.lines.Text(), true
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// childLog logs without end, alternating single values and batches, and prints the last step after each acknowledgement.
func childLog(path, name string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	r, err := s.StartRun(RunConfig{Experiment: "kill", Name: name})
	if err != nil {
		return err
	}
	for step := int64(0); ; {
		if step%50 < 40 {
			if err := r.Log("x", step, float64(step)*0.5); err != nil {
				return err
			}
			step++
		} else {
			var batch []Point
			for ; step%50 != 0; step++ {
				batch = append(batch, Point{Key: "x", Step: step, Value: float64(step) * 0.5})
			}
			if err := r.LogBatch(batch); err != nil {
				return err
			}
		}
		if _, err := fmt.Println(step - 1); err != nil {
			return err
		}
	}
}

// TestKill: children log as fast as they can and are killed at random moments, while the store is opened and read in
// between. Every acknowledged value is there, once, and the store is sound.
func TestKill(t *testing.T) {
	path := testPath(t)
	must(t, openAt(t, path).Close())
	const rounds, children = 3, 3
	acknowledged := map[string]int64{}
	total := int64(0)
	for round := range rounds {
		var alive []*child
		for i := range children {
			alive = append(alive, startChild(t, "log", path, fmt.Sprintf("kill-%d-%d", round, i)))
		}
		for _, c := range alive {
			_, ok := c.next(t) // it has begun
			if !ok {
				t.Fatal("a child ended by itself")
			}
		}
		for _, c := range alive {
			time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond)
			must(t, c.cmd.Process.Kill())
			last := int64(0)
			for line, ok := c.next(t); ok; line, ok = c.next(t) {
				n, err := strconv.ParseInt(line, 10, 64)
				if err != nil {
					break // the line that the kill cut
				}
				last = n
			}
			c.kill()
			acknowledged[c.name] = last
			total += last + 1
			checkKilled(t, path, acknowledged)
		}
	}
	t.Logf("%d acknowledged values of %d killed processes are all there", total, rounds*children)
}

// checkKilled opens the store, which replays, and compares.
func checkKilled(t *testing.T, path string, acknowledged map[string]int64) {
	t.Helper()
	s := openAt(t, path)
	defer s.Close()
	for name, last := range acknowledged {
		points := history(t, s, name, "x", "")
		if int64(len(points)) <= last {
			t.Fatalf("%s: %d values, acknowledged %d", name, len(points), last+1)
		}
		for i, p := range points {
			if p.Step != int64(i) || p.Value != float64(i)*0.5 {
				t.Fatalf("%s: value %d is %+v", name, i, p)
			}
		}
		info, err := s.Run(ctx, name)
		must(t, err)
		if info.Status != StatusCrashed || info.LastStep != int64(len(points)-1) {
			t.Errorf("%s is %s with last step %d of %d", name, info.Status, info.LastStep, len(points))
		}
	}
	for _, r := range s.Recovered() {
		if r.Missing != 0 || r.Unknown {
			t.Errorf("recovered %+v", r)
		}
	}
	if problems, err := s.strings(ctx, "SELECT * FROM pragma_integrity_check"); err != nil || len(problems) != 1 || problems[0] != "ok" {
		t.Fatalf("integrity: %v %v", problems, err)
	}
}

// childWrite commits many batches and reports its slowest commit in milliseconds.
func childWrite(path, name string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	r, err := s.StartRun(RunConfig{Experiment: "writers", Name: name})
	if err != nil {
		return err
	}
	slowest := time.Duration(0)
	for b := range int64(20) {
		var batch []Point
		for i := range int64(100) {
			batch = append(batch, Point{Key: "x", Step: b*100 + i, Value: 1})
		}
		begin := time.Now()
		if err := errors.Join(r.LogBatch(batch), r.Flush()); err != nil {
			return err
		}
		slowest = max(slowest, time.Since(begin))
	}
	fmt.Println(slowest.Milliseconds())
	return errors.Join(r.Finish(StatusFinished), s.Close())
}

// TestManyProcesses: several processes create the database together and write to it without an error.
func TestManyProcesses(t *testing.T) {
	path := testPath(t)
	var children []*child
	for i := range 5 {
		children = append(children, startChild(t, "write", path, fmt.Sprintf("w%d", i)))
	}
	for _, c := range children {
		line, ok := c.next(t)
		if err := c.cmd.Wait(); err != nil || !ok {
			t.Fatalf("%s: %v", c.name, err)
		}
		t.Logf("%s: slowest commit %s ms", c.name, line)
	}
	s := openAt(t, path)
	runs, err := s.Runs(ctx, Filter{Statuses: []Status{StatusFinished}})
	must(t, err)
	if len(runs) != 5 {
		t.Errorf("%d finished runs", len(runs))
	}
	for _, r := range runs {
		if n := len(history(t, s, r.ID, "x", "")); n != 2000 {
			t.Errorf("%s has %d values", r.Name, n)
		}
	}
}

// childHold starts a run, commits one value and waits to be killed.
func childHold(path, name string) error {
	cfg := DefaultConfig(path)
	cfg.HeartbeatInterval = 50 * time.Millisecond
	s, err := OpenConfig(cfg)
	if err != nil {
		return err
	}
	r, err := s.StartRun(RunConfig{Experiment: "hold", Name: name})
	if err != nil {
		return err
	}
	if err := r.LogSync("x", 5, 1); err != nil {
		return err
	}
	fmt.Println("ready")
	time.Sleep(time.Minute)
	return nil
}

// TestCrashDetection: a run is running while its process lives, stopped or not, and crashed as soon as it is gone.
func TestCrashDetection(t *testing.T) {
	path := testPath(t)
	clock := newFakeClock()
	clock.t = time.Now()
	s := openAt(t, path, WithClock(clock.now))
	reader := openAt(t, path, WithReadOnly(), WithClock(clock.now))
	c := startChild(t, "hold", path, "held")
	if line, _ := c.next(t); line != "ready" {
		t.Fatalf("child says %q", line)
	}
	info, err := s.Run(ctx, "held")
	must(t, err)
	if info.Status != StatusRunning || info.PID != c.cmd.Process.Pid {
		t.Errorf("alive: %+v", info)
	}
	waitForHeartbeat(t, s, info.Heartbeat)
	must(t, c.cmd.Process.Signal(syscall.SIGSTOP))
	clock.move(time.Hour)
	if got := statusOf(t, s, "held"); got != StatusRunning {
		t.Errorf("a stopped process: %s", got)
	}
	_, err = s.ResumeRun("held")
	wantError(t, err, ErrRunActive, strconv.Itoa(c.cmd.Process.Pid))
	c.kill()
	if got := statusOf(t, reader, "held"); got != StatusCrashed {
		t.Errorf("killed, read-only: %s", got)
	}
	runs, err := s.Runs(ctx, Filter{Statuses: []Status{StatusCrashed}})
	must(t, err)
	if len(runs) != 1 || runs[0].LastStep != 5 || runs[0].Finished.IsZero() {
		t.Errorf("killed: %+v", runs)
	}
	r, err := s.ResumeRun("held")
	must(t, err)
	must(t, r.Finish(StatusFinished))
}

func waitForHeartbeat(t *testing.T, s *Store, first time.Time) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		info, err := s.Run(ctx, "held")
		must(t, err)
		if info.Heartbeat.After(first) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no heartbeat after 10 s")
		}
	}
}

// childFull logs under a file size limit until it gets an error, and reports how many values were accepted.
func childFull(path, name string) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := uint64(300 << 10)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	s, err := Open(path)
	if err != nil {
		return err
	}
	r, err := s.StartRun(RunConfig{Experiment: "full", Name: name})
	if err != nil {
		return err
	}
	// At first only the journal may be full, and a commit makes room; go on until the WAL is full as well.
	accepted, refused := int64(0), 0
	for refused < 40 {
		if err = r.Log("x", accepted, 1); err == nil {
			accepted, refused = accepted+1, 0
			continue
		}
		refused++
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Println(accepted)
	fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
	_, err = r.LogArtifactBytes("big", make([]byte, limit+1))
	fmt.Println(errors.Is(err, ErrDiskFull), strings.ReplaceAll(fmt.Sprint(err), "\n", " "))
	err = s.Close()
	fmt.Println(errors.Is(err, ErrDiskFull), strings.ReplaceAll(fmt.Sprint(err), "\n", " "))
	return nil
}

// TestFileSizeLimit: a real limit of the operating system hits database, WAL and journal.
func TestFileSizeLimit(t *testing.T) {
	path := testPath(t)
	c := startChild(t, "full", path, "full")
	line, _ := c.next(t)
	accepted, err := strconv.Atoi(line)
	must(t, err)
	message, _ := c.next(t)
	if !strings.Contains(message, path) || !strings.Contains(message, "free some space") {
		t.Errorf("Log says %q", message)
	}
	for _, what := range []string{"LogArtifactBytes", "Close"} {
		if line, _ := c.next(t); !strings.HasPrefix(line, "true ") {
			t.Errorf("%s says %q", what, line)
		}
	}
	must(t, c.cmd.Wait())
	s := openAt(t, path)
	if n := len(history(t, s, "full", "x", "")); n != accepted || accepted < 100 {
		t.Errorf("%d values, accepted were %d", n, accepted)
	}
	if problems, err := s.strings(ctx, "SELECT * FROM pragma_integrity_check"); err != nil || problems[0] != "ok" {
		t.Errorf("integrity: %v %v", problems, err)
	}
}

// childUnprivileged opens a store whose folder and file it may not write.
func childUnprivileged(path string) error {
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			return err
		}
	}
	_, err := Open(path)
	fmt.Println(errors.Is(err, ErrReadOnly), err)
	s, err := Open(path, WithReadOnly())
	if err != nil {
		return err
	}
	points, err := s.History(ctx, "r", "x", "")
	if err != nil {
		return err
	}
	fmt.Println(len(points))
	return s.Close()
}

// TestReadOnlyFolder: for somebody who may not write, opening for writing says so, and reading works.
func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ro.db")
	s := openAt(t, path)
	r := startRun(t, s, RunConfig{Name: "r"})
	must(t, r.Log("x", 1, 1))
	must(t, r.Finish(StatusFinished))
	must(t, s.Close())
	must(t, os.Chmod(path, 0o444))
	must(t, os.Chmod(dir, 0o555))
	must(t, os.Chmod(filepath.Dir(dir), 0o755)) // testing makes it 0700, and the child is somebody else
	defer os.Chmod(dir, 0o755)
	c := startChild(t, "unprivileged", path, "")
	if line, _ := c.next(t); !strings.HasPrefix(line, "true ") || !strings.Contains(line, dir) || !strings.Contains(line, "may not be written") {
		t.Errorf("for writing: %q", line)
	}
	if line, _ := c.next(t); line != "1" {
		t.Errorf("for reading: %q values", line)
	}
	must(t, c.cmd.Wait())
}
