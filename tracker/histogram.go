package tracker

import (
	"context"
	"encoding/json"
	"math"
	"time"
)

// KindHistogram is the Object.Kind of histograms. Their Data is the JSON that Histogram.Encode writes:
//
//	{"lo":-1,"hi":1,"counts":[3,4]}         bins of equal width
//	{"edges":[-1,0,2],"counts":[3,4]}       any others
//
// and, where they are not 0, "nan", "neginf" and "posinf". SQL reads it by json_extract.
const KindHistogram = "histogram"

// MaxBins bounds the bins of a histogram.
const MaxBins = 10_000

// Histogram counts values in bins. Bin i holds the values v with Edges[i] ≤ v < Edges[i+1]; the last bin holds its upper
// edge too. Values that are no finite numbers are counted apart.
type Histogram struct {
	Edges                  []float64 // ascending and finite, one more than Counts
	Counts                 []int64
	NaNs, NegInfs, PosInfs int64
}

// HistogramAt is a logged histogram.
type HistogramAt struct {
	Step      int64
	Time      time.Time
	Histogram Histogram
}

// NewHistogram counts values in bins (1 to MaxBins) of equal width from the least to the greatest finite value. If all
// are equal, the bins span 1 around it; if there are none, they span 0 to 1.
func NewHistogram(values []float64, bins int) (Histogram, error) {
	if bins < 1 || bins > MaxBins {
		return Histogram{}, invalid("histogram", "bins is %d, allowed 1 to %d", bins, MaxBins)
	}
	h := Histogram{Counts: make([]int64, bins)}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			h.NaNs++
		case math.IsInf(v, -1):
			h.NegInfs++
		case math.IsInf(v, 1):
			h.PosInfs++
		default:
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	h.Edges = evenEdges(lo, hi, bins)
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			h.Counts[h.bin(v)]++
		}
	}
	return h, nil
}

// evenEdges divides lo to hi. Where floats are too coarse for that many different edges, the span grows.
func evenEdges(lo, hi float64, bins int) []float64 {
	if lo > hi {
		lo, hi = 0, 1
	}
	mid := lo/2 + hi/2
	if room := max(math.Abs(lo), math.Abs(hi)) * float64(bins) * 0x1p-50; hi/2-lo/2 <= room {
		half := max(0.5, room)
		lo, hi = max(mid-half, -math.MaxFloat64), min(mid+half, math.MaxFloat64)
	}
	edges := make([]float64, bins+1)
	for i := range edges {
		t := float64(i) / float64(bins)
		edges[i] = lo*(1-t) + hi*t
	}
	edges[0], edges[bins] = lo, hi
	return edges
}

// bin returns the bin of a finite v within the edges, by bisection: what it returns agrees with Edges to the last bit.
func (h Histogram) bin(v float64) int {
	lo, hi := 0, len(h.Counts) // Edges[lo] ≤ v, and v < Edges[hi] or hi is the end
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; v < h.Edges[mid] {
			hi = mid
		} else {
			lo = mid
		}
	}
	return lo
}

// Total returns the number of values, those that are no finite numbers included.
func (h Histogram) Total() int64 {
	n := h.NaNs + h.NegInfs + h.PosInfs
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Quantile estimates the q-quantile (0 ≤ q ≤ 1) of the finite values, taking each bin's values as evenly spread. It is
// NaN if there are none, or q is outside.
func (h Histogram) Quantile(q float64) float64 {
	rank := q * float64(h.Total()-h.NaNs-h.NegInfs-h.PosInfs)
	seen, last := 0.0, math.NaN()
	if !(q >= 0 && q <= 1) {
		return last
	}
	for i, c := range h.Counts {
		if c == 0 {
			continue
		}
		t := min((rank-seen)/float64(c), 1)
		last = h.Edges[i]*(1-t) + h.Edges[i+1]*t
		if seen += float64(c); rank <= seen {
			return last
		}
	}
	return last
}

// check returns what is wrong with a histogram, "" if nothing is.
func (h Histogram) check() error {
	const op = "histogram"
	if len(h.Counts) < 1 || len(h.Counts) > MaxBins {
		return invalid(op, "Counts has %d bins, allowed 1 to %d", len(h.Counts), MaxBins)
	}
	if len(h.Edges) != len(h.Counts)+1 {
		return invalid(op, "Edges has %d values, want %d: one more than Counts", len(h.Edges), len(h.Counts)+1)
	}
	for i, e := range h.Edges {
		if math.IsNaN(e) || math.IsInf(e, 0) {
			return invalid(op, "Edges[%d] is %v, want a finite number", i, e)
		}
		if i > 0 && e <= h.Edges[i-1] {
			return invalid(op, "Edges[%d] is %v, want more than Edges[%d] = %v", i, e, i-1, h.Edges[i-1])
		}
	}
	for i, c := range h.Counts {
		if c < 0 {
			return invalid(op, "Counts[%d] is %d, allowed 0 and more", i, c)
		}
	}
	if h.NaNs < 0 || h.NegInfs < 0 || h.PosInfs < 0 {
		return invalid(op, "NaNs, NegInfs and PosInfs are %d, %d and %d, allowed 0 and more", h.NaNs, h.NegInfs, h.PosInfs)
	}
	return nil
}

// histogramJSON is the stored form.
type histogramJSON struct {
	Lo     *float64  `json:"lo,omitempty"`
	Hi     *float64  `json:"hi,omitempty"`
	Edges  []float64 `json:"edges,omitempty"`
	Counts []int64   `json:"counts"`
	NaN    int64     `json:"nan,omitempty"`
	NegInf int64     `json:"neginf,omitempty"`
	PosInf int64     `json:"posinf,omitempty"`
}

// Encode returns the stored form; DecodeHistogram gives back exactly h. A histogram that breaks the rules of its fields
// is an error.
func (h Histogram) Encode() ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	j := histogramJSON{Counts: h.Counts, NaN: h.NaNs, NegInf: h.NegInfs, PosInf: h.PosInfs}
	lo, hi := h.Edges[0], h.Edges[len(h.Counts)]
	if equalFloats(h.Edges, evenEdges(lo, hi, len(h.Counts))) {
		j.Lo, j.Hi = &lo, &hi
	} else {
		j.Edges = h.Edges
	}
	return json.Marshal(j)
}

func equalFloats(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// DecodeHistogram reads the Data of an object of kind histogram.
func DecodeHistogram(data []byte) (Histogram, error) {
	var j histogramJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return Histogram{}, invalid("histogram", "the data are no histogram: %v", err)
	}
	if n := len(j.Counts); n < 1 || n > MaxBins {
		return Histogram{}, invalid("histogram", "counts has %d bins, allowed 1 to %d", n, MaxBins)
	}
	h := Histogram{Edges: j.Edges, Counts: j.Counts, NaNs: j.NaN, NegInfs: j.NegInf, PosInfs: j.PosInf}
	if j.Edges == nil && j.Lo != nil && j.Hi != nil {
		h.Edges = evenEdges(*j.Lo, *j.Hi, len(j.Counts))
	}
	return h, h.check()
}

// LogHistogram records a histogram under a key.
func (r *Run) LogHistogram(key string, step int64, h Histogram) error {
	data, err := h.Encode()
	if err != nil {
		return err
	}
	return r.LogObject(Object{Key: key, Step: step, Kind: KindHistogram, Data: data})
}

// LogHistogramOf records the histogram of values that NewHistogram makes.
func (r *Run) LogHistogramOf(key string, step int64, values []float64, bins int) error {
	h, err := NewHistogram(values, bins)
	if err != nil {
		return err
	}
	return r.LogHistogram(key, step, h)
}

// Histograms returns the histograms under a key and context, ordered like History. None is no error; objects of other
// kinds are left out.
func (s *Store) Histograms(ctx context.Context, ref, key, context string) ([]HistogramAt, error) {
	objects, err := s.Objects(ctx, ref, key, context)
	if err != nil {
		return nil, err
	}
	var list []HistogramAt
	for _, o := range objects {
		if o.Kind != KindHistogram {
			continue
		}
		h, err := DecodeHistogram(o.Data)
		if err != nil {
			return nil, err
		}
		list = append(list, HistogramAt{Step: o.Step, Time: o.Time, Histogram: h})
	}
	return list, nil
}
