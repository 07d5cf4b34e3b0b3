package ceiling

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestKernels checks that the loops do what is counted, on arrays of a turn and
// more: a write writes all, a sum is a sum, and nothing beyond is touched.
func TestKernels(t *testing.T) {
	for name, k := range map[string]kernels{"native": native(), "portable": portable} {
		for _, n := range []int{turn, 3 * turn} {
			s := arrays(3, n+turn)
			dst, guard := s[0][:n], s[0][n:]
			s[1][n-1] = 5
			k.write(dst)
			if slices.ContainsFunc(dst, func(v float32) bool { return v != 0 }) {
				t.Errorf("%s: write leaves %v", name, dst)
			}
			k.copy(dst, s[1][:n])
			if !slices.Equal(dst, s[1][:n]) {
				t.Errorf("%s: copy gives %v", name, dst)
			}
			k.add(dst, s[1][:n], s[2][:n])
			if dst[0] != 2 || dst[n-1] != 6 {
				t.Errorf("%s: add gives %v … %v", name, dst[0], dst[n-1])
			}
			if k.update(dst); dst[0] != 2 || dst[n-1] != 6 {
				t.Errorf("%s: update leaves %v … %v", name, dst[0], dst[n-1])
			}
			k.read(dst)
			if slices.ContainsFunc(guard, func(v float32) bool { return v != 1 }) {
				t.Errorf("%s: n=%d: touched what follows: %v", name, n, guard)
			}
		}
		if k.fma(10); k.flops <= 0 {
			t.Errorf("%s: %g operations", name, k.flops)
		}
	}
}

// TestLevels reads a machine's caches, and takes the usual ones where none are.
func TestLevels(t *testing.T) {
	dir := t.TempDir()
	for i, c := range [][3]string{{"1", "48K", "Data"}, {"1", "32K", "Instruction"}, {"2", "1024K", "Unified"},
		{"3", "32768K", "Unified"}} {
		place := filepath.Join(dir, fmt.Sprint("index", i))
		if err := os.Mkdir(place, 0o755); err != nil {
			t.Fatal(err)
		}
		for k, name := range []string{"level", "size", "type"} {
			if err := os.WriteFile(filepath.Join(place, name), []byte(c[k]+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := []Level{{Name: "L1", Size: 48 << 10}, {Name: "L2", Size: 1 << 20}, {Name: "L3", Size: 32 << 20, Shared: true},
		{Name: "memory", Size: endless, Shared: true, last: 32 << 20}}
	if got := levels(dir); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := levels(filepath.Join(dir, "none")); len(got) != 4 || got[3].last != usual[2].Size {
		t.Errorf("%+v", got)
	}
	for i, bytes := range []int{24 << 10, 512 << 10, 8 << 20, 128 << 20} {
		if got := want[i].set(2); got != bytes {
			t.Errorf("%s is measured with %d bytes for each of 2 workers, want %d", want[i].Name, got, bytes)
		}
	}
	m := &Machine{levels: want}
	for _, c := range []struct {
		workers int
		set     float64
		want    string
	}{{1, 48 << 10, "L1"}, {1, 49 << 10, "L2"}, {2, 96 << 10, "L1"}, {2, 33 << 20, "memory"}, {2, 3 << 20, "L3"}} {
		if got := m.Level(c.workers, c.set); got != c.want {
			t.Errorf("%g bytes on %d workers are in %s, want %s", c.set, c.workers, got, c.want)
		}
	}
}

// known is a machine whose figures are given.
func known() *Machine {
	return &Machine{
		levels: []Level{{Name: "L1", Size: 1000}, {Name: "memory", Size: endless, Shared: true, last: 1000}},
		known: map[figure]float64{{workers: 2}: 100e9, {2, Read, 0}: 40e9, {2, Read, 1}: 20e9,
			{2, Copy, 1}: 10e9, {2, Write, 1}: 5e9, {2, Add, 1}: 15e9, {2, Update, 1}: 12e9}}
}

type metrics map[string]float64

func (m metrics) ReportMetric(v float64, unit string) { m[unit] = v }

// TestFloor: the greater of the time for arithmetic and for traffic counts, at
// the speed of reading or of the fastest pattern that writes.
func TestFloor(t *testing.T) {
	m := known()
	for _, c := range []struct {
		w    Work
		want float64 // ns
	}{
		{Work{Workers: 2, FLOPs: 1000}, 10},
		{Work{Workers: 2, FLOPs: 1000, Reads: 100e3}, 5000},
		{Work{Workers: 2, FLOPs: 1e9, Reads: 100e3}, 1e7},
		{Work{Workers: 2, Reads: 400}, 10},
		{Work{Workers: 2, Reads: 400e3, Set: 2000}, 1e4},
		{Work{Workers: 2, Reads: 10e3, Writes: 20e3}, 2000},
		{Work{Workers: 2, Writes: 15e3}, 1000},
	} {
		if got := 1e9 * m.Floor(c.w); got < 0.999*c.want || got > 1.001*c.want {
			t.Errorf("%+v takes %g ns, want %g", c.w, got, c.want)
		}
	}
	got := metrics{}
	m.Report(got, Work{Workers: 2, FLOPs: 1e9, Reads: 1e6}, 0.02)
	if got["GFLOP/s"] != 50 || got["%peak"] < 49.9 || got["%peak"] > 50.1 || got["GB/s"] != 0.05 {
		t.Errorf("%v", got)
	}
}

// TestMeasures asks for real figures: each is above 0, and measured once.
func TestMeasures(t *testing.T) {
	m := New()
	for _, workers := range []int{1, 2} {
		f := m.FLOPs(workers)
		if f <= 0 || f != m.FLOPs(workers) {
			t.Errorf("%d workers: %g, then %g", workers, f, m.FLOPs(workers))
		}
		for _, a := range []Access{Read, Write, Copy, Add, Update} {
			if v := m.Bytes(workers, a, 1000); v <= 0 || v != m.Bytes(workers, a, 1000) {
				t.Errorf("%d workers, %s: %g, then %g", workers, a, v, m.Bytes(workers, a, 1000))
			}
		}
	}
}

// TestWhole: a run lasts from the first start to the last end, also when the
// workers' parts follow each other.
func TestWhole(t *testing.T) {
	for _, c := range []struct {
		took        []span
		all, shared time.Duration
	}{
		{[]span{{3, 7}}, 4, 4},
		{[]span{{10, 20}, {0, 9}}, 20, -1},
		{[]span{{0, 9}, {10, 20}}, 20, -1},
		{[]span{{2, 8}, {1, 9}, {3, 7}}, 8, 4},
	} {
		if all, shared := whole(c.took); all != c.all || shared != c.shared {
			t.Errorf("%v take %d, together %d; want %d and %d", c.took, all, shared, c.all, c.shared)
		}
	}
}

// TestFastest: f runs as long as the loop goes on, and takes some time.
func TestFastest(t *testing.T) {
	runs, turns := 0, 0
	seconds := Fastest(func() bool { turns++; return turns <= 3 }, func() { runs++; time.Sleep(time.Millisecond) })
	if turns != 4 || runs != 5 || seconds < 1e-3 {
		t.Errorf("%d turns, %d runs, %g s; want 4, 5, at least 0.001", turns, runs, seconds)
	}
}

// BenchmarkCeiling reports every figure.
func BenchmarkCeiling(b *testing.B) {
	m := New()
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d/fma", workers), func(b *testing.B) {
			report(b, m.FLOPs(workers)/1e9, "GFLOP/s")
		})
		for _, l := range m.levels {
			for _, a := range []Access{Read, Write, Copy, Add, Update} {
				b.Run(fmt.Sprintf("workers=%d/%s/%s", workers, l.Name, a), func(b *testing.B) {
					set := float64(l.Size)
					if !l.Shared {
						set *= float64(workers)
					}
					report(b, m.Bytes(workers, a, set)/1e9, "GB/s")
				})
			}
		}
	}
}

func report(b *testing.B, v float64, unit string) {
	for b.Loop() {
	}
	b.ReportMetric(v, unit)
	b.ReportMetric(0, "ns/op")
}
