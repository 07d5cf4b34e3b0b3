//go:build gophernotes

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/internal/bindings"
)

// The tests run cells on one evaluator, without sockets; testdata/conformance.py
// drives the whole kernel as Jupyter does.
var shared *kernel

func TestMain(m *testing.M) {
	mend()
	shared = &kernel{evaluator: newEvaluator(func(Data) error { return nil })}
	os.Exit(m.Run())
}

func cell(t *testing.T, code string) outcome {
	t.Helper()
	return shared.evaluate("In[1]", code)
}

func TestCells(t *testing.T) {
	for _, c := range []struct{ name, code, want string }{
		{"min of constants", "min(3, 1, 2)", "1"},
		{"max of constants", "max(1, 2.5)", "2.5"},
		{"min of floats", "x := 1.5; min(x, 2)", "1.5"},
		{"max of ints", "a, b := 3, 4; max(a, b)", "4"},
		{"max of strings", `s := "a"; max(s, "b", "ab")`, "b"},
		{"min of bytes", "var u, v, w uint8 = 200, 100, 150; min(u, v, w)", "100"},
		{"max with NaN", `import "math"
max(1, math.NaN(), 2)`, "NaN"},
		{"min with NaN", `import "math"
min(math.NaN(), 2)`, "NaN"},
		{"min of three with NaN", `import "math"
y := 1.0
min(y, math.NaN(), 0)`, "NaN"},
		{"clear map", `m := map[string]int{"a": 1}; clear(m); len(m)`, "0"},
		{"clear slice", "cs := []int{1, 2}; clear(cs); cs", "[0 0]"},
		{"range over a constant", "n := 0; for i := range 4 { n += i }; n", "6"},
		{"range over a variable", "k := 3; n2 := 0; for range k { n2++ }; n2", "3"},
		{"range over a call", "xs := []int{5, 6}; n3 := 0; for i := range len(xs) { n3 += xs[i] }; n3", "11"},
		{"range over a negative int", "k2 := -3; n4 := 0; for range k2 { n4++ }; n4", "0"},
		{"range over a slice's indices", "n5 := 0; for i := range []int{7, 7, 7} { n5 += i }; n5", "3"},
		{"range over a map's keys", `n6 := ""; for key := range map[string]int{"z": 1} { n6 += key }; n6`, "z"},
		{"range over a string", `n7 := 0; for i := range "abc" { n7 += i }; n7`, "3"},
		{"range over a channel", "ch := make(chan int, 2); ch <- 1; ch <- 2; close(ch); n8 := 0; for v := range ch { n8 += v }; n8", "3"},
		{"append to []any", `append([]any{}, 1, "a", 2.5)`, "[1 a 2.5]"},
		{"append to []error", `import "errors"
append([]error(nil), errors.New("e"))`, "[e]"},
		{"append bytes of a string", `append([]byte("a"), "b"...)`, "[97 98]"},
		{"append slice", "append([]any{1}, []any{2, 3}...)", "[1 2 3]"},
		{"append floats", "append([]float64{1}, 2, 3)", "[1 2 3]"},
		{"own variable, three clauses", "var fs []func() int; for i := 0; i < 3; i++ { fs = append(fs, func() int { return i }) }; fs[0]() + fs[1]()*10 + fs[2]()*100", "210"},
		{"own variable, range", "var gs []func() int; for _, v := range []int{1, 2, 3} { gs = append(gs, func() int { return v }) }; gs[0]() + gs[1]()*10 + gs[2]()*100", "321"},
		{"own variable, address", "var ps []*int; for i := range 3 { ps = append(ps, &i) }; *ps[0] + *ps[1]*10 + *ps[2]*100", "210"},
		{"continue and break", "n9 := 0; outer: for i := range 9 { for j := range 9 { f := func() int { return j }; if f() == 2 { continue outer }; if i == 3 { break outer }; n9++ } }; n9", "6"},
		{"function with a loop", "func count(n int) (c int) { for i := range n { c += i }; return }\ncount(5)", "10"},
		{"a function that names a later one", "func twice(n int) int { return 2 * once(n) }\nfunc once(n int) int { return n }\ntwice(4)", "8"},
		{"goroutine with arguments", "dc := make(chan int); go func(a, b int) { dc <- a + b }(1, 2); <-dc", "3"},
		{"goroutine of a method", "import \"sync\"\nvar wg sync.WaitGroup; wg.Add(1); go wg.Done(); wg.Wait(); 1", "1"},
		{"goroutine of a builtin", "ec := make(chan int); go close(ec); <-ec", "0"},
		{"print shows no result", `import "fmt"
fmt.Print()`, ""},
		{"GoNB lines", "%%\n1 + 1", "2"},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := cell(t, c.code)
			if got.failed != nil {
				t.Fatalf("%s\nfailed: %s", c.code, strings.Join(got.failed.trace, "\n"))
			}
			if s := strings.TrimSuffix(fmt.Sprintln(got.values...), "\n"); s != c.want {
				t.Errorf("%s\ngot %q, want %q", c.code, s, c.want)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, code, want string }{
		{"unknown name", "1 + nowhere", "In[1]:1:5: undefined identifier: nowhere"},
		{"forgotten import", `html.EscapeString("a")`, `hint: import "html"`},
		{"syntax", "x := := 1", "compile error"},
		{"unknown package", `import "gonum.org/nothing"`, `package "gonum.org/nothing" is not compiled into this kernel`},
		{"package of another path", `import "example.org/x/rand"`, "did you mean crypto/rand"},
		{"generic function declared", "func Map[T any](xs []T) {}", "generics cannot be declared in a notebook"},
		{"generic type declared", "type Set[K comparable] map[K]bool", "generics cannot be declared in a notebook"},
		{"generic function called", "import \"slices\"\nslices.Sort([]int{2, 1})", "slices.Sort is generic"},
		{"generic function missing", "import \"cmp\"\ncmp.Compare(1, 2)", "cmp.Compare is generic"},
		{"generic type", "import \"sync/atomic\"\nvar ap atomic.Pointer[int]", "generics cannot be used"},
		{"range over a function", "func seq(yield func(int) bool) {}\nfor x := range seq { _ = x }", "range over a function does not work in a notebook"},
		{"range over int64", "var n64 int64 = 3\nfor i := range n64 { _ = i }", "write range int(…)"},
		{"loop variable changed", "for i := 0; i < 3; i++ { func() { i++ }() }", "the loop variable i is changed"},
		{"mixed min", "var f1 float64; var i1 int; min(f1, i1)", "mismatched types"},
		{"unordered max", "max(true, false)", "cannot be ordered"},
		{"clear of an int", "clear(3)", "clear wants a map or a slice"},
		{"function value that calls itself", "fib := func(n int) int { return fib(n-1) }", "var fib func"},
		{"used above its declaration", "u1 := u2\nu2 := 1", "declare u2 above its first use"},
		{"mistyped package", `import "math/rnad"`, "did you mean crypto/rand, math/rand, math/rand/v2?"},
		{"mistyped package of ours", `import "github.com/gophersnake/gophersnake/pkg/tensr"`, "did you mean github.com/gophersnake/gophersnake/pkg/tensor?"},
		{"what can be imported", `import "example.org/nothing/qqq"`, "gonum.org/v1/gonum ("},
		{"mistyped function", "import \"github.com/gophersnake/gophersnake/pkg/lab\"\nlab.DefaultExperimnt(1)", "package github.com/gophersnake/gophersnake/pkg/lab has no DefaultExperimnt; did you mean lab.DefaultExperiment?"},
		{"mistyped type", "import \"github.com/gophersnake/gophersnake/pkg/lab\"\nvar e lab.Experimnt", "did you mean lab.Experiment?"},
		{"mistyped value", "import \"math\"\nmath.Sqr", "package math has no Sqr; did you mean math.Sqrt?"},
		{"mistyped method", "import \"strings\"\nvar sb9 strings.Builder\nsb9.WriteSting(\"a\")", "type strings.Builder has no field or method WriteSting; did you mean sb9.WriteString?"},
		{"mistyped method of a call", "import \"strings\"\nstrings.NewReplacer(\"a\").Replce(\"b\")", "type *strings.Replacer has no field or method Replce; did you mean strings.NewReplacer(\"a\").Replace?"},
		{"mistyped method of a cell", "type tp struct{ X int }\nfunc (p *tp) norm() int { return p.X }\n(&tp{}).nrom()", "did you mean (&tp{}).norm?"},
		{"mistyped field", "type tq struct{ Width int }\nvar q9 tq\nq9.Widht = 3", "type main.tq has no field or method Widht; did you mean q9.Width?"},
		{"mistyped method in a function", "import \"strings\"\nfunc fsb(b *strings.Builder) { b.WriteSting(\"a\") }", "b has no field or method WriteSting"},
		{"method of an unknown name", "nowhere.Do()", "undefined identifier: nowhere"},
		{"endless recursion", "func down(n int) int { return down(n+1) + 1 }\ndown(0)", "stack overflow: calls are nested"},
		{"endless recursion of methods", "type tr struct{}\nfunc (r tr) a() int { return r.b() }\nfunc (r tr) b() int { return r.a() }\ntr{}.a()", "line 4: tr{}.a()"},
		{"endless recursion of a variable", "var ff func()\nff = func() { ff() }\nff()", "stack overflow"},
		{"endless recursion through compiled code", "import \"sort\"\nvar fs func(i, j int) bool\nfs = func(i, j int) bool { sort.Slice([]int{2, 1}, fs); return false }\nfs(0, 1)", "stack overflow"},
		{"nil pointer", "type tn struct{ X int }\nvar np *tn\nnp.X", "a nil pointer"},
		{"how to import", `import "tensor"`, "by their full paths"},
		{"index of another type", "i8 := uint8(1); ys := []int{1, 2}; ys[i8] = 3", "write int(…) around the index"},
		{"slice of another type", "ys8 := []int{1, 2}; var j8 int32; ys8[j8:]", "write int(…) around the index"},
		{"statement that begins with func", "func() { println() }()", "write (func() {…})()"},
		{"method of a self-referring type", "type nd struct { l *nd }\nfunc (n *nd) Sum() int { return 1 }\nfn := (&nd{}).Sum", "write a function that takes it"},
		{"append of a wrong type", `append([]error{}, 1)`, "cannot"},
		{"index", "is := []int{1}\nis[5]", "line 2: is[5]"},
		{"own panic", `panic("mine")`, ": mine"},
		{"compiled panic", `import "strings"
strings.Repeat("x", -1)`, "strings.Repeat"},
		{"os.Exit", "import \"os\"\nos.Exit(0)", "would end the kernel"},
		{"log.Fatal", "import \"log\"\nlog.Fatal(\"bad\")", "log.Fatal: bad"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := cell(t, c.code)
			if got.failed == nil {
				t.Fatalf("%s\ngave %v, want an error", c.code, got.values)
			}
			if s := strings.Join(got.failed.trace, "\n"); !strings.Contains(s, c.want) {
				t.Errorf("%s\nsays %s\nwant in it %q", c.code, s, c.want)
			}
		})
	}
}

// TestInterrupt stops cells; variables must live on.
func TestInterrupt(t *testing.T) {
	want(t, "", "kept := 41\nstuck, full := make(chan int), make(chan int)")
	for _, code := range []string{"for { }", "func spin() { for { } }\nspin()", "<-stuck\nkept = 0", "full <- 1\nkept = 0"} {
		timer := time.AfterFunc(100*time.Millisecond, shared.evaluator.interrupt)
		got := soon(t, code)
		timer.Stop()
		if got.failed == nil || got.failed.name != "interrupted" {
			t.Errorf("%q: %v, want interrupted", code, got.failed)
		}
		if got := soon(t, "func again() int { return kept + 1 }\nagain()"); got.failed != nil || fmt.Sprint(got.values) != "[42]" {
			t.Errorf("after %q: %v, %v", code, got.values, got.failed)
		}
	}
}

func TestStream(t *testing.T) {
	var got []string
	s, err := newStream("stdout", func(_, text string) { got = append(got, text) })
	if err != nil {
		t.Fatal(err)
	}
	text := func() string { return strings.Join(got, "") }
	for _, part := range []string{"a", "b\xc3", "\xa9c"} { // é, cut in two
		fmt.Fprint(s.w, part)
		time.Sleep(2 * pause)
	}
	s.flush()
	if text() != "abéc" || len(got) > 3 {
		t.Errorf("got %q, want abéc in at most three messages", got)
	}
	got = nil
	s.newCell()
	start := time.Now()
	for range 20000 {
		fmt.Fprintln(s.w, "line")
	}
	s.flush()
	if most := 10 + int(time.Since(start)/pause); len(text()) != 100000 || len(got) > most {
		t.Errorf("got %d bytes in %d messages, want 100000 in at most %d", len(text()), len(got), most)
	}
	got = nil
	s.newCell()
	fmt.Fprint(s.w, strings.Repeat("x", 2*most))
	s.flush()
	if !strings.Contains(text(), "is not shown") || len(text()) > most+200 {
		t.Errorf("%d bytes, ending %q, want %d and a note", len(text()), text()[max(0, len(text())-100):], most)
	}
	got = nil
	s.newCell()
	fmt.Fprint(s.w, "\xff\x00")
	s.flush()
	if text() != "\uFFFD\x00" {
		t.Errorf("got %q", text())
	}
}

func TestInspect(t *testing.T) {
	cell(t, "import (\"fmt\"; \"strings\"; \"time\")\nvar b strings.Builder\ntype point struct{ X, Y float64 }\nfunc (p point) norm(q float64) float64 { return p.X }\nfunc half(x float64) float64 { return x / 2 }\nvar pt point\nd := time.Second")
	for code, want := range map[string]string{
		"fmt.Println":         "func Println(a ...any) (n int, err error)",
		"fmt.Println(1, ":     "Spaces are always added",
		"strings.Builder":     "A Builder is used to efficiently build",
		"b.Len":               "func (b *Builder) Len() int",
		"d.Seconds":           "func (d Duration) Seconds() float64",
		"b":                   "strings.Builder",
		"fmt":                 "package fmt",
		"half":                "func half(x float64) float64",
		"pt.X":                "float64",
		"pt.norm":             "norm(q float64) float64",
		"point":               "X, Y float64",
		"nowhere.Something":   "",
		"":                    "",
		"(((":                 "",
		"é":                   "",
		"time.Nanosecond + d": "time.Duration",
	} {
		if got := shared.inspect(code, len(code)); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("inspect %q: %q, want %q in it", code, got, want)
		}
	}
}

// TestEveryPackage imports all that has a table, as a cell does.
func TestEveryPackage(t *testing.T) {
	code := "import (\n"
	for _, path := range bindings.Paths() {
		code += fmt.Sprintf("\t_ %q\n", path)
	}
	start := time.Now()
	if got := cell(t, code+")"); got.failed != nil {
		t.Fatal(got.failed.trace)
	}
	t.Logf("%d packages in %v", len(bindings.Paths()), time.Since(start))
	cell(t, `import "github.com/gophersnake/gophersnake/pkg/lab"`)
	for code, want := range map[string]string{"lab": "package lab", "lab.Experiment": "type Experiment struct"} {
		if got := shared.inspect(code, len(code)); !strings.Contains(got, want) {
			t.Errorf("inspect %s: %q, want %q in it", code, got, want)
		}
	}
}

func TestComplete(t *testing.T) {
	cell(t, `import "strings"`)
	code := "é := strings.Repl"
	reply := shared.complete(code, len([]rune(code)))
	if got := fmt.Sprint(reply["matches"], reply["cursor_start"], reply["cursor_end"]); got != "[Replace ReplaceAll Replacer] 13 17" {
		t.Errorf("got %s", got)
	}
}

func TestRecall(t *testing.T) {
	k := &kernel{history: []string{"a := 1", "b := 2", "a := 1"}}
	for _, c := range []struct {
		ask  object
		want string
	}{
		{object{"hist_access_type": "tail", "n": 2.0}, "[[0 2 b := 2] [0 3 a := 1]]"},
		{object{"hist_access_type": "range", "session": 0.0, "start": 1.0, "stop": 2.0}, "[[0 1 a := 1]]"},
		{object{"hist_access_type": "range", "session": 4.0}, "[]"},
		{object{"hist_access_type": "range", "start": 9.0, "stop": 2.0}, "[]"},
		{object{"hist_access_type": "search", "pattern": "a*"}, "[[0 1 a := 1] [0 3 a := 1]]"},
		{object{"hist_access_type": "search", "pattern": "a*", "n": 1.0}, "[[0 3 a := 1]]"},
		{object{"hist_access_type": "search", "pattern": "? := ?", "unique": true}, "[[0 1 a := 1] [0 2 b := 2]]"},
		{object{"hist_access_type": "tail", "n": 1.0, "output": true}, "[[0 3 [a := 1 <nil>]]]"},
	} {
		if got := fmt.Sprint(k.recall(c.ask)); got != c.want {
			t.Errorf("%v: got %s, want %s", c.ask, got, c.want)
		}
	}
}

func TestIsComplete(t *testing.T) {
	for code, want := range map[string]string{
		"x := 1": "complete", "func f() {": "incomplete", "a := `raw": "incomplete", "": "complete", "f(1,": "incomplete",
		"x :=": "incomplete", "1 +": "incomplete", "for i := range 3": "incomplete", "%cd /tmp\nx := 1": "complete", "%%\n1 + 1": "complete",
		"x := := 1": "invalid", "1 2": "invalid", "for {\n)": "invalid", "func f() int { return ) }": "invalid", "a b c\nx := 1": "invalid", "var 3 = x": "invalid",
		"func f() {\n}\nf()": "complete", "if x {\n}": "complete", "if x {\n} else {": "incomplete", "// only a comment": "complete", "a := `raw\n`": "complete",
	} {
		if got := shared.isComplete(code)["status"]; got != want {
			t.Errorf("%q: %v, want %s", code, got, want)
		}
	}
}

func TestDecodeGarbage(t *testing.T) {
	for _, frames := range [][][]byte{nil, {[]byte("x")}, {[]byte("<IDS|MSG>")}, {[]byte("<IDS|MSG>"), []byte("zz")}} {
		if _, _, err := decode(frames, []byte("key")); err == nil {
			t.Errorf("%q: no error", frames)
		}
	}
}

func TestTidy(t *testing.T) {
	d := tidy(PNG([]byte{1, 2, 3}))
	if got := d.Data[MIMETypeText]; got != "[image/png, 3 bytes]" {
		t.Errorf("text/plain is %q", got)
	}
}

func TestCrashNote(t *testing.T) {
	for _, c := range []struct{ name, trace, want, without string }{
		{"panic", "panic: gone\n\ngoroutine 7 [running]:\n" +
			"github.com/cosmos72/gomacro/fast.exec()\n\t/gomacro/code.go:170 +0x1\n" +
			"github.com/gophersnake/gophersnake/pkg/task.fill(0x1)\n\t/src/fill.go:7 +0x2\n" +
			"created by time.goFunc\n\t/go/time.go:2 +0x3\n\ngoroutine 1 [select]:\nmain.other()\n\t/main.go:1 +0x4\n",
			"panic: gone\n    github.com/gophersnake/gophersnake/pkg/task.fill(0x1)\n      /src/fill.go:7 +0x2\n    (and 2 frames of the interpreter", "code.go"},
		{"stack overflow", "runtime: goroutine stack exceeds 1000000000-byte limit\nruntime: sp=0x1 stack=[0x1, 0x2]\nfatal error: stack overflow\n\n" +
			"runtime stack:\nruntime.throw()\n\t/panic.go:1 +0x1\n\ngoroutine 7 [running]:\nfmt.deep()\n\t/fmt.go:3 +0x1\n",
			"fatal error: stack overflow\n    fmt.deep()\n      /fmt.go:3 +0x1\n\nStack overflow: a recursion without end", "sp=0x1"},
		{"cut off", "panic: gone\n\ngoroutine 7 [running]:\n", "panic: gone\n\n", "goroutine 7"},
		{"long", "panic: gone\n\ngoroutine 7 [running]:\n" + strings.Repeat("fmt.frame()\n\t/fmt.go:3\n", 50), "…\n", strings.Repeat("fmt.frame()\n      /fmt.go:3\n    ", 13)},
	} {
		t.Run(c.name, func(t *testing.T) {
			note := crashNote(c.trace)
			if !strings.Contains(note, c.want) || strings.Contains(note, c.without) || !strings.Contains(note, "started anew") {
				t.Errorf("note: %s\nwant in it %q, and not %q", note, c.want, c.without)
			}
		})
	}
}

// TestForAnother: an interrupt that was sent to the kernel before is not this one's.
func TestForAnother(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		age  time.Duration // of the kernel
		sent string
		want bool
	}{
		{time.Second, now.Add(-3 * time.Second).UTC().Format(time.RFC3339Nano), true},
		{time.Second, now.UTC().Format(time.RFC3339Nano), false},
		{time.Hour, now.Add(-2 * time.Hour).UTC().Format(time.RFC3339Nano), false}, // of a clock that is slow
		{time.Second, "", false},
	} {
		k := &kernel{started: now.Add(-c.age)}
		if got := k.forAnother(c.sent); got != c.want {
			t.Errorf("kernel of %v, sent %q: %v, want %v", c.age, c.sent, got, c.want)
		}
	}
}
