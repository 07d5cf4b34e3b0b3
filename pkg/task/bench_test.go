package task

import "testing"

// What every start of the lab on go-source costs: reading, families, overlap.
func BenchmarkReadGoSource(b *testing.B) {
	for b.Loop() {
		x, err := New(DefaultConfig(GoSource), 1)
		if err != nil {
			b.Skipf("no Go source tree here: %v", err)
		}
		b.SetBytes(ManifestOf(x).TrainBytes)
	}
}
