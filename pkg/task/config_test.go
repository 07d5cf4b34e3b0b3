package task

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestDefaultsAreValid(t *testing.T) {
	for _, name := range Names() {
		c := DefaultConfig(name)
		if name == Text || name == Text8 || name == Enwik8 {
			wantFields(t, c, "path")
			c.Path = "x"
		}
		wantFields(t, c)
	}
	if c := DefaultConfig("nonsense"); !reflect.DeepEqual(c, Config{Name: "nonsense"}) {
		t.Errorf("DefaultConfig of an unknown name is %+v", c)
	}
}

// wantFields checks that exactly these fields of the config are wrong.
func wantFields(t *testing.T, c Config, fields ...string) {
	t.Helper()
	var got []string
	for _, err := range c.Validate() {
		var fe *FieldError
		if !errors.As(err, &fe) || fe.Want == "" || !strings.Contains(err.Error(), fe.Field+" is ") {
			t.Errorf("error %q has no field, value and range", err)
			continue
		}
		got = append(got, fe.Field)
	}
	if strings.Join(got, " ") != strings.Join(fields, " ") {
		t.Errorf("%+v: wrong fields %q, want %q (%v)", c, got, fields, c.Validate())
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   Name
		change func(*Config)
		want   string
	}{
		{MQAR, func(c *Config) { c.Name = "mqra" }, "name"},
		{MQAR, func(c *Config) { c.Variant = "" }, "variant"},
		{MQAR, func(c *Config) { c.Variant = Lag }, "variant"},
		{Induction, func(c *Config) { c.Variant = Final }, "variant"},
		{MQAR, func(c *Config) { c.Length = 47 }, "length"},
		{MQAR, func(c *Config) { c.Length = 30 }, "length"},
		{MQAR, func(c *Config) { c.Length = 64 }, "vocab"},
		{MQAR, func(c *Config) { c.EvalLengths = []int{62, 64} }, "vocab"},
		{MQAR, func(c *Config) { c.TrainLengths = []int{32, 64} }, "vocab"},
		{MQAR, func(c *Config) { c.Pairs = 0 }, "pairs"},
		{MQAR, func(c *Config) { c.Pairs = 13 }, "length"},
		{MQAR, func(c *Config) { c.Pairs = math.MaxInt }, "pairs"},
		{MQAR, func(c *Config) { c.Pairs, c.Length, c.Batch, c.Path = 0, 3, 0, "x" }, "length batch pairs path"},
		{MQAR, func(c *Config) { c.TrainLengths = []int{32, 47} }, "train_lengths"},
		{MQAR, func(c *Config) { c.EvalLengths = []int{33} }, "eval_lengths"},
		{Induction, func(c *Config) { c.Length = 2 }, "length"},
		{Induction, func(c *Config) { c.Length = -1 }, "length"},
		{Induction, func(c *Config) { c.Length = maxLength + 1 }, "length"},
		{Induction, func(c *Config) { c.Vocab = 3 }, "vocab"},
		{Induction, func(c *Config) { c.Vocab = maxVocab + 1 }, "vocab"},
		{Induction, func(c *Config) { c.Memorize = 1 }, "memorize"},
		{Induction, func(c *Config) { c.Pairs = 1 }, "pairs"},
		{Induction, func(c *Config) { c.EvalLengths = []int{64, 64} }, "eval_lengths"},
		{Induction, func(c *Config) { c.EvalLengths = []int{64, 32} }, "eval_lengths"},
		{Induction, func(c *Config) { c.EvalLengths = make([]int, 65) }, "eval_lengths"},
		{Induction, func(c *Config) { c.TrainLengths = []int{16} }, "train_lengths"},
		{Induction, func(c *Config) { c.TrainLengths = []int{20, 16} }, "train_lengths"},
		{Induction, func(c *Config) { c.TrainLengths = []int{2, 16} }, "train_lengths"},
		{Induction, func(c *Config) { c.TrainLengths = []int{3, 4, 5} }, "train_lengths"},
		{Induction, func(c *Config) { c.Batch = 0 }, "batch"},
		{Induction, func(c *Config) { c.Batch = maxBatch + 1 }, "batch"},
		{Induction, func(c *Config) { c.Batch, c.Length = maxBatch, 1024 }, "batch"},
		{Induction, func(c *Config) { c.EvalBatches = 0 }, "eval_batches"},
		{Induction, func(c *Config) { c.EvalBatches = maxEvalBatches + 1 }, "eval_batches"},
		{Induction, func(c *Config) { c.Path = "x" }, "path"},
		{Induction, func(c *Config) { c.Digest = "x" }, "digest"},
		{SelectiveCopying, func(c *Config) { c.Memorize = 0 }, "memorize"},
		{SelectiveCopying, func(c *Config) { c.Memorize = 1 << 24; c.Batch = 8 }, "batch"},
		{Copying, func(c *Config) { c.Variant, c.Length = Lag, 4 }, "length"},
		{Copying, func(c *Config) { c.Variant, c.Memorize = Lag, -1 }, "memorize"},
		{Adding, func(c *Config) { c.Vocab = 2 }, "vocab"},
		{Adding, func(c *Config) { c.Length = 1 }, "length"},
		{Parity, func(c *Config) { c.Vocab = 2 }, "vocab"},
		{FirstToken, func(c *Config) { c.Vocab = 7 }, "vocab"},
		{FirstToken, func(c *Config) { c.Length = 1 }, "length"},
		{GoSource, func(c *Config) { c.Digest = strings.Repeat("A", 64) }, "digest"},
		{GoSource, func(c *Config) { c.Digest = "abc" }, "digest"},
		{GoSource, func(c *Config) { c.Vocab = 256 }, "vocab"},
		{GoSource, func(c *Config) { c.Include = []string{"*.go"} }, "include"},
		{Induction, func(c *Config) { c.Exclude = []string{"x"} }, "exclude"},
		{Text8, func(c *Config) {}, "path"},
		{Text, func(c *Config) {
			c.Path, c.Include, c.Exclude = "x", []string{"*.md", "a/**/b"}, []string{"**/x", "[a-c]?"}
		}, ""},
		{Text, func(c *Config) { c.Path, c.Include = "x", []string{"[a"} }, "include"},
		{Text, func(c *Config) { c.Path, c.Include = "x", []string{"ok", "/etc"} }, "include"},
		{Text, func(c *Config) { c.Path, c.Include = "x", []string{"a//b"} }, "include"},
		{Text, func(c *Config) { c.Path, c.Include = "x", []string{"a/"} }, "include"},
		{Text, func(c *Config) { c.Path, c.Include = "x", []string{"./a"} }, "include"},
		{Text, func(c *Config) { c.Path, c.Exclude = "x", []string{""} }, "exclude"},
		{Text, func(c *Config) { c.Path, c.Exclude = "x", []string{"a/../b"} }, "exclude"},
		{Text, func(c *Config) { c.Path, c.Exclude = "x", []string{strings.Repeat("**/", 5) + "x"} }, "exclude"},
		{Text, func(c *Config) { c.Path, c.Exclude = "x", []string{strings.Repeat("x", 257)} }, "exclude"},
		{Text, func(c *Config) { c.Path, c.Exclude = "x", slices.Repeat([]string{"x"}, 65) }, "exclude"},
	} {
		cfg := DefaultConfig(c.name)
		c.change(&cfg)
		wantFields(t, cfg, strings.Fields(c.want)...)
	}
	cfg := DefaultConfig(GoSource)
	cfg.Digest = strings.Repeat("0a", 32)
	wantFields(t, cfg)
}

func TestFieldErrorText(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{Name: "x"}, `task x: name is "x", want one of selective-copying, copying, induction, mqar, adding, parity, ` +
			`first-token, go-source, text, text8, enwik8`},
		{Config{Name: MQAR, Variant: Zero, Length: 30, Batch: 1, Vocab: 64, Pairs: 8, EvalBatches: 1},
			"task mqar: length is 30, want even, 32 to 16777216"},
		{DefaultConfig(Text), `task text: path is "", want the file or directory to read: --set task.path=DIR`},
		{DefaultConfig(Text8), `task text8: path is "", want the unpacked file text8 of 100000000 bytes: --set task.path=FILE`},
		{Config{Name: Text, Length: 9, Batch: 1, EvalBatches: 1, Path: "x", Exclude: []string{"/a"}}, `task text: exclude is "/a", ` +
			`want patterns such as "*.md" or "docs/**/*.txt": relative, with slashes, of at most 256 bytes and 4 times "**"`},
		{Config{Name: Parity, Variant: "x", Length: 30, Batch: 1, EvalBatches: 1},
			`task parity: variant is "x", want one of final, prefix`},
	} {
		if errs := c.cfg.Validate(); len(errs) != 1 || errs[0].Error() != c.want {
			t.Errorf("errors are %v, want %s", errs, c.want)
		}
	}
}

func TestParseConfig(t *testing.T) {
	for _, name := range Names() {
		want := DefaultConfig(name)
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseConfig(data); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s comes back as %+v (%v), want %+v", data, got, err, want)
		}
	}
	data, _ := json.Marshal(DefaultConfig(Induction))
	const canonical = `{"name":"induction","length":16,"batch":16,"vocab":16,"eval_lengths":[32,64,256],"eval_batches":16}`
	if string(data) != canonical { // configs are stored by the hash of this
		t.Errorf("JSON is %s, want %s", data, canonical)
	}
	for text, want := range map[string]string{
		`{"name":"mqar","lenght":3}`: `unknown field "lenght"`,
		`{"name":"mqar"} {}`:         "something after the JSON object",
		`{"name":3}`:                 "name",
		`{"length":1e99}`:            "length",
		``:                           "EOF",
		`[]`:                         "cannot unmarshal",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseConfig(%s) gives %v, want an error with %q", text, err, want)
		}
	}
}

// Whatever parses either is refused by Validate or gives batches that keep the spec.
func FuzzParseConfig(f *testing.F) {
	for _, name := range Names() {
		data, _ := json.Marshal(DefaultConfig(name))
		f.Add(data)
	}
	f.Add([]byte(`{"name":"mqar","variant":"random","length":8,"batch":1,"vocab":9,"pairs":2,"eval_batches":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := ParseConfig(again); err != nil {
			t.Fatalf("%s does not parse again: %v", again, err)
		} else if third, _ := json.Marshal(d); string(third) != string(again) {
			t.Fatalf("%s becomes %s", again, third)
		}
		k, ok := kindOf(c.Name)
		if len(c.Validate()) > 0 || !ok || k.corpus || c.Batch*(c.longest()+k.extra(c)) > 1<<16 || c.Vocab > 1<<12 {
			return
		}
		x, err := New(c, 1)
		if err != nil {
			t.Fatal(err)
		}
		checkBatch(t, x.Train(0), x.Spec(), c.Batch)
		for _, split := range x.Spec().Splits {
			b, ok := x.Eval(split, 0)
			if !ok {
				t.Fatalf("split %s is empty", split)
			}
			checkBatch(t, b, x.Spec(), c.Batch)
		}
	})
}
