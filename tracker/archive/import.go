package archive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// maxLine bounds one line of an archive: the base64 of MaxInline bytes, and its artifact's fields.
const maxLine = MaxInline*4/3 + 1<<20

// ImportJSONL reads what ExportJSONL wrote. A run comes in whole or not at all; during the transaction of a long one r is
// read: it should be a local file. A run that was running when it was exported comes in as interrupted. After an error the runs before it are in.
func ImportJSONL(ctx context.Context, s *tracker.Store, r io.Reader, opts ImportOptions) (Report, error) {
	in := &lineReader{file: opts.File, r: bufio.NewReaderSize(r, 1<<16)}
	var report Report
	head := &headLine{}
	if err := in.expect("archive", head); err != nil {
		return report, err
	}
	if head.Format != formatName || head.Version != formatVersion {
		return report, in.error("version", fmt.Sprintf("%s %d", head.Format, head.Version),
			fmt.Sprintf("cannot be read, only %s %d", formatName, formatVersion))
	}
	b := &batch{ctx: ctx, store: s, in: in, opts: opts, report: &report, total: head.Runs}
	if err := errors.Join(b.readRuns(), b.flush()); err != nil {
		return report, err
	}
	if report.Runs+report.Skipped != head.Runs {
		return report, in.error("runs", "", fmt.Sprintf("are %d, the first line says %d: the file is cut off", report.Runs+report.Skipped, head.Runs))
	}
	return report, nil
}

func (o ImportOptions) tell(id string, r Report, total int) {
	if o.Progress != nil {
		o.Progress(Progress{Run: id, Runs: r.Runs + r.Skipped, Total: total, Points: r.Points})
	}
}

func (l *runLine) checkTimes(in *lineReader) error {
	for field, v := range map[string]*int64{"created_ms": &l.CreatedMS, "started_ms": &l.StartedMS, "heartbeat_ms": &l.HeartbeatMS,
		"finished_ms": l.FinishedMS, "deleted_ms": l.DeletedMS} {
		if v != nil && (*v <= minMS || *v > maxMS) {
			return in.error(field, fmt.Sprint(*v), "is outside the years 1 to 9999")
		}
	}
	return nil
}

// importRun calls Store.ImportRun. An error of fill is returned as it is, one of the tracker through wrap.
func importRun(ctx context.Context, s *tracker.Store, rec tracker.RunRecord,
	fill func(*tracker.RunImport) (*endLine, error), wrap func(error) error) (end *endLine, err error) {
	var inner error
	_, err = s.ImportRun(ctx, rec, func(im *tracker.RunImport) error {
		end, inner = fill(im)
		return inner
	})
	if inner != nil {
		return nil, wrap(inner)
	}
	if err != nil {
		return nil, wrap(err)
	}
	return end, nil
}

// fillRun hands the lines up to the end line over; in is where they come from, for errors.
func fillRun(next func() (any, error), in *lineReader, im *tracker.RunImport, s *tracker.Store, id string, opts ImportOptions) (*endLine, error) {
	got := &endLine{Type: "end", ID: id}
	for {
		line, err := next()
		if err == io.EOF {
			return nil, in.error("run", id, "has no end line: the file is cut off")
		}
		if err != nil {
			return nil, err
		}
		switch l := line.(type) {
		case *pointsLine:
			err = im.AddPoints(l.points())
			got.Points += int64(len(l.Step))
		case *objectLine:
			err = im.AddObject(tracker.Object{Key: l.Key, Context: l.Context, Step: l.Step, Kind: l.Kind, Data: l.Data,
				Time: time.UnixMilli(l.TimeMS)})
			got.Objects++
		case *artifactLine:
			err = l.addTo(im, s, opts)
			got.Artifacts++
		case *eventLine:
			err = im.AddEvent(tracker.Event{Time: time.UnixMilli(l.TimeMS), Kind: l.Kind, Message: l.Message, Data: l.Data})
			got.Events++
		case *endLine:
			if *l != *got {
				return nil, in.error("end", "", fmt.Sprintf("says %+v, read were %+v", *l, *got))
			}
			return got, nil
		default:
			return nil, in.error("type", typeOf(line), "is not allowed within a run")
		}
		if err != nil {
			return nil, in.wrap(err)
		}
	}
}

func (l *pointsLine) points() []tracker.Point {
	points := make([]tracker.Point, len(l.Step))
	for i := range points {
		points[i] = tracker.Point{Key: l.Key, Context: l.Context, Step: l.Step[i], Value: float64(l.Value[i]),
			Time: time.UnixMilli(l.TimeMS[i])}
	}
	return points
}

// addTo adds the artifact with the content that can be found: in the line, in the folder, or in the database.
func (l *artifactLine) addTo(im *tracker.RunImport, s *tracker.Store, opts ImportOptions) error {
	if len(l.SHA256) != 64 {
		return &Error{Field: "sha256", Value: l.SHA256, Msg: "does not have 64 digits"}
	}
	a := tracker.Artifact{Name: l.Name, Version: l.Version, Kind: l.Kind, MediaType: l.MediaType, Time: time.UnixMilli(l.TimeMS),
		Size: l.Size, SHA256: l.SHA256}
	if l.Step != nil {
		a.Step, a.HasStep = *l.Step, true
	}
	if l.Content != nil || l.Size == 0 {
		return im.AddArtifact(a, bytes.NewReader(l.Content))
	}
	folders := []string{s.Path() + ".artifacts"}
	if opts.Folder != "" {
		folders = []string{opts.Folder, folders[0]}
	}
	for _, folder := range folders {
		f, err := os.Open(contentPath(folder, l.SHA256))
		if err == nil {
			defer f.Close()
			return im.AddArtifact(a, f)
		}
	}
	if opts.MissingContents {
		return im.AddArtifact(a, nil)
	}
	return &Error{Field: "artifact", Value: l.Name, Msg: "comes without its content",
		Hint: "export with contents, name the folder they are in, or accept missing contents"}
}

// lineReader reads the lines of an archive, counting them.
type lineReader struct {
	file string
	r    *bufio.Reader
	line int
	buf  []byte
}

// error is about the line read last.
func (in *lineReader) error(field, value, msg string) error {
	return &Error{File: in.file, Line: in.line, Field: field, Value: value, Msg: msg}
}

// wrap adds file and line to an error that lacks them.
func (in *lineReader) wrap(err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		if e.Line == 0 {
			e.File, e.Line = in.file, in.line
		}
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &Error{File: in.file, Line: in.line, Msg: "the run could not be imported", Err: err}
}

// expect reads a line of one type, or returns io.EOF.
func (in *lineReader) expect(kind string, into any) error {
	b, err := in.read()
	if err != nil {
		return err
	}
	if got := probe(b); got != kind {
		return in.error("type", got, fmt.Sprintf("stands where %q is expected", kind))
	}
	return in.decode(b, into)
}

// next reads a line of any type, or returns io.EOF.
func (in *lineReader) next() (any, error) {
	b, err := in.read()
	if err != nil {
		return nil, err
	}
	var into any
	switch kind := probe(b); kind {
	case "points":
		into = &pointsLine{}
	case "object":
		into = &objectLine{}
	case "artifact":
		into = &artifactLine{}
	case "event":
		into = &eventLine{}
	case "end":
		into = &endLine{}
	case "run":
		into = &runLine{}
	default:
		return nil, in.error("type", kind, "is not known")
	}
	if err := in.decode(b, into); err != nil {
		return nil, err
	}
	if l, ok := into.(*pointsLine); ok && (len(l.Step) != len(l.TimeMS) || len(l.Step) != len(l.Value)) {
		return nil, in.error("points", l.Key, fmt.Sprintf("have %d steps, %d times and %d values", len(l.Step), len(l.TimeMS), len(l.Value)))
	}
	return into, nil
}

// typeOf names the type of a decoded line.
func typeOf(line any) string {
	b, _ := encode(line)
	return probe(b)
}

// probe finds the type of a line without decoding the rest where it stands first, as ExportJSONL writes it.
func probe(b []byte) string {
	if rest, ok := bytes.CutPrefix(b, []byte(`{"type":"`)); ok {
		if end := bytes.IndexByte(rest, '"'); end >= 0 {
			return string(rest[:end])
		}
	}
	var t struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(b, &t) // what is no JSON has no type
	return t.Type
}

func (in *lineReader) decode(b []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		if e := (*Error)(nil); errors.As(err, &e) {
			return in.wrap(e)
		}
		return &Error{File: in.file, Line: in.line, Msg: "cannot be read", Err: err}
	}
	if dec.More() {
		return in.error("", "", "something follows the JSON value")
	}
	return nil
}

// read returns the next line that is not empty; it is valid until the next call.
func (in *lineReader) read() ([]byte, error) {
	for {
		in.line++
		in.buf = in.buf[:0]
		var err error
		for {
			var part []byte
			part, err = in.r.ReadSlice('\n')
			in.buf = append(in.buf, part...)
			if len(in.buf) > maxLine {
				return nil, in.error("", "", fmt.Sprintf("the line is longer than %d bytes", maxLine))
			}
			if err != bufio.ErrBufferFull {
				break
			}
		}
		b := bytes.TrimSpace(in.buf)
		if len(b) > 0 && (err == nil || err == io.EOF) {
			return b, nil
		}
		if err == io.EOF {
			return nil, io.EOF
		}
		if err != nil {
			return nil, &Error{File: in.file, Line: in.line, Msg: "cannot be read", Err: err}
		}
	}
}
