package asm

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// numbers returns all vector registers, each with its own number.
func numbers(f *Func) (v [32]Vec) {
	for i := range v {
		v[i] = f.VecAt(i)
	}
	return v
}

// The words are those of GNU as 2.40 for the instruction in the comment; where
// Go's assembler makes the word, the order of operands is checked.
func TestEncodings(t *testing.T) {
	var file File
	f := file.Func("encodings", "", "n int")
	v := numbers(f)
	for want, write := range map[string]func(){
		"WORD $0x4e3ed441 // FADD V1.4S, V2.4S, V30.4S":     func() { f.FAdd(v[1], v[2], v[30]) },
		"WORD $0x4ebed441 // FSUB V1.4S, V2.4S, V30.4S":     func() { f.FSub(v[1], v[2], v[30]) },
		"WORD $0x6e20de3f // FMUL V31.4S, V17.4S, V0.4S":    func() { f.FMul(v[31], v[17], v[0]) },
		"WORD $0x6e3efc41 // FDIV V1.4S, V2.4S, V30.4S":     func() { f.FDiv(v[1], v[2], v[30]) },
		"WORD $0x4e3ef441 // FMAX V1.4S, V2.4S, V30.4S":     func() { f.FMax(v[1], v[2], v[30]) },
		"WORD $0x4ebef441 // FMIN V1.4S, V2.4S, V30.4S":     func() { f.FMin(v[1], v[2], v[30]) },
		"WORD $0x6e3ed441 // FADDP V1.4S, V2.4S, V30.4S":    func() { f.FAddPairs(v[1], v[2], v[30]) },
		"WORD $0x4ebe6441 // SMAX V1.4S, V2.4S, V30.4S":     func() { f.Max(v[1], v[2], v[30]) },
		"WORD $0x4ebe6c41 // SMIN V1.4S, V2.4S, V30.4S":     func() { f.Min(v[1], v[2], v[30]) },
		"WORD $0x4ebe9c41 // MUL V1.4S, V2.4S, V30.4S":      func() { f.Mul(v[1], v[2], v[30]) },
		"WORD $0x4ea0faa9 // FABS V9.4S, V21.4S":            func() { f.FAbs(v[9], v[21]) },
		"WORD $0x6ea0faa9 // FNEG V9.4S, V21.4S":            func() { f.FNeg(v[9], v[21]) },
		"WORD $0x6ea1faa9 // FSQRT V9.4S, V21.4S":           func() { f.FSqrt(v[9], v[21]) },
		"WORD $0x4f9d10c5 // FMLA V5.4S, V6.4S, V29.S[0]":   func() { f.FMulAddLane(v[5], v[6], v[29], 0) },
		"WORD $0x4fbd10c5 // FMLA V5.4S, V6.4S, V29.S[1]":   func() { f.FMulAddLane(v[5], v[6], v[29], 1) },
		"WORD $0x4f8f18c5 // FMLA V5.4S, V6.4S, V15.S[2]":   func() { f.FMulAddLane(v[5], v[6], v[15], 2) },
		"WORD $0x4fbf1a1f // FMLA V31.4S, V16.4S, V31.S[3]": func() { f.FMulAddLane(v[31], v[16], v[31], 3) },
		"WORD $0x4fbd50c5 // FMLS V5.4S, V6.4S, V29.S[1]":   func() { f.FMulSubLane(v[5], v[6], v[29], 1) },
		"WORD $0x4fa758c5 // FMLS V5.4S, V6.4S, V7.S[3]":    func() { f.FMulSubLane(v[5], v[6], v[7], 3) },
		"WORD $0x4f9d98c5 // FMUL V5.4S, V6.4S, V29.S[2]":   func() { f.FMulLane(v[5], v[6], v[29], 2) },
		"WORD $0x4fa79872 // FMUL V18.4S, V3.4S, V7.S[3]":   func() { f.FMulLane(v[18], v[3], v[7], 3) },
		"WORD $0x4f3f0684 // SSHR V4.4S, V20.4S, #1":        func() { f.ShiftRight(v[4], v[20], 1) },
		"WORD $0x4f210684 // SSHR V4.4S, V20.4S, #31":       func() { f.ShiftRight(v[4], v[20], 31) },
		"WORD $0x4f200684 // SSHR V4.4S, V20.4S, #32":       func() { f.ShiftRight(v[4], v[20], 32) },
		"WORD $0x4e21d841 // SCVTF V1.4S, V2.4S":            func() { f.FFromInt(v[1], v[2]) },
		"WORD $0x0f08a441 // SXTL V1.8H, V2.8B":             func() { f.Widen8(v[1], v[2], false) },
		"WORD $0x4f08a441 // SXTL2 V1.8H, V2.16B":           func() { f.Widen8(v[1], v[2], true) },
		"WORD $0x0f10a441 // SXTL V1.4S, V2.4H":             func() { f.Widen16(v[1], v[2], false) },
		"WORD $0x4f10a441 // SXTL2 V1.4S, V2.8H":            func() { f.Widen16(v[1], v[2], true) },

		"VFMLA V3.S4, V2.S4, V1.S4":               func() { f.FMulAdd(v[1], v[2], v[3]) },
		"VFMLS V3.S4, V2.S4, V1.S4":               func() { f.FMulSub(v[1], v[2], v[3]) },
		"VSUB V3.S4, V2.S4, V1.S4":                func() { f.Minus(v[1], v[2], v[3]) },
		"VBIT V3.B16, V2.B16, V1.B16":             func() { f.Take(v[1], v[2], v[3]) },
		"VTBL V3.B16, [V30.B16, V31.B16], V1.B16": func() { f.Lookup(v[1], v[30], v[31], v[3]) },
		"VZIP1 V3.S4, V2.S4, V1.S4":               func() { f.Zip1(v[1], v[2], v[3]) },
		"VZIP2 V3.D2, V2.D2, V1.D2":               func() { f.ZipHalves2(v[1], v[2], v[3]) },
		"VSHL $20, V2.S4, V1.S4":                  func() { f.ShiftLeft(v[1], v[2], 20) },
		"VEXT $8, V2.B16, V2.B16, V1.B16":         func() { f.HighHalf(v[1], v[2]) },
		"VDUP V2.S[0], V0.S4":                     func() { f.Dup(v[2]) },
	} {
		f.insts = nil
		write()
		number := make([]int, len(f.vector))
		for r, n := range f.fixed {
			number[r] = n
		}
		got := strings.Join(strings.Fields(f.insts[0].line(number)), " ")
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// text is the function's assembly without its head.
func text(f *Func) string {
	var w bytes.Buffer
	f.text(&w)
	_, body, _ := strings.Cut(w.String(), "$0-")
	return body
}

// What a loop uses on its next turn keeps its register through the rest of the
// loop, although nothing below uses it.
func TestRegistersLiveAroundLoops(t *testing.T) {
	var file File
	f := file.Func("loop", "", "n int, x *float32")
	n, x := f.Arg("n"), f.Arg("x")
	kept := f.Load(x, 0)
	f.Label("loop")
	sum := f.Copy(kept)
	for range 5 {
		f.FAdd(sum, sum, f.Load(x, 16))
	}
	f.Store(sum, x, 32)
	f.CountDown(n, 1, "NE", "loop")
	f.Ret()
	body := text(f)
	if got := regexp.MustCompile(`FMOVQ +0\(R1\), F(\d+)`).FindStringSubmatch(body); got == nil || got[1] != "0" {
		t.Fatalf("the first register is not F0:\n%s", body)
	}
	if again := regexp.MustCompile(`(?m)(, F0|, V0\.\S+|\tWORD.* V0\.4S,.*)$`).FindAllString(body, -1); len(again) != 1 {
		t.Errorf("register 0 is written %d times, want once:\n%s", len(again), body)
	}
}

// Values that do not live at the same time share a register.
func TestRegistersAreUsedAgain(t *testing.T) {
	var file File
	f := file.Func("many", "", "x *float32")
	x := f.Arg("x")
	for i := range 100 {
		f.Store(f.Load(x, 16*i), x, 16*i)
	}
	f.Ret()
	if body := text(f); strings.Contains(body, "F1\n") || !strings.Contains(body, "FMOVQ  1584(R0), F0") {
		t.Errorf("100 loads in turn use more than one register:\n%s", body)
	}
}

func TestPanics(t *testing.T) {
	for want, write := range map[string]func(f *Func){
		"too few vector registers": func(f *Func) {
			var all []Vec
			for i := range 33 {
				all = append(all, f.Load(f.Arg("x"), 16*i))
			}
			for _, v := range all {
				f.Store(v, f.Arg("x"), 0)
			}
		},
		"too few general-purpose registers": func(f *Func) {
			all := make([]GP, 26)
			for i := range all {
				all[i] = f.Arg("x")
			}
			for _, r := range all {
				f.SetArg("x", r)
			}
		},
		"two values want vector register 7": func(f *Func) {
			x, a, b := f.Arg("x"), f.VecAt(7), f.VecAt(7)
			f.Move(a, f.Load(x, 0))
			f.Move(b, a)
			f.FAdd(b, b, a)
			f.Store(b, x, 0)
		},
		"is used before it is set": func(f *Func) { f.Store(f.Vec(), f.Arg("x"), 0) },
		`no label "there"`:         func(f *Func) { f.Jump("there") },
		`two labels "here"`:        func(f *Func) { f.Label("here"); f.Label("here") },
		`no parameter "y"`:         func(f *Func) { f.Arg("y") },
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, want) {
					t.Errorf("panic is %q, want %q in it", got, want)
				}
			}()
			var file File
			f := file.Func("wrong", "", "x *float32")
			write(f)
			f.Ret()
			text(f)
		}()
	}
}

func TestConstantsAreKeptOnce(t *testing.T) {
	var file File
	f := file.Func("constants", "does nothing.", "x *float32")
	f.Constants()
	f.Hold(Float(1), Float(2))
	x, v := f.Arg("x"), f.ConstCopy(Float(1))
	f.FAdd(v, v, f.Const(Float(1)))
	f.FAdd(v, v, f.Const(Float(3)))
	f.Store(v, x, 0)
	f.Ret()
	s := string(file.Assembly("test"))
	if !strings.Contains(s, "GLOBL constants<>(SB), RODATA|NOPTR, $48") || strings.Count(s, "$0x3f800000") != 4 {
		t.Errorf("want a table of 1, 2 and 3, four times each:\n%s", s)
	}
	if stubs := string(file.Stubs("test", "pkg")); !strings.Contains(stubs, "//go:build arm64 && !noasm") ||
		!strings.Contains(stubs, "func constants(x *float32)") {
		t.Errorf("declarations:\n%s", stubs)
	}
}
