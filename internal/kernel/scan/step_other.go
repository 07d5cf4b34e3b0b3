//go:build !amd64 || noasm

package scan

// stepSixteen has no kernel here.
func (s *Selective) stepSixteen(_ stepScratch, _ []float32, _, lo, _ int) int { return lo }
