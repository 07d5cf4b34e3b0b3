package task

import (
	"flag"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The first sequences of every generated task, small enough to check by eye against doc.go.
func TestGolden(t *testing.T) {
	configs := []Config{
		{Name: SelectiveCopying, Length: 6, Batch: 2, Vocab: 6, Memorize: 3, EvalBatches: 1},
		{Name: Copying, Variant: Delayed, Length: 6, Batch: 2, Vocab: 6, Memorize: 3, EvalBatches: 1},
		{Name: Copying, Variant: Lag, Length: 8, Batch: 2, Vocab: 6, Memorize: 3, EvalBatches: 1},
		{Name: Induction, Length: 8, Batch: 2, Vocab: 6, EvalLengths: []int{12}, EvalBatches: 1},
		{Name: MQAR, Variant: Zero, Length: 16, Batch: 2, Vocab: 20, Pairs: 3, EvalBatches: 1},
		{Name: MQAR, Variant: Random, Length: 16, Batch: 2, Vocab: 20, Pairs: 3, EvalBatches: 1},
		{Name: Adding, Length: 6, Batch: 2, EvalBatches: 1},
		{Name: Parity, Variant: Final, Length: 8, Batch: 2, EvalBatches: 1},
		{Name: Parity, Variant: Prefix, Length: 8, Batch: 2, TrainLengths: []int{3, 8}, EvalBatches: 1},
		{Name: FirstToken, Length: 8, Batch: 2, Vocab: 8, EvalBatches: 1},
		{Name: Text, Length: 12, Batch: 2, EvalBatches: 1, Path: textFile(t, 2000)},
	}
	var out strings.Builder
	for _, c := range configs {
		out.WriteString(strings.TrimSpace("# "+string(c.Name)+" "+string(c.Variant)) + "\n")
		x := mustNew(t, c, 1)
		batches := []*Batch{x.Train(0), x.Train(1)}
		for _, split := range x.Spec().Splits {
			b, _ := x.Eval(split, 0)
			batches = append(batches, b)
		}
		for _, b := range batches {
			out.WriteString(b.String() + "\n" + b.Show(0) + b.Show(1))
		}
	}
	const file = "testdata/golden.txt"
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("batches changed; if that is meant, run go test -update and say so in the release notes. Got:\n%s", out.String())
	}
}

func TestSelectiveCopying(t *testing.T) {
	const L, M, A = 12, 4, 10
	x := mustNew(t, Config{Name: SelectiveCopying, Length: L, Batch: 16, Vocab: A, Memorize: M, EvalBatches: 1}, 1)
	symbols, subsets := map[int32]int{}, map[int32]int{}
	sequences(t, x, 500, func(x, y []int32) {
		var data []int32
		for p, v := range x[:L+M] {
			if v != 0 {
				data = append(data, v)
				symbols[v]++
				subsets[int32(p)]++
			}
		}
		if len(data) != M || !slices.Equal(y[L+M:], data) {
			t.Fatalf("data %v, answers %v", data, y[L+M:])
		}
		if slices.ContainsFunc(x[L+M:], func(v int32) bool { return v != A-1 }) || len(scoredAt(y)) != M {
			t.Fatalf("markers %v, scored at %v", x[L+M:], scoredAt(y))
		}
	})
	testUniform(t, "symbols", symbols, 1, A-2)
	testUniform(t, "positions", subsets, 0, L+M-1)
}

// Every subset of positions is equally likely, not only every position: 2 of 5 has 10.
func TestSelectiveCopyingSubsets(t *testing.T) {
	x := mustNew(t, Config{Name: SelectiveCopying, Length: 3, Batch: 16, Vocab: 4, Memorize: 2, EvalBatches: 1}, 1)
	counts := map[int32]int{}
	sequences(t, x, 1000, func(x, _ []int32) {
		var p []int32
		for i, v := range x[:5] {
			if v != 0 {
				p = append(p, int32(i))
			}
		}
		counts[p[1]*(p[1]-1)/2+p[0]]++ // the rank of the pair among the ten
	})
	testUniform(t, "pairs of positions", counts, 0, 9)
}

func TestCopying(t *testing.T) {
	const L, M, A = 7, 5, 10
	x := mustNew(t, Config{Name: Copying, Variant: Delayed, Length: L, Batch: 16, Vocab: A, Memorize: M, EvalBatches: 1}, 1)
	symbols := map[int32]int{}
	sequences(t, x, 300, func(x, y []int32) {
		for i := range M {
			symbols[x[i]]++
		}
		want := slices.Concat(x[:M], make([]int32, L), []int32{A - 1, A - 1, A - 1, A - 1, A - 1})
		if !slices.Equal(x, want) || !slices.Equal(y[L+M:], x[:M]) || len(scoredAt(y)) != M {
			t.Fatalf("x %v, y %v", x, y)
		}
	})
	testUniform(t, "symbols", symbols, 1, A-2)
	x = mustNew(t, Config{Name: Copying, Variant: Lag, Length: 20, Batch: 16, Vocab: A, Memorize: M, EvalBatches: 1}, 1)
	sequences(t, x, 300, func(x, y []int32) {
		if !slices.Equal(y[M:], x[:20-M]) || len(scoredAt(y)) != 20-M || slices.Contains(x, 0) || slices.Contains(x, A-1) {
			t.Fatalf("x %v, y %v", x, y)
		}
	})
}

func TestInduction(t *testing.T) {
	const L, V = 10, 8
	x := mustNew(t, Config{Name: Induction, Length: L, Batch: 16, Vocab: V, EvalBatches: 1}, 1)
	answers, places := map[int32]int{}, map[int32]int{}
	sequences(t, x, 500, func(x, y []int32) {
		p := slices.Index(x, V-2)
		if len(x) != L+1 || p > L-3 || x[L] != V-2 || slices.Contains(x[p+1:L], V-2) || slices.Contains(x, V-1) {
			t.Fatalf("x %v", x)
		}
		if at := scoredAt(y); !slices.Equal(at, []int{L}) || y[L] != x[p+1] {
			t.Fatalf("x %v, y %v", x, y)
		}
		answers[y[L]]++
		places[int32(p)]++
	})
	testUniform(t, "answers", answers, 0, V-3)
	testUniform(t, "places of the trigger", places, 0, L-3)
}

func TestFirstToken(t *testing.T) {
	const L, V = 9, 12
	x := mustNew(t, Config{Name: FirstToken, Length: L, Batch: 16, Vocab: V, EvalBatches: 1}, 1)
	classes, noise := map[int32]int{}, map[int32]int{}
	sequences(t, x, 500, func(x, y []int32) {
		if at := scoredAt(y); !slices.Equal(at, []int{L - 1}) || y[L-1] != x[0] {
			t.Fatalf("x %v, y %v", x, y)
		}
		classes[x[0]]++
		for _, v := range x[1:] {
			noise[v]++
		}
	})
	testUniform(t, "classes", classes, 0, V/2-1)
	testUniform(t, "noise", noise, V/2, V-1)
}

func TestParity(t *testing.T) {
	for _, v := range []Variant{Final, Prefix} {
		x := mustNew(t, Config{Name: Parity, Variant: v, Length: 9, Batch: 16, EvalBatches: 1}, 1)
		labels := map[int32]int{}
		sequences(t, x, 300, func(x, y []int32) {
			if n := len(scoredAt(y)); n != map[Variant]int{Final: 1, Prefix: 9}[v] || y[8] == Ignore {
				t.Fatalf("%s: %d scored, y %v", v, n, y)
			}
			for _, at := range scoredAt(y) {
				ones := int32(0)
				for _, bit := range x[:at+1] {
					ones += bit
				}
				if y[at] != ones%2 {
					t.Fatalf("%s: x %v, y %v", v, x, y)
				}
			}
			labels[y[8]]++
		})
		testUniform(t, "labels", labels, 0, 1)
	}
}

func TestAdding(t *testing.T) {
	const L = 11 // odd: the halves are 0…4 and 5…10
	x := mustNew(t, Config{Name: Adding, Length: L, Batch: 16, EvalBatches: 1}, 1)
	first, second := map[int32]int{}, map[int32]int{}
	sum, squares, n := 0.0, 0.0, 0.0
	for step := range 500 {
		b := x.Train(step)
		for row := range b.B {
			var marked []int32
			total := 0.0
			for i := range L {
				v, mark := b.Inputs[(row*L+i)*2], b.Inputs[(row*L+i)*2+1]
				if v < 0 || v >= 1 || mark != 0 && mark != 1 {
					t.Fatalf("x_%d = (%g, %g)", i, v, mark)
				}
				if mark == 1 {
					marked = append(marked, int32(i))
					total += v
				}
				sum, squares, n = sum+v, squares+v*v, n+1
			}
			if len(marked) != 2 || total != b.Values[row] {
				t.Fatalf("marks at %v, sum %g, value %g", marked, total, b.Values[row])
			}
			first[marked[0]]++
			second[marked[1]]++
		}
	}
	testUniform(t, "first mark", first, 0, L/2-1)
	testUniform(t, "second mark", second, L/2, L-1)
	// Five standard errors of mean and mean square of U(0,1) at n = 88 000.
	if math.Abs(sum/n-0.5) > 0.005 || math.Abs(squares/n-1./3) > 0.005 {
		t.Errorf("mean %g, mean square %g, want 1/2 and 1/3", sum/n, squares/n)
	}
}
