package archive

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/tracker"
)

// sharedStore is a store for all inputs of a fuzz target: opening one for each would take most of the time.
func sharedStore(f *testing.F) *tracker.Store {
	f.Helper()
	s, err := tracker.Open(filepath.Join(f.TempDir(), "fuzz.db"))
	must(f, err)
	f.Cleanup(func() { s.Close() })
	return s
}

// FuzzImportCSV: what is accepted is the same content the second time, in both forms.
func FuzzImportCSV(f *testing.F) {
	s := sharedStore(f)
	f.Add("run_id,run_name,key,context,step,time,value\na,b,loss,,1,2026-01-02T03:04:05.678Z,NaN\na,b,loss,eval,1,0,-Infinity\n")
	f.Add("step,loss\n1,2\n2,\n")
	f.Add("\ufeff\"step\",\"a\"\"b\"\n1e3,0x1p-2\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range []CSVColumns{DefaultCSVColumns(), {Step: "step"}} {
			opts := ImportOptions{Experiment: "e" + deriveID(text, c.Key)}
			report, err := ImportCSV(ctx, s, strings.NewReader(text), c, opts)
			if err != nil {
				continue
			}
			again, err := ImportCSV(ctx, s, strings.NewReader(text), c, opts)
			if err != nil || again.Runs != 0 || again.Skipped != report.Runs+report.Skipped {
				t.Errorf("second import: %+v, %v after %+v", again, err, report)
			}
		}
	})
}

// FuzzTensorBoard: any bytes are read without a crash, and what is read again is the same.
func FuzzTensorBoard(f *testing.F) {
	for _, name := range []string{"new/events.out.tfevents.1767323045.host.v2", "old/train/events.out.tfevents.1767323045.host"} {
		b, err := os.ReadFile(filepath.Join("testdata/tb", name))
		must(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &tfReader{r: bufio.NewReader(bytes.NewReader(data))}
		for {
			_, err := in.scalars(func(p tracker.Point) error {
				if ms(p.Time) < minMS || ms(p.Time) > maxMS {
					t.Errorf("time %v", p.Time)
				}
				return nil
			})
			if err != nil {
				break
			}
		}
		if in.offset > int64(len(data)) {
			t.Errorf("read %d of %d bytes", in.offset, len(data))
		}
	})
}

// FuzzTFEvent goes past the checksums.
func FuzzTFEvent(f *testing.F) {
	b, err := os.ReadFile("testdata/tb/new/events.out.tfevents.1767323045.host.v2")
	must(f, err)
	for in := (&tfReader{r: bufio.NewReader(bytes.NewReader(b))}); ; {
		data, err := in.next()
		if err == io.EOF {
			break
		}
		must(f, err)
		f.Add(bytes.Clone(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := parseEvent(data)
		if err == nil && (len(e.values)+e.other)*2 > len(data) {
			t.Errorf("%d values from %d bytes", len(e.values)+e.other, len(data))
		}
	})
}

// FuzzMLflowLines: what is accepted lies within the bounds.
func FuzzMLflowLines(f *testing.F) {
	f.Add("1767323046000 0.5 0", "run_id: 'a''b'\nname: \"x\\xf6\\u00e4\"\n")
	f.Add("1 nan 2 data 0f", "status: 3\n- list\n  inner: x\n")
	f.Fuzz(func(t *testing.T, line, meta string) {
		if p, err := parseMetricLine(line); err == nil && (ms(p.Time) < minMS || ms(p.Time) > maxMS) {
			t.Errorf("time %v", p.Time)
		}
		if m, err := parseMeta(meta); err == nil && len(m) > strings.Count(meta, "\n")+1 {
			t.Errorf("%d fields in %q", len(m), meta)
		}
	})
}

// FuzzConfigOf: a config made of texts is one that the tracker takes, and gives the texts back.
func FuzzConfigOf(f *testing.F) {
	s := sharedStore(f)
	f.Add("lr", "0.10")
	f.Add("a.b", "1e5")
	f.Add("x", "18446744073709551615")
	f.Add("on", "true")
	f.Add("x", "-0")
	f.Fuzz(func(t *testing.T, key, text string) {
		config, err := configOf(map[string]string{key: text})
		must(t, err)
		r, err := s.StartRun(tracker.RunConfig{Experiment: "e", Config: config})
		if err != nil {
			return // the key is no key
		}
		params, err := s.Params(ctx, r.ID())
		must(t, err)
		must(t, r.Finish(tracker.StatusFinished))
		if len(params) != 1 || params[0].Type == tracker.ParamFloat {
			if len(params) != 1 || math.IsNaN(params[0].Number) {
				t.Errorf("%q became %+v", text, params)
			}
			return
		}
		if got := params[0].Text; got != text && got != string([]rune(text)) && text != "-0" {
			t.Errorf("%q became %q", text, got)
		}
	})
}
