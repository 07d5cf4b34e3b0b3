package asm

import "fmt"

// The registers that functions may use. R18 is the system's, R26 and up are
// Go's; all vector registers are free.
var gpNumbers = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25}

const vecNumbers = 32

// set is a set of registers.
type set []uint64

func newSet(n int) set         { return make(set, (n+63)/64) }
func (s set) add(r reg)        { s[r/64] |= 1 << (r % 64) }
func (s set) remove(r reg)     { s[r/64] &^= 1 << (r % 64) }
func (s set) each(f func(reg)) { s.until(func(r reg) bool { f(r); return true }) }

func (s set) until(f func(reg) bool) {
	for i, w := range s {
		for b := 0; w>>b != 0; b++ {
			if w>>b&1 != 0 && !f(reg(64*i+b)) {
				return
			}
		}
	}
}

// merge adds all of t and reports whether that was news.
func (s set) merge(t set) (grew bool) {
	for i, w := range t {
		grew = grew || w&^s[i] != 0
		s[i] |= w
	}
	return grew
}

// liveness returns, for each instruction, the registers whose values are still
// needed after it.
func (f *Func) liveness() []set {
	n := len(f.insts)
	in, out := make([]set, n+1), make([]set, n)
	for i := range in {
		in[i] = newSet(len(f.vector))
	}
	for i := range out {
		out[i] = newSet(len(f.vector))
	}
	labels := f.labels()
	for changed := true; changed; {
		changed = false
		for i := n - 1; i >= 0; i-- {
			x := &f.insts[i]
			if !x.leaves {
				out[i].merge(in[i+1])
			}
			if x.target != "" {
				out[i].merge(in[labels[x.target]])
			}
			live := append(set(nil), out[i]...)
			for _, r := range x.defs {
				live.remove(r)
			}
			for _, r := range x.uses {
				live.add(r)
			}
			changed = in[i].merge(live) || changed
		}
	}
	in[0].until(func(r reg) bool { panic(fmt.Sprintf("asm: %s: register %d is used before it is set", f.name, r)) })
	return out
}

// labels are the places of the labels.
func (f *Func) labels() map[string]int {
	at := map[string]int{}
	for i, x := range f.insts {
		if x.label == "" {
			continue
		}
		if _, twice := at[x.label]; twice {
			panic(fmt.Sprintf("asm: %s: two labels %q", f.name, x.label))
		}
		at[x.label] = i
	}
	for _, x := range f.insts {
		if _, ok := at[x.target]; !ok && x.target != "" {
			panic(fmt.Sprintf("asm: %s: no label %q", f.name, x.target))
		}
	}
	return at
}

// conflicts are, for each register, those that must not share its number.
func (f *Func) conflicts() []set {
	c := make([]set, len(f.vector))
	for i := range c {
		c[i] = newSet(len(f.vector))
	}
	for i, live := range f.liveness() {
		defs := f.insts[i].defs
		for k, d := range defs {
			conflict := func(r reg) {
				if r != d && f.vector[r] == f.vector[d] {
					c[d].add(r)
					c[r].add(d)
				}
			}
			live.each(conflict)
			for _, other := range defs[:k] {
				conflict(other)
			}
		}
	}
	return c
}

// allocate returns the number of each register: in the order in which they are
// set first, the lowest that no conflicting one has.
func (f *Func) allocate() []int {
	conflicts, number := f.conflicts(), make([]int, len(f.vector))
	for i := range number {
		number[i] = -1
	}
	for r, n := range f.fixed {
		conflicts[r].each(func(other reg) {
			if number[other] == n {
				panic(fmt.Sprintf("asm: %s: two values want vector register %d", f.name, n))
			}
		})
		number[r] = n
	}
	for _, x := range f.insts {
		for _, d := range x.defs {
			if number[d] < 0 {
				number[d] = f.free(d, conflicts[d], number)
			}
		}
	}
	return number
}

// free is the lowest number for register d.
func (f *Func) free(d reg, conflicts set, number []int) int {
	taken := [vecNumbers]bool{}
	conflicts.each(func(r reg) {
		if number[r] >= 0 {
			taken[number[r]] = true
		}
	})
	if !f.vector[d] {
		for _, n := range gpNumbers {
			if !taken[n] {
				return n
			}
		}
		panic("asm: " + f.name + ": too few general-purpose registers")
	}
	for n := range vecNumbers {
		if !taken[n] {
			return n
		}
	}
	panic("asm: " + f.name + ": too few vector registers")
}
