package isa

import (
	"runtime"
	"slices"
	"testing"
)

// What is recorded with a run is a set that the machine can have.
func TestName(t *testing.T) {
	want := []string{Go}
	switch {
	case UseNEON:
		want = []string{NEON}
	case UseAVX2:
		want = []string{AVX2, AVX512}
	}
	if !slices.Contains(want, Name()) {
		t.Errorf("Name() is %q, want one of %q", Name(), want)
	}
	if UseNEON && runtime.GOARCH != "arm64" || UseAVX2 && runtime.GOARCH != "amd64" {
		t.Errorf("%s on %s", Name(), runtime.GOARCH)
	}
}
