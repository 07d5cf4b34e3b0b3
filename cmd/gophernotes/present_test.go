//go:build gophernotes

package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestPresent is about how the value at the end of a cell is shown: types of the
// library by pkg/nb, the rest by their own methods or as text.
func TestPresent(t *testing.T) {
	const imports = `import ("github.com/gophersnake/gophersnake/pkg/lab"; "errors"; "strconv")
`
	for _, c := range []struct{ name, code, kind, want string }{
		{"table of the library", "lab.Rungs()", "text/html", "16 states a channel"},
		{"beside an error that is nil", `lab.RungNamed("mamba")`, "text/html", "16 states a channel"},
		{"error beside a zero value", `lab.RungNamed("mambo")`, "text/plain", `error: lab: rung "mambo"`},
		{"methods of the notebook", "type shownMap map[string]float64\nfunc (m shownMap) HTML() string { return \"<i>own</i>\" }\nshownMap{\"a\": 1}", "text/html", "<i>own</i>"},
		{"number", "1 + 1", "text/plain", "2"},
		{"number and error", `strconv.Atoi("7")`, "text/plain", "7 <nil>"},
		{"error", `errors.New("bad")`, "text/plain", "bad"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := cell(t, imports+c.code)
			if got.failed != nil {
				t.Fatalf("failed: %s", strings.Join(got.failed.trace, "\n"))
			}
			if shown := fmt.Sprint(shared.present(got).Data[c.kind]); !strings.Contains(shown, c.want) {
				t.Errorf("%s is %q, want %q in it", c.kind, shown, c.want)
			}
		})
	}
}
