package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

var ctx = context.Background()

// clock moves on by a second whenever it is read.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(time.Second)
	return c.t
}

// openStore opens a new database whose ids and times follow from the seed.
func openStore(t testing.TB, seed byte) *tracker.Store {
	t.Helper()
	c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)}
	s, err := tracker.OpenConfig(tracker.Config{Path: filepath.Join(t.TempDir(), "test.db"), Now: c.now,
		Rand: rand.NewChaCha8([32]byte{seed}), HeartbeatInterval: time.Minute, StaleAfter: time.Hour})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError checks that an error is one of this package and names everything it should.
func wantError(t testing.TB, err error, texts ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want an *Error", err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not name %q", err, text)
		}
	}
}

var oddValues = []float64{0, 1, -1, 0.1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, 1e21, 123456789}

var oddKeys = []string{"loss", "acc/top 1", "verlust ü", "損失", "a,b", `quote"d`, "<&>", "x@y", "NaN", strings.Repeat("k", tracker.MaxKeyLength)}

// randomConfig is a config with what is hard to keep: numbers beyond 64 bits, order, blanks, text.
func randomConfig(rng *rand.Rand) []byte {
	return []byte([]string{"", "{}", "{ }", `{"lr":0.1,"seed":18446744073709551615}`, `{"b":1,"a":{"c":[1,2,{"d":null}],"e":{}}}`,
		"{\n  \"text\": \"zeile\\n<ü>\",\t\"big\": 123456789012345678901234567890, \"off\": false }"}[rng.IntN(6)])
}

// fillRandom logs runs with everything that a run can have.
func fillRandom(t testing.TB, s *tracker.Store, seed uint64, runs int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	var parent string
	for i := range runs {
		cfg := tracker.RunConfig{Experiment: []string{"ladder", "größe, \"x\""}[rng.IntN(2)], Config: randomConfig(rng),
			NoSeed: rng.IntN(3) == 0, Seed: int64(rng.Uint64())}
		if rng.IntN(2) == 0 {
			cfg.Name, cfg.Group, cfg.Parent = fmt.Sprintf("run <%d>", i%3), "arm 1", parent
			cfg.Note, cfg.Tags = "line 1\r\nline \"2\"", map[string]string{"team": "a\nb", oddKeys[rng.IntN(9)]: ""}
			cfg.Environment = &tracker.Environment{GoVersion: "go1", GitDiff: []byte("diff\n")}
		}
		r, err := s.StartRun(cfg)
		must(t, err)
		fillRun1(t, r, rng)
		if rng.IntN(2) == 0 {
			parent = r.ID()
		}
		if i%5 == 4 {
			must(t, s.DeleteRun(ctx, r.ID()))
		}
	}
}

func fillRun1(t testing.TB, r *tracker.Run, rng *rand.Rand) {
	t.Helper()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for range rng.IntN(2500) {
		must(t, r.LogBatch([]tracker.Point{{Key: oddKeys[rng.IntN(len(oddKeys))], Context: []string{"", "eval", "küche"}[rng.IntN(3)],
			Step: int64(rng.IntN(40)) - 3, Value: oddValues[rng.IntN(len(oddValues))], Time: start.Add(time.Duration(rng.IntN(3)) * time.Millisecond)}}))
	}
	for i := range rng.IntN(4) {
		must(t, r.LogObject(tracker.Object{Key: "sample", Context: "eval", Step: math.MaxInt64 - int64(i/2), Kind: "text", Data: bytes.Repeat([]byte{0, 0xff}, i)}))
		_, err := r.AddArtifact(tracker.ArtifactSpec{Name: "out/a.txt", Data: bytes.Repeat([]byte("x"), i), HasStep: i > 1, Step: int64(i)})
		must(t, err)
		must(t, r.LogParam(fmt.Sprintf("late.%d", i), []any{1.5, "text", nil, uint64(math.MaxUint64)}[i]))
	}
	must(t, r.FinishWith([]tracker.Status{tracker.StatusFinished, tracker.StatusFailed, tracker.StatusDiverged}[rng.IntN(3)], "why\n"))
}

func exportAll(t testing.TB, s *tracker.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := ExportJSONL(ctx, s, &b, ExportOptions{Deleted: true, Contents: ContentsInline})
	must(t, err)
	return b.Bytes()
}
