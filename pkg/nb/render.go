package nb

import (
	"reflect"
	"slices"

	"github.com/gophersnake/gophersnake/internal/nbhook"
	"github.com/gophersnake/gophersnake/pkg/lab"
)

// Render returns how Show would show the values of a cell's last expression, for
// the kernel, which shows other values by itself: if one of them is of a type
// of the lab, the tracker or this package, all that are not nil, in order; else
// none. What a call that failed returns beside its error is shown only if it is
// more than a zero value, and what Train returns without the curve that Train has
// just drawn above it.
func Render(values ...any) []nbhook.Output {
	var out []nbhook.Output
	failed := slices.ContainsFunc(values, func(x any) bool { _, is := x.(error); return is })
	known := false
	for _, x := range values {
		if isNil(x) {
			continue // the error of a call that went well
		}
		if failed && reflect.ValueOf(x).IsZero() && viewsOf(x) != nil {
			known = true
			continue
		}
		views := viewsOf(x)
		known = known || views != nil
		if views == nil {
			views = []output{otherOutput(x)}
		}
		if drawnHere(x) {
			views = views[:1]
		}
		for _, o := range views {
			out = append(out, nbhook.Output{Data: o.data, Metadata: o.metadata})
		}
	}
	if !known {
		return nil
	}
	return out
}

// drawnHere reports whether the running cell shows the curve of a result.
func drawnHere(x any) bool {
	ctx := Context()
	here.mu.Lock()
	defer here.mu.Unlock()
	r, ok := x.(*lab.Result)
	return ok && r == here.last && here.drawn == ctx
}
