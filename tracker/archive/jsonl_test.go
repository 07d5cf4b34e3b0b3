package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/tracker"
)

func TestRoundTrip(t *testing.T) {
	for seed := range uint64(4) {
		from, to := openStore(t, 1), openStore(t, 2)
		fillRandom(t, from, seed, 10)
		first := exportAll(t, from)
		if again := exportAll(t, from); !bytes.Equal(first, again) {
			t.Fatalf("seed %d: two exports of one database differ", seed)
		}
		var seen []Progress
		report, err := ImportJSONL(ctx, to, bytes.NewReader(first), ImportOptions{Progress: func(p Progress) { seen = append(seen, p) }})
		must(t, err)
		if report.Runs != 10 || report.Points < 1000 || report.Artifacts == 0 || report.Objects == 0 || report.Events < 20 {
			t.Errorf("seed %d: report %+v", seed, report)
		}
		if len(seen) != 10 || seen[9].Runs != 10 || seen[9].Total != 10 || seen[9].Points != report.Points {
			t.Errorf("seed %d: progress %+v", seed, seen)
		}
		if second := exportAll(t, to); !bytes.Equal(first, second) {
			t.Fatalf("seed %d: the export of the import differs %s", seed, firstDifference(first, second))
		}
		compareSummaries(t, from, to)
		problems, err := to.VerifyArtifacts(ctx)
		must(t, err)
		if len(problems) > 0 {
			t.Error(problems)
		}
		report, err = ImportJSONL(ctx, to, bytes.NewReader(first), ImportOptions{})
		if err != nil || report.Skipped != 10 || report.Runs != 0 {
			t.Errorf("seed %d: second import: %+v, %v", seed, report, err)
		}
	}
}

func firstDifference(a, b []byte) string {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range x {
		if i >= len(y) || x[i] != y[i] {
			return fmt.Sprintf("at line %d:\n%.300s\n%.300s", i+1, from([]byte(x[i]), []byte(y[i])), from([]byte(y[i]), []byte(x[i])))
		}
	}
	return "in length"
}

// compareSummaries checks what the archive does not hold but the database derives.
func compareSummaries(t *testing.T, a, b *tracker.Store) {
	t.Helper()
	runs, err := a.Runs(ctx, tracker.Filter{})
	must(t, err)
	for _, info := range runs {
		there, err := b.Run(ctx, info.ID)
		must(t, err)
		info.RowID, there.RowID = 0, 0
		if info != there {
			t.Errorf("run differs:\n%+v\n%+v", info, there)
		}
		x, err := a.Latest(ctx, info.ID)
		must(t, err)
		y, err := b.Latest(ctx, info.ID)
		must(t, err)
		for i := range x {
			x[i].Mean, y[i].Mean = 0, 0 // its last digits depend on the transactions
		}
		if fmt.Sprint(x) != fmt.Sprint(y) {
			t.Errorf("summaries of %s differ:\n%v\n%v", info.ID, x, y)
		}
	}
}

// oneRun exports a database with a parent and a child of two metrics.
func oneRun(t *testing.T) (*tracker.Store, string) {
	s := openStore(t, 1)
	p, err := s.StartRun(tracker.RunConfig{Experiment: "e", Name: "parent"})
	must(t, err)
	must(t, p.Finish(tracker.StatusFinished))
	r, err := s.StartRun(tracker.RunConfig{Experiment: "e", Name: "child", Parent: p.ID(), Config: []byte(`{"lr":0.5}`)})
	must(t, err)
	for i := range int64(3) {
		must(t, r.Log("loss", i, float64(i)))
	}
	_, err = r.LogArtifactBytes("a.txt", []byte("content"))
	must(t, err)
	must(t, r.Finish(tracker.StatusFinished))
	return s, string(exportAll(t, s))
}

func TestParentsComeAlong(t *testing.T) {
	s, _ := oneRun(t)
	var b bytes.Buffer
	report, err := ExportJSONL(ctx, s, &b, ExportOptions{Runs: []string{"child"}, Contents: ContentsInline})
	must(t, err)
	if report.Runs != 2 {
		t.Errorf("%d runs, want child and parent", report.Runs)
	}
	_, err = ImportJSONL(ctx, openStore(t, 2), &b, ImportOptions{})
	must(t, err)
}

func TestImportNamesTheDifference(t *testing.T) {
	s, text := oneRun(t)
	for change, want := range map[string]string{
		`"value":[0,1,2]→"value":[0,1,7]`:                 `value of the values of "loss"`,
		`"status":"finished"→"status":"failed"`:           `status of the run`,
		`"kind":"finished"→"kind":"unfinished"`:           `kind of event "finished"`,
		`"key":"loss"→"key":"lass"`:                       `key of the values`,
		`"name":"a.txt"→"name":"b.txt"`:                   `name of version 1 of artifact "a.txt"`,
		`"step":[0,1,2]→"step":[0,1,9223372036854775807]`: `9223372036854775807`,
	} {
		before, after, _ := strings.Cut(change, "→")
		changed := strings.ReplaceAll(text, before, after)
		if changed == text {
			t.Fatalf("%q does not occur", before)
		}
		_, err := ImportJSONL(ctx, s, strings.NewReader(changed), ImportOptions{File: "x.jsonl"})
		wantError(t, err, "x.jsonl:", "differs in", want)
	}
}

// TestImportFails: each damage is reported with its place, and leaves nothing of the run behind.
func TestImportFails(t *testing.T) {
	_, text := oneRun(t)
	for change, wants := range map[string][]string{
		`"value":[0,1,2]→"value":[0,"x",2]`:         {":7:", `value "\"x\""`, "NaN"},
		`"value":[0,1,2]→"value":[0,1]`:             {":7:", "3 steps, 3 times and 2 values"},
		`"value":[0,1,2]→"value":[0,1e999,2]`:       {":7:", "1e999"},
		`"key":"loss"→"key":""`:                     {":7:", "is empty"},
		`"key":"loss"→"kay":"loss"`:                 {":7:", "kay"},
		`"type":"points"→"type":"pints"`:            {":7:", `type "pints" is not known`},
		`"points":3→"points":4`:                     {"says", "Points:4"},
		`"lr\":0.5→"lr\":0.6`:                       {":6:", "config_sha256"},
		`"content":"Y29udGVudA=="→"content":"eA=="`: {":8:", "SHA-256"},
		`,"content":"Y29udGVudA=="→`:                {":8:", "without its content", "hint"},
		`"status":"finished","status_detail":"","seed":0→"status":"done","status_detail":"","seed":0`: {"done", "allowed are"},
	} {
		before, after, _ := strings.Cut(change, "→")
		changed := strings.ReplaceAll(text, before, after)
		if changed == text {
			t.Fatalf("%q does not occur in\n%s", before, text)
		}
		to := openStore(t, 2)
		_, err := ImportJSONL(ctx, to, strings.NewReader(changed), ImportOptions{File: "x.jsonl"})
		wantError(t, err, append(wants, "x.jsonl:")...)
		if _, err := to.Run(ctx, "child"); err == nil {
			t.Errorf("%s: the run is there", change)
		}
	}
}

func TestImportOfACutFile(t *testing.T) {
	_, text := oneRun(t)
	to := openStore(t, 3) // whole runs before the cut come in once and are skipped then
	for i := 1; i < len(text)-1; i += 3 {
		_, err := ImportJSONL(ctx, to, strings.NewReader(text[:i]), ImportOptions{})
		if err == nil {
			t.Fatalf("cut at byte %d: no error", i)
		}
	}
}

// cancelling ends a context when a part of what it reads has come through.
type cancelling struct {
	io.Reader
	after  string
	cancel func()
	seen   string
}

func (c *cancelling) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b[:min(len(b), 100)])
	if c.seen += string(b[:n]); strings.Contains(c.seen, c.after) {
		c.cancel()
	}
	return n, err
}

func TestImportIsCancelled(t *testing.T) {
	_, text := oneRun(t)
	to := openStore(t, 2)
	c, cancel := context.WithCancel(ctx)
	report, err := ImportJSONL(c, to, &cancelling{Reader: strings.NewReader(text), after: `{"type":"end"`, cancel: cancel}, ImportOptions{})
	if !errors.Is(err, context.Canceled) || report.Runs != 0 {
		t.Errorf("report %+v, error %v; want no run and the cancellation", report, err)
	}
	if runs, err := to.Runs(ctx, tracker.Filter{}); err != nil || len(runs) != 0 {
		t.Errorf("%v %v, want no runs", runs, err)
	}
}

// TestRunsBeforeAnErrorAreIn: runs come in by the hundred, and yet a bad one keeps none of those before it out.
func TestRunsBeforeAnErrorAreIn(t *testing.T) {
	_, text := oneRun(t)
	child := strings.LastIndex(text, `{"type":"run"`)
	bad := text[:child] + strings.Replace(text[child:], `"kind":"finished"`, `"kind":""`, 1)
	if bad == text {
		t.Fatal("nothing was spoilt")
	}
	to := openStore(t, 2)
	report, err := ImportJSONL(ctx, to, strings.NewReader(bad), ImportOptions{File: "x.jsonl"})
	line := strings.Count(bad[:strings.Index(bad, `"kind":""`)], "\n") + 1
	wantError(t, err, fmt.Sprintf("x.jsonl:%d:", line))
	runs, err := to.Runs(ctx, tracker.Filter{})
	if err != nil || len(runs) != 1 || runs[0].Name != "parent" || report.Runs != 1 {
		t.Errorf("%v %v, report %+v; want the parent alone", runs, err, report)
	}
}

// TestRunTwiceInAFile: the second of two equal runs is skipped, and a long run is read while it is written.
func TestRunTwiceInAFile(t *testing.T) {
	_, text := oneRun(t)
	head, runs, _ := strings.Cut(text, "\n")
	twice := strings.Replace(head, `"runs":2`, `"runs":4`, 1) + "\n" + runs + runs
	for _, padding := range []int{0, 2 * batchBytes} {
		to := openStore(t, 2)
		padded := strings.Replace(twice, "}\n", "}"+strings.Repeat(" ", 1000)+"\n", 1)
		padded = strings.ReplaceAll(padded, `{"type":"points"`, `{"type":"points"`+strings.Repeat(" ", padding))
		report, err := ImportJSONL(ctx, to, strings.NewReader(padded), ImportOptions{})
		must(t, err)
		if report.Runs != 2 || report.Skipped != 2 {
			t.Errorf("report %+v, want two runs and two skipped", report)
		}
		if got := string(exportAll(t, to)); padding == 0 && !strings.Contains(got, `"name":"child"`) {
			t.Error("the child is missing")
		}
	}
}

func TestContentsInAFolder(t *testing.T) {
	s, _ := oneRun(t)
	folder := filepath.Join(t.TempDir(), "contents")
	var b bytes.Buffer
	_, err := ExportJSONL(ctx, s, &b, ExportOptions{Contents: ContentsFolder, Folder: folder})
	must(t, err)
	files := 0
	must(t, filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		files += btoi(!d.IsDir())
		return err
	}))
	if files != 1 {
		t.Errorf("%d files, want 1", files)
	}
	to := openStore(t, 2)
	_, err = ImportJSONL(ctx, to, bytes.NewReader(b.Bytes()), ImportOptions{Folder: folder})
	must(t, err)
	data, err := to.ReadArtifact(ctx, "child", "a.txt")
	if string(data) != "content" || err != nil {
		t.Errorf("content %q, error %v", data, err)
	}
	bare := openStore(t, 3)
	_, err = ImportJSONL(ctx, bare, bytes.NewReader(b.Bytes()), ImportOptions{MissingContents: true})
	must(t, err)
	problems, err := bare.VerifyArtifacts(ctx)
	if len(problems) != 1 || err != nil {
		t.Errorf("problems %v, error %v; want the missing content", problems, err)
	}
}

func TestRunningRunComesInAsInterrupted(t *testing.T) {
	s := openStore(t, 1)
	r, err := s.StartRun(tracker.RunConfig{Experiment: "e", Name: "live"})
	must(t, err)
	must(t, r.Log("loss", 1, 2))
	text := exportAll(t, s)
	to := openStore(t, 2)
	for i := range 2 {
		report, err := ImportJSONL(ctx, to, bytes.NewReader(text), ImportOptions{})
		if err != nil || report.Runs != 1-i || report.Skipped != i {
			t.Errorf("report %+v, error %v", report, err)
		}
	}
	info, err := to.Run(ctx, "live")
	if err != nil || info.Status != tracker.StatusInterrupted || info.Finished.IsZero() {
		t.Errorf("%+v, error %v", info, err)
	}
}

func FuzzImportJSONL(f *testing.F) {
	dir := f.TempDir()
	s, err := tracker.Open(filepath.Join(dir, "seed.db"))
	must(f, err)
	fillRandom(f, s, 1, 2)
	text := exportAll(f, s)
	f.Add(text[:min(len(text), 4000)])
	f.Add([]byte(`{"type":"archive","format":"gophersnake","version":1,"runs":1}` + "\n" + `{"type":"run","id":"k3v9qa81mz","config":"{}"}`))
	must(f, s.Close())
	to, err := tracker.Open(filepath.Join(dir, "to.db"))
	must(f, err)
	f.Cleanup(func() { to.Close() })
	f.Fuzz(func(t *testing.T, data []byte) {
		report, err := ImportJSONL(ctx, to, bytes.NewReader(data), ImportOptions{})
		if err != nil {
			return
		}
		// What was accepted once is the same content the second time.
		again, err := ImportJSONL(ctx, to, bytes.NewReader(data), ImportOptions{})
		if err != nil || again.Runs != 0 || again.Skipped != report.Runs+report.Skipped {
			t.Errorf("second import: %+v, %v after %+v", again, err, report)
		}
	})
}
