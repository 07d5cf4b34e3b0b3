package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// TestWork does every piece of work in small: each checks what it reads.
func TestWork(t *testing.T) {
	for _, name := range []string{workLog, workCalls, workBatch, workHistory, workSearch} {
		c, err := work(name, filepath.Join(t.TempDir(), "db"), 2000)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.Wall <= 0 || (name == workBatch) != (c.Bytes > 0) {
			t.Errorf("%s: %+v", name, c)
		}
		if calls := name == workCalls; calls != (c.P50 > 0) || c.P50 > c.P99 || calls && c.P99 > c.Wall {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if _, err := work("nothing", t.TempDir(), 1); err == nil || !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("error %v", err)
	}
}

func TestTable(t *testing.T) {
	costs := map[string][]cost{oursName: {{Wall: 9, CPU: 9}, {Wall: 0.1, CPU: 0.01, Bytes: 2000}, {Wall: 0.1, CPU: 0.01, Bytes: 3000}}}
	for _, tool := range toolsFor(workBatch)[1:] {
		costs[tool] = []cost{{Wall: 0.5, CPU: 0.2}}
	}
	var b bytes.Buffer
	writeTable(&b, workBatch, 1000, costs)
	for _, want := range []string{"| gophersnake | 10 k | 1.00 | 10.0 | 1.00 | 2.00 |", "| aim | 2000 | 5.00 | 200 | 20.0 | – |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}
}
