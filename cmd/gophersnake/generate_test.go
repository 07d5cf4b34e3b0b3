package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// brokenWriter fails with err after some writes.
type brokenWriter struct {
	left int
	err  error
}

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, w.err
	}
	return len(p), nil
}

// A pipe that is closed ends the drawing without an error, a full disk with one.
func TestDrawIntoABrokenPipe(t *testing.T) {
	e := lab.DefaultExperiment(task.Copying)
	e.Steps, e.EvalEvery, e.Task.EvalBatches = 1, 1, 1
	result, err := lab.Run(context.Background(), e, lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ fails, want error }{{syscall.EPIPE, nil}, {syscall.ENOSPC, syscall.ENOSPC}} {
		w := &brokenWriter{left: 3, err: c.fails}
		o := lab.GenerateOptions{Prompt: []int32{1}, Tokens: 1 << 40}
		if err := (&App{Out: w}).draw(context.Background(), result.Checkpoint, o, false); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("after %v: error %v, want %v", c.fails, err, c.want)
		}
	}
}

// What is read from the standard input is the prompt as it is.
func TestReadPrompt(t *testing.T) {
	for in, want := range map[string]string{"a\xff\r\n": "a\xff\r\n", "\xef\xbb\xbfx": "\xef\xbb\xbfx", "\n": "\n", "": ""} {
		a := &App{In: strings.NewReader(in), Out: &bytes.Buffer{}}
		cmd := a.generateCommand()
		if err := cmd.Flags().Set("prompt", "-"); err != nil {
			t.Fatal(err)
		}
		f := generateFlags{prompt: "-"}
		err := a.readPrompt(cmd, &f)
		if (err != nil) != (in == "") || f.prompt != want {
			t.Errorf("%q is read as %q, error %v", in, f.prompt, err)
		}
	}
}
