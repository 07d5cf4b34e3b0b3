package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"syscall"
	"unicode"

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
	topK        int
	topP        float64
	seed        uint64
	workers     int
	weights     string
}

// maxPrompt is the most bytes of a prompt, so that a wrong pipe does not fill the memory.
const maxPrompt = 1 << 20

func (a *App) generateCommand() *cobra.Command {
	var f generateFlags
	cmd := &cobra.Command{
		Use:   "generate RUN",
		Short: "draw text from a trained model",
		Long: `Loads the newest checkpoint of a run and draws tokens one at a time, each step
going on from the state of the last. A model of bytes writes text; any other
writes the numbers of its symbols, and takes a prompt of such numbers between
spaces, commas or line breaks.

--prompt - reads the prompt from the standard input, byte by byte as it is, the
line break at its end included. Without --prompt a model of bytes reads "func ",
any other the symbol 1.

--temperature divides the scores, then --top-k leaves the K most likely tokens,
then --top-p of these the fewest that together have the share P of what they
have. Tokens of equal scores rank by their numbers; one is always left.

--weights bf16 or int8 keeps the weight matrices in two bytes or one a number
instead of four: the scores change by some tenths of a per cent, and a model
that does not fit into the processor's caches draws two to four times as fast.

The same run, prompt, temperature, filters, seed and weights draw the same tokens.`,
		Example: `  gophersnake generate RUN --prompt 'func (' --tokens 400 --temperature 0.7
  gophersnake generate RUN --temperature 1 --top-k 40 --top-p 0.95
  head -c 200 main.go | gophersnake generate RUN --prompt - --tokens 100
  gophersnake generate RUN --prompt '3 1 4 1 5' --tokens 10 --temperature 0`,
		Args:              takes("RUN"),
		ValidArgsFunction: a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			if err := a.readPrompt(cmd, &f); err != nil {
				return err
			}
			return a.withStore(func(s *tracker.Store) error { return a.generate(cmd, s, args[0], f) })
		},
	}
	f.bind(cmd)
	return cmd
}

// bind declares the flags.
func (f *generateFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.prompt, "prompt", "", "what the model reads first, - for the standard input (default \"func \", or symbol 1)")
	flags.IntVar(&f.tokens, "tokens", 200, "how many to draw")
	flags.Float64Var(&f.temperature, "temperature", 0.8, "0 takes the most likely token; larger is bolder")
	flags.IntVar(&f.topK, "top-k", 0, "draw from the K most likely tokens only, 0 for all")
	flags.Float64Var(&f.topP, "top-p", 1, "draw from the fewest tokens that have this share of the probability, 1 for all")
	flags.Uint64Var(&f.seed, "seed", 1, "of the draw")
	flags.IntVar(&f.workers, "workers", 0, "cores, 0 for all")
	flags.StringVar(&f.weights, "weights", string(tensor.WeightsFloat32), "format of the weights: "+weightFormats())
}

// weightFormats is the formats of weights as a list.
func weightFormats() string { return strings.Join(texts(tensor.WeightFormats()), ", ") }

// check refuses values that no drawing has.
func (f generateFlags) check(cmd *cobra.Command) error {
	if !(f.temperature >= 0) || math.IsInf(f.temperature, 1) {
		return usage(cmd, fmt.Errorf("--temperature is %g, want a number of 0 or more", f.temperature))
	}
	if !(f.topP > 0 && f.topP <= 1) {
		return usage(cmd, fmt.Errorf("--top-p is %g, want a share above 0 and up to 1; 1 draws from all tokens", f.topP))
	}
	if tensor.CheckWeights(tensor.Weights(f.weights)) != nil {
		return usage(cmd, fmt.Errorf("--weights is %q, want one of %s", f.weights, weightFormats()))
	}
	return notNegative(cmd, "tokens", "top-k", "workers")
}

// readPrompt reads the prompt that is on the standard input. No prompt stays the
// default of the model; an empty one is a mistake, mostly an empty variable.
func (a *App) readPrompt(cmd *cobra.Command, f *generateFlags) error {
	if !cmd.Flags().Changed("prompt") {
		return nil
	}
	from := "--prompt is empty"
	if f.prompt == "-" {
		from = "--prompt - read nothing from the standard input"
		data, err := io.ReadAll(io.LimitReader(a.In, maxPrompt+1))
		if err != nil {
			return fmt.Errorf("--prompt -: %w", err)
		}
		f.prompt = string(data)
	}
	if f.prompt == "" {
		return usage(cmd, errors.New(from+", want at least one byte or symbol; leave --prompt out for the default"))
	}
	if len(f.prompt) > maxPrompt {
		return usage(cmd, fmt.Errorf("--prompt has more than %d bytes, want fewer", maxPrompt))
	}
	return nil
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
	if _, err := lab.Bind(e, nil); err != nil {
		return hinted(fmt.Errorf("nothing can be drawn from run %s at the command line: %w", past.ID, err), a.byProgram(past.ID, "past, _, err",
			"err = lab.Generate(ctx, past.Checkpoint, lab.GenerateOptions{NewMixer: newMixer, Prompt: prompt, Tokens: 100}, each)"))
	}
	o := lab.GenerateOptions{Tokens: f.tokens, Temperature: f.temperature, TopK: f.topK, TopP: f.topP,
		Seed: f.seed, Workers: f.workers, Weights: tensor.Weights(f.weights)}
	text := byteLevel(e.Task.Name)
	if o.Prompt, err = promptTokens(f.prompt, task.SpecOf(e.Task).VocabIn, text); err != nil {
		return usage(cmd, err)
	}
	return a.draw(ctx, past.Checkpoint, o, text)
}

// byProgram is the hint of a command that has no constructor for the mixer of a
// run: the Go that does the same.
func (a *App) byProgram(id, results, call string) string {
	return fmt.Sprintf("a notebook or a program does it, with newMixer the function that makes the mixer:\n"+
		"  book, err := nb.Open(%q)\n  %s := book.Past(%q)\n  %s", a.db, results, id, call)
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
	if errors.Is(failed, syscall.EPIPE) { // who read has enough, as head does
		return err
	}
	if begun {
		fmt.Fprintln(a.Out)
	}
	return errors.Join(err, failed)
}

// promptTokens reads a prompt: its bytes, or numbers between white space or
// commas, each a symbol below vocab (0: the model takes no symbols). "" is the
// default.
func promptTokens(prompt string, vocab int, text bool) ([]int32, error) {
	if text {
		if prompt == "" {
			prompt = "func "
		}
		out := make([]int32, 0, len(prompt))
		for _, b := range []byte(prompt) {
			out = append(out, int32(b))
		}
		return out, nil
	}
	if prompt == "" {
		prompt = "1"
	}
	var out []int32
	for _, word := range strings.FieldsFunc(prompt, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
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
