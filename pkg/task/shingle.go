package task

import "slices"

// A rolling hash of n bytes x is Σ xᵢ·rollBase^(n−1−i) mod 2⁶⁴ (Karp and Rabin 1987): the hash of the next n bytes
// follows from it with two multiplications. It is compared with hashes of the same machine word only, never stored.
const rollBase = 0x9e3779b97f4a7c15 // odd, so that no byte is shifted out; otherwise without meaning

// scatter spreads a rolling hash over all its bits (the last step of MurmurHash3): its low bits depend on few bytes.
func scatter(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}

// rollPower returns rollBase^n, what a byte weighs that leaves a window of n.
func rollPower(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= rollBase
	}
	return p
}

const (
	shingleBytes = 64 // characters of a shingle, white space not counted
	shingleRate  = 64 // one shingle in so many is kept, chosen by its hash, so the same ones in every file
)

// shingles returns a sorted sample of the hashes of all runs of shingleBytes characters of the data, each once. White
// space does not count, so that copies with other line ends, indentation or a byte order mark after it stay copies.
func shingles(data []byte) []uint64 {
	leaving := rollPower(shingleBytes)
	var ring [shingleBytes]byte
	var out []uint64
	h, n := uint64(0), 0
	for _, c := range data {
		if c <= ' ' {
			continue
		}
		h = h*rollBase + uint64(c) - uint64(ring[n%shingleBytes])*leaving
		ring[n%shingleBytes] = c
		if n++; n >= shingleBytes && scatter(h)%shingleRate == 0 {
			out = append(out, h)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
