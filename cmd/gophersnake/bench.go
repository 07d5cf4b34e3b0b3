package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/tracker"
)

func (a *App) benchCommand() *cobra.Command {
	var out string
	var quick bool
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "measure how time grows with length, and the speed of training",
		Long: `Measures forward and backward of one block of several rungs at rising lengths and
fits the exponent of growth; then the training of a Mamba language model (width
128, 2 layers, batches of 8 × 1024 bytes of Go source): tokens a second, memory of
the process, and how much memory the steps after the first add.

Other work on the machine disturbs the measurement.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.bench(cmd.Context(), out, quick) },
	}
	cmd.Flags().StringVar(&out, "out", "out", "folder for tables and the figure")
	cmd.Flags().BoolVar(&quick, "quick", false, "shorter lengths and fewer steps: a look, not a measurement")
	return cmd
}

func (a *App) bench(ctx context.Context, out string, quick bool) error {
	if err := writableDir(out); err != nil {
		return err
	}
	env, err := tracker.CaptureEnvironment(ctx)
	if err != nil {
		return err
	}
	head := fmt.Sprintf("%s, %d cores, kernels %s, %s", env.CPU, env.MaxProcs, kernels("cpu"), env.GoVersion)
	fmt.Fprintln(a.Out, head)
	speed, err := a.measureSpeed(ctx, quick)
	if err != nil {
		return err
	}
	a.print(speed)
	c := lab.DefaultScalingConfig()
	if quick {
		c.Lengths, c.Repeats = []int{32, 64, 128}, 1
	}
	scaling, err := lab.MeasureScaling(ctx, c)
	if err != nil {
		return err
	}
	a.print(scaling.Table())
	figure, err := scaling.Figure()
	if err != nil {
		return err
	}
	text := fmt.Sprintf("# Speed\n\n%s\n\n%s\n%s\n![time by length](scaling.svg)\n", head, speed.Markdown(), scaling.Table().Markdown())
	return errors.Join(figure.Save(filepath.Join(out, "scaling")), writeFile(out, "bench.md", text),
		writeFile(out, "scaling.csv", scaling.CSV()))
}

// speedJob is what a child process is asked to measure.
type speedJob struct {
	Experiment lab.Experiment
	Steps      int
}

// speedReply is what it answers.
type speedReply struct {
	lab.SpeedResult
	PeakBytes int64 // greatest resident size, 0 if the system does not tell
}

// measureSpeed trains in a process of its own, so that its memory is that of
// training and nothing else.
func (a *App) measureSpeed(ctx context.Context, quick bool) (*table.Table, error) {
	job := speedJob{Experiment: lab.DefaultExperiment(task.GoSource), Steps: 8}
	e := &job.Experiment
	e.Model.D, e.Model.Layers = 128, 2
	e.Task.Batch, e.Task.Length = 8, 1024
	if quick {
		e.Model.D, e.Task.Batch, e.Task.Length, job.Steps = 16, 2, 64, 2
	}
	r, err := childSpeed(ctx, job)
	if err != nil {
		return nil, err
	}
	t := table.New(fmt.Sprintf("Training Mamba, width %d, %d layers, batches of %d × %d bytes, %s", e.Model.D, e.Model.Layers,
		e.Task.Batch, e.Task.Length, e.Device), "what", "value", "unit")
	t.Add("speed", fmt.Sprintf("%.0f", r.TokensPerSecond), "tokens/s")
	t.Add("step (forward, backward, update)", fmt.Sprintf("%.1f", 1e3*r.StepSeconds), "ms")
	peak := "–"
	if r.PeakBytes > 0 {
		peak = fmt.Sprintf("%.0f", float64(r.PeakBytes)/1e6)
	}
	t.Add("greatest resident memory", peak, "MB")
	t.Add("memory added after the first step", fmt.Sprint(r.GrowthBytes), "bytes")
	t.Note(fmt.Sprintf("Median of %d steps in a process of its own; memory includes the corpus, all of Go's source.", r.Steps))
	return t, nil
}

// childSpeed asks a fresh process of this program.
func childSpeed(ctx context.Context, job speedJob) (r speedReply, err error) {
	exe, err := os.Executable()
	if err != nil {
		return r, err
	}
	in, err := json.Marshal(job)
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, exe, "measure-speed")
	var out, problems bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &problems
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return r, context.Cause(ctx)
		}
		return r, fmt.Errorf("measuring the speed: %w: %s", err, strings.TrimSpace(problems.String()))
	}
	return r, json.Unmarshal(out.Bytes(), &r)
}

// speedCommand is the child's side of childSpeed.
func (a *App) speedCommand() *cobra.Command {
	return &cobra.Command{
		Use: "measure-speed", Short: "the process that bench starts", Hidden: true, Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var job speedJob
			if err := json.NewDecoder(a.In).Decode(&job); err != nil {
				return err
			}
			speed, err := lab.MeasureSpeed(cmd.Context(), job.Experiment, job.Steps, 0)
			if err != nil {
				return err
			}
			return a.printJSON(speedReply{SpeedResult: *speed, PeakBytes: peakBytes("/proc/self/status")})
		},
	}
}

// peakBytes reads the greatest resident size of this process where Linux tells
// it, and returns 0 elsewhere.
func peakBytes(status string) int64 {
	data, err := os.ReadFile(status)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err == nil {
				return kB * 1024
			}
		}
	}
	return 0
}
