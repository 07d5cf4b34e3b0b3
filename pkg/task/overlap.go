package task

// What counts as shared with training: a run of sharedBytes bytes that stands there, too. It is found by its grams, of
// gramBytes each, at the multiples of gramStep: every run of 64 bytes holds the 48 from a multiple of 16 on, wherever it
// starts. So a window without a shared gram holds no shared run; one with a shared gram may hold 48 to 63 bytes only.
const (
	sharedBytes = 64
	gramStep    = 16
	gramBytes   = sharedBytes - gramStep
)

// grams says of an evaluation split which of its grams, number i from byte i·gramStep on, occur in training.
type grams []bool

// sharedGrams looks for the grams of valid and test at every offset of the training bytes.
func sharedGrams(training, valid, test []byte) (inValid, inTest grams) {
	a, b := gramHashes(valid), gramHashes(test)
	set := newGramSet(len(a) + len(b))
	for _, hashes := range [2][]uint64{a, b} {
		for _, h := range hashes {
			set.add(h)
		}
	}
	set.scan(training)
	return set.markedOf(a), set.markedOf(b)
}

func gramHashes(data []byte) []uint64 {
	var hashes []uint64
	for ; len(data) >= gramBytes; data = data[gramStep:] {
		h := uint64(0)
		for _, c := range data[:gramBytes] {
			h = h*rollBase + uint64(c)
		}
		hashes = append(hashes, h)
	}
	return hashes
}

// held reports whether the window from byte lo to byte hi, hi not included, holds a run that is shared with training. A
// window below 64 bytes can hold none; it counts when it touches one.
func (g grams) held(lo, hi int) bool {
	first, last := gramsInside(lo, hi)
	if hi-lo < sharedBytes {
		first, last = max(0, lo-gramBytes+gramStep)/gramStep, (hi-1)/gramStep
	}
	for i := first; i <= last && i < len(g); i++ {
		if g[i] {
			return true
		}
	}
	return false
}

// whole reports whether every gram of the window stands in training, so that all of it may: an upper bound, for its
// grams need not stand side by side there.
func (g grams) whole(lo, hi int) bool {
	if hi-lo < sharedBytes {
		return g.held(lo, hi)
	}
	first, last := gramsInside(lo, hi)
	for i := first; i <= last; i++ {
		if !g[i] {
			return false
		}
	}
	return true
}

// gramsInside returns the first and the last gram that lie between two bytes.
func gramsInside(lo, hi int) (first, last int) {
	return (lo + gramStep - 1) / gramStep, (hi - gramBytes) / gramStep
}

// gramSet is a set of hashes, each with a mark: open addressing, and before it a filter of a few bits a hash that a
// core's cache can hold, for most of training is in none. Two grams of the same hash would be marked together; among 10⁸
// training bytes and 10⁶ grams the chance of one such pair is 10¹⁴/2⁶⁴, and it would only leave a good window out.
type gramSet struct {
	bits   int      // log₂ of the number of slots
	filter []uint64 // 8 bits for each slot
	slots  []uint64 // 0: empty
	marks  []bool
}

func newGramSet(n int) *gramSet {
	bits := 6
	for 1<<bits < 2*n {
		bits++
	}
	return &gramSet{bits, make([]uint64, 1<<(bits-3)), make([]uint64, 1<<bits), make([]bool, 1<<bits)}
}

// bit is where the filter has a scattered hash: its top bits.
func (s *gramSet) bit(scattered uint64) (word int, mask uint64) {
	at := scattered >> (64 - s.bits - 3)
	return int(at >> 6), 1 << (at & 63)
}

// slot returns the slot that holds a hash, or the empty one where it belongs. It spends 0, which means empty, as 1.
func (s *gramSet) slot(h, scattered uint64) (slot int, key uint64) {
	key = max(h, 1)
	last := len(s.slots) - 1
	for slot = int(scattered) & last; s.slots[slot] != 0 && s.slots[slot] != key; {
		slot = (slot + 1) & last
	}
	return slot, key
}

func (s *gramSet) add(h uint64) {
	scattered := scatter(h)
	word, mask := s.bit(scattered)
	s.filter[word] |= mask
	slot, key := s.slot(h, scattered)
	s.slots[slot] = key
}

// scan marks the grams that occur anywhere in the data.
func (s *gramSet) scan(data []byte) {
	leaving := rollPower(gramBytes)
	h := uint64(0)
	for i, c := range data {
		h = h*rollBase + uint64(c)
		if i >= gramBytes {
			h -= uint64(data[i-gramBytes]) * leaving
		} else if i < gramBytes-1 {
			continue
		}
		scattered := scatter(h)
		if word, mask := s.bit(scattered); s.filter[word]&mask == 0 {
			continue
		}
		if slot, key := s.slot(h, scattered); s.slots[slot] == key {
			s.marks[slot] = true
		}
	}
}

func (s *gramSet) markedOf(hashes []uint64) grams {
	g := make(grams, len(hashes))
	for i, h := range hashes {
		slot, _ := s.slot(h, scatter(h))
		g[i] = s.marks[slot]
	}
	return g
}
