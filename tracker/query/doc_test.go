package query

import (
	"os"
	"strings"
	"testing"
)

// TestDocument: every query of QUERY.md compiles, and it names every function, field and word for a status.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile("../QUERY.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, block := range strings.Split(string(b), "```query\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		queries := strings.Split(block, "\n\n")
		if len(queries) == 1 {
			queries = strings.Split(strings.TrimSpace(block), "\n")
		}
		for _, text := range queries {
			stmt, err := Parse(text)
			if err == nil {
				_, err = Compile(stmt, Env{})
			}
			if err != nil {
				t.Error(err)
			}
			checked++
		}
	}
	if checked < 10 {
		t.Errorf("only %d queries were checked", checked)
	}
	for _, name := range append(FunctionNames(), AttributeNames()...) {
		if !strings.Contains(string(b), "`"+name+"`") && !strings.Contains(string(b), "`"+name+"(") {
			t.Errorf("QUERY.md does not name %s", name)
		}
	}
	for word := range mlflowStatus {
		if !strings.Contains(string(b), "`"+word+"`") {
			t.Errorf("QUERY.md does not name the status %s", word)
		}
	}
}
