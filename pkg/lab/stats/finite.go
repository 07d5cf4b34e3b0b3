package stats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"

	"gonum.org/v1/gonum/stat/distuv"
)

// finite reports whether v is a number with a place on the line.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// split returns the finite values of xs in a new slice and how many were not.
func split(xs []float64) (kept []float64, diverged int) {
	kept = make([]float64, 0, len(xs))
	for _, x := range xs {
		if finite(x) {
			kept = append(kept, x)
		} else {
			diverged++
		}
	}
	return kept, diverged
}

// checkConfidence panics with the caller's name unless 0 < c < 1.
func checkConfidence(caller string, c float64) {
	if !(c > 0 && c < 1) {
		panic(fmt.Sprintf("stats.%s: confidence is %g, want above 0 and below 1, such as 0.95", caller, c))
	}
}

// checkPaired panics with the caller's name unless a and b have equal lengths.
func checkPaired(caller string, a, b []float64) {
	if len(a) != len(b) {
		panic(fmt.Sprintf("stats.%s: got %d and %d values, want as many of one as of the other", caller, len(a), len(b)))
	}
}

// tFactor is t_{1−α/2, df}: 4.303 for three runs (df = 2) at 95 %.
func tFactor(confidence, df float64) float64 {
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}
	return t.Quantile(0.5 + confidence/2)
}

// zFactor is the standard normal quantile z_{1−α/2}: 1.960 at 95 %.
func zFactor(confidence float64) float64 {
	return distuv.UnitNormal.Quantile(0.5 + confidence/2)
}

// twoSidedP is 2·P(T > |t|) for Student's t with df degrees of freedom.
func twoSidedP(t, df float64) float64 {
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Survival(math.Abs(t))
}

// marshalFinite writes a flat struct as JSON with null for every float64 that
// is not finite, which encoding/json refuses.
func marshalFinite(v any) ([]byte, error) {
	rv := reflect.ValueOf(v)
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range rv.NumField() {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", rv.Type().Field(i).Tag.Get("json"))
		field := rv.Field(i)
		if field.Kind() == reflect.Float64 && !finite(field.Float()) {
			b.WriteString("null")
			continue
		}
		text, err := json.Marshal(field.Interface())
		if err != nil {
			return nil, err
		}
		b.Write(text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
