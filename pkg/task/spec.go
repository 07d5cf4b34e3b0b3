package task

// SpecOf returns the Spec of a valid config without reading a corpus; the zero Spec for an unknown name.
func SpecOf(c Config) Spec {
	k, ok := kindOf(c.Name)
	if !ok {
		return Spec{}
	}
	return c.fullSpec(k)
}
