//go:build gophernotes

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// want runs cells one after the other and checks what the last one gives.
func want(t *testing.T, result string, cells ...string) {
	t.Helper()
	var got outcome
	for _, code := range cells {
		if got = cell(t, code); got.failed != nil {
			t.Fatalf("%s\nfailed: %s", code, strings.Join(got.failed.trace, "\n"))
		}
	}
	if s := strings.TrimSuffix(fmt.Sprintln(got.values...), "\n"); s != result {
		t.Errorf("%s\ngot %q, want %q", cells[len(cells)-1], s, result)
	}
}

// fails runs a cell that must fail.
func fails(t *testing.T, code string) {
	t.Helper()
	if got := cell(t, code); got.failed == nil {
		t.Errorf("%s\ngave %v, want an error", code, got.values)
	}
}

// TestOneValue: the only argument of a call is one value, though the
// interpreter gives an index, a receive and a type assertion their ok.
func TestOneValue(t *testing.T) {
	want(t, "", `import ("fmt"; "time"; "errors")
m := map[string]float64{"a": 1.5}
func half(x float64) float64 { return x / 2 }
var dyn any = 3
queue := make(chan int, 9)
for i := range 9 { queue <- i }`)
	for _, c := range [][2]string{
		{`half(m["a"])`, "0.75"},
		{`half((m["a"]))`, "0.75"},
		{`half(half(m["a"]))`, "0.375"},
		{`fmt.Sprint(m["a"])`, "1.5"},
		{`fmt.Sprint(m["none"])`, "0"},
		{`fmt.Sprint(dyn.(int))`, "3"},
		{`fmt.Sprint(<-queue)`, "0"},
		{`func id(n int) int { return n }` + "\nid(dyn.(int)) + id(<-queue)", "4"},
		{`map[string]func(float64) float64{"h": half}["h"](m["a"])`, "0.75"},
		{`ms := map[string][]int{"a": {1, 2}}; fmt.Sprint(ms["a"])`, "[1 2]"},
		{`func count(ns ...int) int { return len(ns) }` + "\ncount(ms[\"a\"]...)", "2"},
		{`type pt struct{ X, Y int }` + "\nfunc sum(p pt) int { return p.X + p.Y }\nsum(map[string]pt{\"a\": {1, 2}}[\"a\"])", "3"},
		{`type metres float64` + "\nfunc twice(x metres) metres { return 2 * x }\ntwice(map[string]metres{\"a\": 2}[\"a\"])", "4"},
		{`fmt.Sprint(map[string]time.Duration{"a": 3}["a"])`, "3ns"},
		{`fmt.Sprint(map[int]error{1: errors.New("e")}[1])`, "e"},
		{`fmt.Sprint(map[int]error{1: errors.New("e")}[2])`, "<nil>"},
		{`fmt.Sprint("abc"[1])`, "98"},
		{`v, ok := m["a"]; fmt.Sprint(v, ok)`, "1.5 true"},
		{`func() (float64, bool) { v, ok := m["a"]; return v, ok }()`, "1.5 true"},
		{`to := make(chan float64, 1); select { case to <- 2: }; <-to`, "2"},
		{`anys := make(chan any, 1); select { case anys <- half(2): }; <-anys`, "1"},
	} {
		code := c[0]
		if strings.HasPrefix(code, "func() ") {
			code = "(" + strings.TrimSuffix(code, "()") + ")()"
		}
		want(t, c[1], code)
	}
}

// TestSelfReferring: a compiled type that refers to itself is itself in maps and
// slices, with its methods.
func TestSelfReferring(t *testing.T) {
	want(t, "", `import "github.com/gophersnake/gophersnake/pkg/tensor"
x := tensor.From(tensor.Reference(), []float64{1, 2, 3, 4}, 2, 2)
w := map[string]*tensor.Tensor{"x": x}
ws := []*tensor.Tensor{x}
deep := map[string][]map[int]*tensor.Tensor{"a": {{1: x}}}`)
	for code, result := range map[string]string{
		`w["x"].Rows(1, 2).Data()`: "[3 4]",
		`w["x"].Dim(1)`:            "2",
		`ws[0].Dim(1)`:             "2",
		`deep["a"][0][1].Dim(0)`:   "2",
		`(func(m map[string]*tensor.Tensor, k string) int { return m[k].Len() })(w, "x")`: "4",
	} {
		want(t, result, code)
	}
}

// TestOrder: functions may use what the cell declares below them.
func TestOrder(t *testing.T) {
	want(t, "true", "func even(n int) bool { return n == 0 || odd(n-1) }\nfunc odd(n int) bool { return n != 0 && even(n-1) }\neven(4)")
	want(t, "5", "func useLater() float64 { return later * helper() }\nlater := 2.5\nfunc helper() float64 { return 2 }\nuseLater()")
	want(t, "3", "early := first()\nfunc first() int { return 3 }\nearly")
	want(t, "0", "type tt struct{ n int }\nfunc (t tt) a(n int) int { return t.b(n) }\nfunc (t tt) b(n int) int { if n == 0 { return t.n }; return t.a(n - 1) }\ntt{}.a(3)")
	want(t, "7", "func mk() *gg { return &gg{n: limit} }\nfunc (g *gg) get() int { return g.n }\ntype gg struct{ n int }\nconst limit = 7\nmk().get()")
	want(t, "5", "var (\n\tp1 = p2 + 1\n\tp2 = 4\n)\np1")
	want(t, "1 5", "import \"fmt\"\nfunc now() int { return v9 }\nv9 := 1\nr9 := now()\nv9 = 5\nfmt.Sprint(r9, now())")
}

// TestAllOrNothing: a mistake anywhere in a cell leaves everything as it was.
func TestAllOrNothing(t *testing.T) {
	want(t, "", "log := []int{}\nlr := 2.5\nfunc rate() float64 { return lr }")
	fails(t, "log = append(log, 1)\nlr := \"a string\"\nfunc rate() string { return lr }\nfresh := 1\nnowhere()")
	want(t, "[]", "log")
	want(t, "2.5", "lr")
	want(t, "2.5", "rate()")
	fails(t, "fresh")
}

// TestFailedStatement: what ran before a statement failed stays; what it and
// those below it declare does not.
func TestFailedStatement(t *testing.T) {
	want(t, "", "kept2 := 41\nshould := \"stay\"")
	fails(t, "before := 1\nkept2 := []int{}[3]\nshould := 2\nbehind := 3")
	want(t, "1", "before")
	want(t, "41", "kept2")
	want(t, "stay", "should")
	fails(t, "behind")
}

// TestOtherType: a variable that is declared anew with another type does not
// disturb what was compiled with the old one.
func TestOtherType(t *testing.T) {
	want(t, "1", "rx := 1\nfunc readX() int { return rx }\nreadX()")
	want(t, "5", "rx := 5\nreadX()")
	want(t, "5", "rx := 2.5\nreadX()")
	want(t, "2.5", "rx")
	want(t, "new", "func readX() string { return \"new\" }\nreadX()")
}

// TestRunAgain: a cell that is run again says nothing of it.
func TestRunAgain(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = w, w
	code := "import \"errors\"\nerr := errors.New(\"a\")\nvar n3 = 3\nconst c3 = 3\ntype t3 struct{}\nfunc (t3) M() int { return 1 }\nfunc f3() int { return 1 }\ngo f3()\ndefer f3()"
	first, second := cell(t, code), cell(t, code)
	os.Stdout, os.Stderr = out, stderr
	w.Close()
	var said bytes.Buffer
	io.Copy(&said, r)
	if first.failed != nil || second.failed != nil || said.Len() > 0 {
		t.Errorf("%v, %v, %q, want nothing", first.failed, second.failed, said.String())
	}
}

// TestBadMethods: methods that panic while a value is drawn fail the cell, and
// nothing else.
func TestBadMethods(t *testing.T) {
	for _, code := range []string{
		"type badHTML struct{}\nfunc (badHTML) HTML() string { panic(\"no HTML\") }\nbadHTML{}",
		"type badSVG struct{}\nfunc (badSVG) SVG() string { var m map[string]int; m[\"a\"] = 1; return \"\" }\nbadSVG{}",
	} {
		got := cell(t, code)
		if got.failed != nil || len(got.values) != 1 {
			t.Fatalf("%s: %v", code, got.failed)
		}
		if _, failed := shared.draw(func() Data { return shared.autoRenderResults(got.values, got.types) }); failed == nil {
			t.Errorf("%s: no failure", code)
		}
	}
	for _, v := range []any{badJSON{}, &badJSON{}, map[string]any{"x": badJSON{}}, func() {}} {
		if _, failed := shared.draw(func() Data { return Data{Data: MIMEMap{"application/json": v}} }); failed == nil {
			t.Errorf("%T as JSON: no failure", v)
		}
	}
	if f := explain(badError{}, nil, place{phase: running}); !strings.Contains(f.value, "whose message panics") {
		t.Errorf("a panic with a bad error: %q", f.value)
	}
	d, failed := shared.draw(func() Data { return Data{Data: MIMEMap{"text/plain": "a", "application/json": map[string]any{"b": 1}}} })
	if got := fmt.Sprintf("%s %s", d.Data["text/plain"], d.Data["application/json"]); failed != nil || got != `a {"b":1}` {
		t.Errorf("a good value: %s, %v", got, failed)
	}
}

type badJSON struct{}

func (badJSON) MarshalJSON() ([]byte, error) { panic("no JSON") }

// badError panics with itself when asked for its message.
type badError struct{}

func (e badError) Error() string { panic(e) }
