package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
	"github.com/gophersnake/gophersnake/tracker"
)

// generateFlags are the flags of the command generate.
type generateFlags struct {
	prompt      string
	tokens      int
	temperature float64
	seed        uint64
	workers     int
	weights     string
}

func (a *App) generateCommand() *cobra.Command {
	var f generateFlags
	cmd := &cobra.Command{
		Use:   "generate RUN",
		Short: "draw text from a trained model",
		Long: `Loads the newest checkpoint of a run and draws tokens one at a time, each step
going on from the state of the last. A model of bytes writes text; any other
writes the numbers of its symbols, and takes a prompt of such numbers.

--weights bf16 or int8 keeps the weight matrices in two bytes or one a number
instead of four: the scores change by some tenths of a per cent, and a model
that does not fit into the processor's caches draws two to four times as fast.

The same run, prompt, temperature, seed and weights draw the same tokens.`,
		Example: `  gophersnake generate RUN --prompt 'func (' --tokens 400 --temperature 0.7
  gophersnake generate RUN --prompt '3 1 4 1 5' --tokens 10 --temperature 0`,
		Args:              takes("RUN"),
		ValidArgsFunction: a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.tokens < 0 || !(f.temperature >= 0) {
				return usage(cmd, fmt.Errorf("--tokens is %d, --temperature is %g, want both 0 or more", f.tokens, f.temperature))
			}
			if err := notNegative(cmd, "workers"); err != nil {
				return err
			}
			if err := tensor.CheckWeights(tensor.Weights(f.weights)); err != nil {
				return usage(cmd, fmt.Errorf("--weights is %q, want one of %q", f.weights, tensor.WeightFormats()))
			}
			return a.withStore(func(s *tracker.Store) error { return a.generate(cmd, s, args[0], f) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.prompt, "prompt", "", "what the model reads first (default \"func \", or symbol 1)")
	flags.IntVar(&f.tokens, "tokens", 200, "how many to draw")
	flags.Float64Var(&f.temperature, "temperature", 0.8, "0 takes the most likely token; larger is bolder")
	flags.Uint64Var(&f.seed, "seed", 1, "of the draw")
	flags.IntVar(&f.workers, "workers", 0, "cores, 0 for all")
	flags.StringVar(&f.weights, "weights", string(tensor.WeightsFloat32), "format of the weights: float32, bf16 or int8")
	return cmd
}

// byteLevel reports whether the symbols of a task are bytes of text.
func byteLevel(name task.Name) bool {
	switch name {
	case task.GoSource, task.Text, task.Text8, task.Enwik8:
		return true
	}
	return false
}

func (a *App) generate(cmd *cobra.Command, s *tracker.Store, ref string, f generateFlags) error {
	ctx := cmd.Context()
	past, e, err := logbook.Past(ctx, s, ref)
	if past != nil {
		err = a.damagedHint(past.ID, err)
	}
	if err != nil {
		return err
	}
	if past.Checkpoint == nil {
		return fmt.Errorf("run %s left no checkpoint to generate from", past.ID)
	}
	o := lab.GenerateOptions{Tokens: f.tokens, Temperature: f.temperature, Seed: f.seed, Workers: f.workers, Weights: tensor.Weights(f.weights)}
	text := byteLevel(e.Task.Name)
	if o.Prompt, err = promptTokens(f.prompt, task.SpecOf(e.Task).VocabIn, text); err != nil {
		return usage(cmd, err)
	}
	return a.draw(ctx, past.Checkpoint, o, text)
}

// draw writes prompt and tokens as they come.
func (a *App) draw(ctx context.Context, checkpoint []byte, o lab.GenerateOptions, text bool) error {
	w := &tokenWriter{w: bufio.NewWriter(a.Out), text: text, safe: width(a.Out) > 0}
	begun := false
	var failed error
	err := lab.Generate(ctx, checkpoint, o, func(token int32) bool {
		if !begun { // an error before the first token leaves the output empty
			begun = true
			for _, t := range o.Prompt {
				w.write(t)
			}
		}
		w.write(token)
		failed = w.w.Flush()
		return failed == nil
	})
	if begun {
		fmt.Fprintln(a.Out)
	}
	return errors.Join(err, failed)
}

// promptTokens reads a prompt: its bytes, or numbers between spaces or commas,
// each a symbol below vocab (0: the model takes no symbols).
func promptTokens(prompt string, vocab int, text bool) ([]int32, error) {
	if text {
		if prompt == "" {
			prompt = "func "
		}
		var out []int32
		for _, b := range []byte(prompt) {
			out = append(out, int32(b))
		}
		return out, nil
	}
	if prompt == "" {
		prompt = "1"
	}
	var out []int32
	for _, word := range strings.FieldsFunc(prompt, func(r rune) bool { return r == ' ' || r == ',' }) {
		n, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("--prompt has %q, want numbers of symbols: the model is not one of bytes", word)
		}
		if n < 0 || vocab > 0 && n >= int64(vocab) {
			return nil, fmt.Errorf("--prompt has symbol %d, want 0 to %d", n, vocab-1)
		}
		out = append(out, int32(n))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("--prompt is %q, want at least one symbol", prompt)
	}
	return out, nil
}

// tokenWriter writes tokens as bytes or as numbers.
type tokenWriter struct {
	w    *bufio.Writer
	text bool
	safe bool // the output is a terminal: control characters are shown, not sent
	any  bool
}

func (t *tokenWriter) write(token int32) {
	switch {
	case !t.text && t.any:
		fmt.Fprintf(t.w, " %d", token)
	case !t.text:
		io.WriteString(t.w, strconv.Itoa(int(token)))
	case t.safe && (token < ' ' && token != '\n' && token != '\t' || token == 0x7f):
		fmt.Fprintf(t.w, `\x%02x`, token)
	default:
		t.w.WriteByte(byte(token))
	}
	t.any = true
}
