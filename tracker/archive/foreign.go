package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// foreignRun is a run of another tool.
type foreignRun struct {
	source    string // file or folder, for errors
	rec       tracker.RunRecord
	points    func(add func(tracker.Point) error) error
	artifacts []foreignFile
}

type foreignFile struct {
	name, path string
	time       time.Time
}

// addForeign imports a run, or finds that it is there already with the same values.
func addForeign(ctx context.Context, s *tracker.Store, f *foreignRun, opts ImportOptions, report *Report, total int) error {
	there, err := s.HasRun(ctx, f.rec.Info.ID)
	if err != nil {
		return err
	}
	if there {
		if err := f.compare(ctx, s); err != nil {
			return err
		}
		report.Skipped++
		opts.tell(f.rec.Info.ID, *report, total)
		return nil
	}
	end, err := importRun(ctx, s, f.rec, func(im *tracker.RunImport) (*endLine, error) {
		return f.fill(im, opts)
	}, f.wrap)
	if err != nil {
		return err
	}
	report.count(end)
	opts.tell(f.rec.Info.ID, *report, total)
	return nil
}

// wrap adds the source to an error of the tracker.
func (f *foreignRun) wrap(err error) error {
	if _, done := err.(*Error); done || err == context.Canceled || err == context.DeadlineExceeded {
		return err
	}
	return &Error{File: f.source, Field: "run", Value: f.rec.Info.Name, Msg: "could not be imported", Err: err}
}

func (f *foreignRun) fill(im *tracker.RunImport, opts ImportOptions) (*endLine, error) {
	end := &endLine{}
	chunk := make([]tracker.Point, 0, chunkPoints)
	flush := func() error {
		err := im.AddPoints(chunk)
		end.Points += int64(len(chunk))
		chunk = chunk[:0]
		return err
	}
	err := f.points(func(p tracker.Point) error {
		chunk = append(chunk, p)
		if len(chunk) < cap(chunk) {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return nil, err
	}
	for _, a := range f.artifacts {
		if opts.SkipArtifacts {
			break
		}
		if err := addFile(im, a); err != nil {
			return nil, err
		}
		end.Artifacts++
	}
	end.Events++
	return end, im.AddEvent(tracker.Event{Time: f.rec.Info.Created, Kind: "imported", Message: f.rec.Tags["source"], Data: "{}"})
}

func addFile(im *tracker.RunImport, a foreignFile) error {
	in, err := os.Open(a.path)
	if err != nil {
		return err
	}
	defer in.Close()
	return im.AddArtifact(tracker.Artifact{Name: a.name, Time: a.time}, in)
}

// compare returns an error that names the first difference between the run and the one with its id. What people may
// have changed since (tags, note, name) is not compared.
func (f *foreignRun) compare(ctx context.Context, s *tracker.Store) error {
	id := f.rec.Info.ID
	differs := func(what string, here, there any) error {
		return &Error{File: f.source, Field: "run", Value: id, Hint: "import into another database to have both",
			Msg: fmt.Sprintf("is in the database already and differs in %s: %.80v here, %.80v there", what, here, there)}
	}
	config, err := s.ConfigJSON(ctx, id)
	if err != nil {
		return err
	}
	if want := firstOf(string(f.rec.Config), "{}"); string(config) != want {
		return differs("its config", string(config), want)
	}
	theirs := map[metricName][]tracker.Point{}
	if err := f.points(func(p tracker.Point) error {
		name := metricName{p.Key, p.Context}
		theirs[name] = append(theirs[name], p)
		return nil
	}); err != nil {
		return err
	}
	summaries, err := s.Latest(ctx, id)
	if err != nil {
		return err
	}
	if len(summaries) != len(theirs) {
		return differs("the number of metrics", len(summaries), len(theirs))
	}
	for name, want := range theirs {
		got, err := s.History(ctx, id, name.key, name.context)
		if err != nil {
			return err
		}
		if what, here, there := compareSeries(name.key, got, want); what != "" {
			return differs(what, here, there)
		}
	}
	return nil
}

// compareSeries names the first difference between the values of a metric, "" if there is none. want is sorted by it.
func compareSeries(key string, got, want []tracker.Point) (what string, here, there any) {
	sort.SliceStable(want, func(i, j int) bool {
		return want[i].Step < want[j].Step || (want[i].Step == want[j].Step && want[i].Time.Before(want[j].Time))
	})
	if len(got) != len(want) {
		return fmt.Sprintf("the number of values of %q", key), len(got), len(want)
	}
	for i := range got { // + 0: SQLite does not keep the sign of zero
		if got[i].Step != want[i].Step || got[i].Time.UnixMilli() != want[i].Time.UnixMilli() ||
			formatValue(got[i].Value+0) != formatValue(want[i].Value+0) {
			return fmt.Sprintf("value %d of %q", i, key), got[i].Value, want[i].Value
		}
	}
	return "", nil, nil
}

// configOf makes a config out of texts: what reads as a JSON number, true or false becomes one, the rest stays text.
func configOf(params map[string]string) ([]byte, error) {
	var b strings.Builder
	b.WriteString("{")
	for i, key := range sortedKeys(params) {
		if i > 0 {
			b.WriteString(",")
		}
		text := params[key]
		if !isPlain(text) {
			quoted, err := encode(text)
			if err != nil {
				return nil, err
			}
			text = string(quoted)
		}
		name, err := encode(key)
		if err != nil {
			return nil, err
		}
		b.WriteString(string(name) + ":" + text)
	}
	return []byte(b.String() + "}"), nil
}

// isPlain reports whether a text is a JSON number that a float64 holds, true or false.
func isPlain(text string) bool {
	if text == "true" || text == "false" {
		return true
	}
	if text == "" || strings.ContainsAny(text, " \t\r\n") || !strings.ContainsAny(text[:1], "-0123456789") {
		return false
	}
	v, err := strconv.ParseFloat(text, 64)
	return err == nil && json.Valid([]byte(text)) && v == v
}
