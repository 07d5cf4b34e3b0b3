package lab

import (
	"math"

	"github.com/gophersnake/gophersnake/pkg/task"
)

// evaluate runs every batch of a split without gradient and logs the split's
// loss and its metric: "valid/loss", "valid/accuracy".
func (t *trainer) evaluate(split string) error {
	var lossSum float64
	var scored, correct int
	for i := 0; ; i++ {
		b, ok := t.task.Eval(split, i)
		if !ok {
			break
		}
		n := b.Scored()
		if n == 0 {
			continue
		}
		t.tape.Reset()
		t.tape.SetGrad(false)
		t.tape.SetTraining(false)
		y := t.forward(b)
		lossSum += float64(n) * t.loss(b, y).Item()
		scored += n
		if t.spec.Metric == task.Accuracy {
			correct += countCorrect(t.tape.Argmax(y), b.Targets)
		}
	}
	t.tape.Reset()
	mean := lossSum / float64(scored) // NaN when nothing was scored, and shown as such
	if err := t.log(split+"/loss", mean); err != nil {
		return err
	}
	switch t.spec.Metric {
	case task.Accuracy:
		return t.log(split+"/"+string(task.Accuracy), float64(correct)/float64(scored))
	case task.BitsPerByte:
		return t.log(split+"/"+string(task.BitsPerByte), mean/math.Ln2)
	default:
		return t.log(split+"/"+string(task.MSE), mean)
	}
}

func countCorrect(got, want []int32) int {
	n := 0
	for i, w := range want {
		if w != task.Ignore && got[i] == w {
			n++
		}
	}
	return n
}
