package spec

// Variant is one of the scan kernels; its String ends the kernel's name.
type Variant struct {
	ConstB, ConstC bool // B and C are parameters: a vector of channels for each state
	Gated          bool // backward: Y is summed for the gate's gradient
	Signed         bool // Ā is 2 exp(ΔA) − 1
}

// Variants lists all combinations, gated ones only when asked.
func Variants(gates bool) (vs []Variant) {
	for i := range 16 {
		v := Variant{i&1 != 0, i&2 != 0, i&4 != 0, i&8 != 0}
		if gates || !v.Gated {
			vs = append(vs, v)
		}
	}
	return vs
}

// String is two letters for B and C, C for constant and V for varying from step to
// step, and Gated and Signed for those that are.
func (v Variant) String() string {
	letter := map[bool]string{false: "V", true: "C"}
	s := letter[v.ConstB] + letter[v.ConstC]
	if v.Gated {
		s += "Gated"
	}
	if v.Signed {
		s += "Signed"
	}
	return s
}
