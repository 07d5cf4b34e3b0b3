package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gophersnake/gophersnake/tracker"
)

// ExportJSONL writes runs with everything that belongs to them; see the package comment for the format.
func ExportJSONL(ctx context.Context, s *tracker.Store, w io.Writer, opts ExportOptions) (Report, error) {
	var report Report
	runs, err := selectRuns(ctx, s, opts)
	if err != nil {
		return report, err
	}
	if runs, err = withParents(ctx, s, runs); err != nil {
		return report, err
	}
	if opts.Contents == ContentsFolder && opts.Folder == "" {
		return report, &Error{Field: "ExportOptions.Folder", Msg: "is empty; ContentsFolder needs a folder"}
	}
	out := bufio.NewWriterSize(w, 1<<16)
	write := func(line any) error {
		b, err := encode(line)
		if err == nil {
			_, err = out.Write(append(b, '\n'))
		}
		return err
	}
	if err := write(headLine{"archive", formatName, formatVersion, len(runs)}); err != nil {
		return report, err
	}
	reading, end, err := s.Snapshot(ctx)
	if err != nil {
		return report, err
	}
	defer end()
	for _, info := range runs {
		end, err := emitRun(reading, s, info.ID, opts, write)
		if err != nil {
			return report, err
		}
		report.count(end)
		opts.tell(info.ID, report, len(runs))
	}
	return report, out.Flush()
}

func (r *Report) count(end *endLine) {
	r.Runs++
	r.Points += end.Points
	r.Objects += end.Objects
	r.Artifacts += end.Artifacts
	r.Events += end.Events
}

func (o ExportOptions) tell(id string, r Report, total int) {
	if o.Progress != nil {
		o.Progress(Progress{Run: id, Runs: r.Runs, Total: total, Points: r.Points})
	}
}

// emitRun hands over all lines of a run.
func emitRun(ctx context.Context, s *tracker.Store, id string, opts ExportOptions, emit func(any) error) (*endLine, error) {
	end := &endLine{Type: "end", ID: id}
	rec, err := s.RunRecord(ctx, id)
	if err != nil {
		return end, err
	}
	if err := emit(newRunLine(rec)); err != nil {
		return end, err
	}
	if err := emitPoints(ctx, s, end, emit); err != nil {
		return end, err
	}
	err = s.EachObject(ctx, id, func(o tracker.Object) error {
		end.Objects++
		return emit(&objectLine{"object", o.Key, o.Context, o.Step, ms(o.Time), o.Kind, o.Data})
	})
	if err != nil {
		return end, err
	}
	if err := emitArtifacts(ctx, s, end, opts, emit); err != nil {
		return end, err
	}
	events, err := s.Events(ctx, id)
	if err != nil {
		return end, err
	}
	for _, e := range events {
		end.Events++
		if err := emit(&eventLine{"event", ms(e.Time), e.Kind, e.Message, e.Data}); err != nil {
			return end, err
		}
	}
	return end, emit(end)
}

// emitPoints gathers the values of one metric into lines.
func emitPoints(ctx context.Context, s *tracker.Store, end *endLine, emit func(any) error) error {
	l := &pointsLine{Type: "points"}
	flush := func() error {
		n := len(l.Step)
		if n == 0 {
			return nil
		}
		end.Points += int64(n)
		err := emit(l)
		l.Step, l.TimeMS, l.Value = l.Step[:0], l.TimeMS[:0], l.Value[:0]
		return err
	}
	err := s.EachPoint(ctx, end.ID, func(p tracker.Point) error {
		if p.Key != l.Key || p.Context != l.Context || len(l.Step) == chunkPoints {
			if err := flush(); err != nil {
				return err
			}
			l.Key, l.Context = p.Key, p.Context
		}
		l.Step, l.TimeMS, l.Value = append(l.Step, p.Step), append(l.TimeMS, ms(p.Time)), append(l.Value, number(p.Value))
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

func emitArtifacts(ctx context.Context, s *tracker.Store, end *endLine, opts ExportOptions, emit func(any) error) error {
	artifacts, err := s.Artifacts(ctx, end.ID)
	if err != nil {
		return err
	}
	for _, a := range artifacts {
		l := &artifactLine{Type: "artifact", Name: a.Name, Version: a.Version, Kind: a.Kind, MediaType: a.MediaType,
			TimeMS: ms(a.Time), Size: a.Size, SHA256: a.SHA256}
		if a.HasStep {
			l.Step = &a.Step
		}
		if err := exportContent(a, l, opts); err != nil {
			return err
		}
		end.Artifacts++
		if err := emit(l); err != nil {
			return err
		}
	}
	return nil
}

// exportContent puts the content of an artifact where the options want it.
func exportContent(a tracker.Artifact, l *artifactLine, opts ExportOptions) (err error) {
	switch opts.Contents {
	case ContentsNone:
	case ContentsInline:
		if a.Size > MaxInline {
			return &Error{Field: "artifact", Value: a.Name, Hint: "export the contents to a folder",
				Msg: fmt.Sprintf("has %d bytes, allowed inline are %d", a.Size, MaxInline)}
		}
		l.Content, err = os.ReadFile(a.Path)
	case ContentsFolder:
		err = copyFile(a.Path, contentPath(opts.Folder, a.SHA256))
	default:
		err = &Error{Field: "ExportOptions.Contents", Value: string(opts.Contents),
			Msg: fmt.Sprintf("is none of %q, %q and %q", ContentsNone, ContentsInline, ContentsFolder)}
	}
	return err
}

func contentPath(folder, sum string) string { return filepath.Join(folder, sum[:2], sum) }

// copyFile copies to a temporary file and renames it, so that there is no half content. One that is there stays.
func copyFile(from, to string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp, err := os.CreateTemp(filepath.Dir(to), "incoming-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails after the rename, as it should
	_, err = io.Copy(tmp, in)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), to)
}
