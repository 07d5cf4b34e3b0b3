package asm

import (
	"fmt"
	"strings"
)

// reg is a register of a function before the processor's are given out.
type reg int

// GP is a general-purpose register, Vec a vector register. The zero values are
// no registers: Func makes them.
type (
	GP  struct{ r reg }
	Vec struct{ r reg }
)

// An inst is one line of a function: a label, an instruction, or a branch.
type inst struct {
	format string                  // with a verb for each of args
	args   []reg                   // the registers of the format, or of word
	word   func(r []uint32) uint32 // for what the assembler does not know; format is then a comment

	defs, uses []reg
	label      string // the line is this label
	target     string // a branch to this label
	leaves     bool   // what follows is not reached from here
}

// A Func is a function while it is written. Its methods append instructions.
type Func struct {
	file      *File
	name      string
	doc       string
	signature string
	result    string // " float32" if there is one
	offsets   map[string]int
	argBytes  int

	insts  []inst
	vector []bool      // of each register, whether it is one of the vectors'
	fixed  map[reg]int // registers that must have a certain number
	consts map[[4]uint32]Vec
	base   *GP // the address of the file's constants
}

// GP is a new general-purpose register.
func (f *Func) GP() GP { return GP{f.register(false)} }

// Vec is a new vector register.
func (f *Func) Vec() Vec { return Vec{f.register(true)} }

// VecAt is the vector register of this number, 0 … 31, to be asked for once.
func (f *Func) VecAt(number int) Vec {
	v := f.Vec()
	f.fixed[v.r] = number
	return v
}

func (f *Func) register(vector bool) reg {
	f.vector = append(f.vector, vector)
	return reg(len(f.vector) - 1)
}

// regs are the registers among GP and Vec operands.
func regs(operands ...any) []reg {
	var list []reg
	for _, o := range operands {
		switch o := o.(type) {
		case GP:
			list = append(list, o.r)
		case Vec:
			list = append(list, o.r)
		default:
			panic(fmt.Sprintf("asm: operand %v is %T, want GP or Vec", o, o))
		}
	}
	return list
}

// emit appends an instruction of the assembler. The format's verbs are filled
// with registers only.
func (f *Func) emit(format string, defs, uses, args []reg) {
	f.insts = append(f.insts, inst{format: format, args: args, defs: defs, uses: uses})
}

// emitWord appends an instruction that the assembler lacks; args[0] is written.
func (f *Func) emitWord(comment string, word func(r []uint32) uint32, uses, args []reg) {
	f.insts = append(f.insts, inst{format: comment, word: word, args: args, defs: args[:1], uses: uses})
}

// Arg loads a parameter.
func (f *Func) Arg(name string) GP {
	r := f.GP()
	f.emit(f.slot(name)+", R%d", regs(r), nil, regs(r))
	return r
}

// SetArg stores r as the parameter's new value.
func (f *Func) SetArg(name string, r GP) {
	f.emit("MOVD R%d, "+strings.TrimPrefix(f.slot(name), "MOVD "), nil, regs(r), regs(r))
}

func (f *Func) slot(name string) string {
	at, ok := f.offsets[name]
	if !ok {
		panic(fmt.Sprintf("asm: %s: no parameter %q in %q", f.name, name, f.signature))
	}
	return fmt.Sprintf("MOVD %s+%d(FP)", name, at)
}

// AddToArg adds n to a parameter.
func (f *Func) AddToArg(name string, n int) {
	r := f.Arg(name)
	f.AddI(r, r, n)
	f.SetArg(name, r)
}

// Scalar is a new register whose lanes are all a parameter of type float32.
func (f *Func) Scalar(name string) Vec {
	v := f.Vec()
	f.emit(strings.Replace(f.slot(name), "MOVD", "FMOVS", 1)+", F%d", regs(v), nil, regs(v))
	f.emit("VDUP V%d.S[0], V%d.S4", regs(v), regs(v), regs(v, v))
	return v
}

// RetFloat returns v's first lane.
func (f *Func) RetFloat(v Vec) {
	if f.result == "" {
		f.result = " float32"
		f.offsets["ret"] = roundUp8(f.argBytes)
		f.argBytes = f.offsets["ret"] + 4
	}
	f.emit(fmt.Sprintf("FMOVS F%%d, ret+%d(FP)", f.offsets["ret"]), nil, regs(v), regs(v))
	f.Ret()
}

// Label begins a part of the function; its name is the function's own.
func (f *Func) Label(name string) {
	f.insts = append(f.insts, inst{label: name})
}

// Jump goes on at the label.
func (f *Func) Jump(label string) {
	f.insts = append(f.insts, inst{format: "B " + label, target: label, leaves: true})
}

// JumpIf goes on at the label if r and n compare so, as signed integers:
// condition is EQ, NE, LT, LE, GT or GE.
func (f *Func) JumpIf(r GP, condition string, n int, label string) {
	f.emit(fmt.Sprintf("CMP $%d, R%%d", n), nil, regs(r), regs(r))
	f.branch(condition, label)
}

// JumpIfReg is JumpIf with the register s in the place of n.
func (f *Func) JumpIfReg(r GP, condition string, s GP, label string) {
	f.emit("CMP R%d, R%d", nil, regs(r, s), regs(s, r))
	f.branch(condition, label)
}

// JumpUnlessBit goes on at the label if this bit of r is zero.
func (f *Func) JumpUnlessBit(r GP, bit int, label string) {
	f.insts = append(f.insts, inst{format: fmt.Sprintf("TBZ $%d, R%%d, %s", bit, label),
		args: regs(r), uses: regs(r), target: label})
}

// CountDown subtracts n from r and goes on at the label if condition, such as
// NE or GE, holds of the difference and zero.
func (f *Func) CountDown(r GP, n int, condition, label string) {
	f.emit(fmt.Sprintf("SUBS $%d, R%%d, R%%d", n), regs(r), regs(r), regs(r, r))
	f.branch(condition, label)
}

func (f *Func) branch(condition, label string) {
	f.insts = append(f.insts, inst{format: "B" + condition + " " + label, target: label})
}

// Ret returns.
func (f *Func) Ret() {
	f.insts = append(f.insts, inst{format: "RET", leaves: true})
}

// Mov is d = s.
func (f *Func) Mov(d, s GP) { f.emit("MOVD R%d, R%d", regs(d), regs(s), regs(s, d)) }

// MovI is d = n.
func (f *Func) MovI(d GP, n int) { f.emit(fmt.Sprintf("MOVD $%d, R%%d", n), regs(d), nil, regs(d)) }

// Add is d = a + b.
func (f *Func) Add(d, a, b GP) { f.emit("ADD R%d, R%d, R%d", regs(d), regs(a, b), regs(b, a, d)) }

// Sub is d = a − b.
func (f *Func) Sub(d, a, b GP) { f.emit("SUB R%d, R%d, R%d", regs(d), regs(a, b), regs(b, a, d)) }

// AddI is d = a + n; n may be negative.
func (f *Func) AddI(d, a GP, n int) {
	op := "ADD"
	if n < 0 {
		op, n = "SUB", -n
	}
	f.emit(fmt.Sprintf("%s $%d, R%%d, R%%d", op, n), regs(d), regs(a), regs(a, d))
}

// ShlI is d = a << n.
func (f *Func) ShlI(d, a GP, n int) {
	f.emit(fmt.Sprintf("LSL $%d, R%%d, R%%d", n), regs(d), regs(a), regs(a, d))
}

// Word64 is a new register with the 8 bytes at p + off.
func (f *Func) Word64(p GP, off int) GP {
	r := f.GP()
	f.emit(fmt.Sprintf("MOVD %d(R%%d), R%%d", off), regs(r), regs(p), regs(p, r))
	return r
}
