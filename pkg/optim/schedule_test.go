package optim_test

import (
	"math"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/optim"
)

// TestScheduleValues: known values at warm-up, peak, middle and end.
func TestScheduleValues(t *testing.T) {
	sched := func(k optim.ScheduleKind) optim.Schedule {
		return optim.Schedule{Kind: k, LR: 2, WarmUp: 0.1, Final: 0.1}
	}
	for _, tt := range []struct {
		kind optim.ScheduleKind
		step int
		want float64
	}{
		{optim.Cosine, 0, 0.2}, {optim.Cosine, 4, 1}, {optim.Cosine, 9, 2}, {optim.Cosine, 10, 2},
		{optim.Cosine, 55, 2 * (0.1 + 0.9*0.5)}, {optim.Cosine, 100, 0.2}, {optim.Cosine, 1000, 0.2},
		{optim.Linear, 0, 0.2}, {optim.Linear, 10, 2}, {optim.Linear, 55, 1.1}, {optim.Linear, 100, 0.2},
		{optim.Constant, 0, 0.2}, {optim.Constant, 9, 2}, {optim.Constant, 100, 2},
	} {
		// 101 steps: warm-up of ⌈10.1⌉ = 11 would blur the table, so 10/101.
		s := sched(tt.kind)
		s.WarmUp = 10.0 / 101
		if got := s.At(tt.step, 101); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%s: step %d of 101: %v, want %v", tt.kind, tt.step, got, tt.want)
		}
	}
}

// TestScheduleShape: for every kind and odd sizes the rate is above 0 and at
// most LR, rises strictly in warm-up, does not rise after it, and ends at
// Final·LR.
func TestScheduleShape(t *testing.T) {
	for _, kind := range optim.ScheduleKinds() {
		for _, steps := range []int{1, 2, 3, 10, 30, 70, 101, 1000} {
			for _, warm := range []float64{0, 0.01, 0.1, 0.3, 0.5, 0.7, 1} {
				s := optim.Schedule{Kind: kind, LR: 3e-3, WarmUp: warm, Final: 0.1}
				checkShape(t, s, steps)
			}
		}
	}
}

func checkShape(t *testing.T, s optim.Schedule, steps int) {
	t.Helper()
	// A share given in decimals is not taken for more than it says.
	warm := int(math.Ceil(math.Round(s.WarmUp*float64(steps)*1e6) / 1e6))
	last, peak := 0.0, 0.0
	for i := range steps {
		lr := s.At(i, steps)
		peak = max(peak, lr)
		if !(lr > 0 && lr <= s.LR*(1+1e-15)) {
			t.Errorf("%+v: step %d of %d: %v is not in (0, LR]", s, i, steps, lr)
		}
		if i < warm && lr <= last {
			t.Errorf("%+v: step %d of %d: warm-up does not rise: %v after %v", s, i, steps, lr, last)
		}
		if i > warm && lr > last {
			t.Errorf("%+v: step %d of %d: rises after warm-up: %v after %v", s, i, steps, lr, last)
		}
		last = lr
	}
	final := s.LR * s.Final
	if s.Kind == optim.Constant || warm >= steps {
		final = s.LR
	}
	if math.Abs(last-final) > 1e-15 {
		t.Errorf("%+v: the last of %d steps has %v, want %v", s, steps, last, final)
	}
	if steps-warm != 1 && math.Abs(peak-s.LR) > 1e-15 {
		t.Errorf("%+v: the peak over %d steps is %v, want LR", s, steps, peak)
	}
}

// TestScheduleWarmUpIsExact: 7 % of 100 steps are 7, though 0.07·100 is more in
// floating point.
func TestScheduleWarmUpIsExact(t *testing.T) {
	for _, steps := range []int{100, 300, 700, 1100, 1000, 12345600} {
		for _, share := range []float64{0.1, 0.3, 0.7, 0.07, 0.55} {
			s := optim.Schedule{Kind: optim.Linear, LR: 1, WarmUp: share, Final: 0}
			warm := int(math.Round(share * float64(steps)))
			if got := s.At(0, steps); math.Abs(got-1/float64(warm)) > 1e-15 {
				t.Errorf("%g of %d steps: first rate 1/%v, want 1/%d", share, steps, 1/got, warm)
			}
		}
	}
}

func TestScheduleErrors(t *testing.T) {
	if err := optim.DefaultSchedule().Validate(); err != nil {
		t.Error(err)
	}
	mixertest.WantErrors(t, optim.Schedule{Kind: "step", LR: 0, WarmUp: 1.1, Final: -1}.Validate(),
		`schedule.kind is "step", want one of [constant cosine linear]`, "schedule.lr is 0", "schedule.warmup is 1.1", "schedule.final is -1")
	nan := math.NaN()
	mixertest.WantErrors(t, optim.Schedule{Kind: optim.Linear, LR: nan, WarmUp: nan, Final: nan}.Validate(), "lr", "warmup", "final")
}
