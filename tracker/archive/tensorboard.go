package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// ImportTensorBoard reads the event files below a log directory. As in TensorBoard, every folder with event files is
// a run, named by its path, and its files continue each other. Scalars are taken over, in the old and the new form;
// a warning counts what else there was. A file that ends within a record, since its writer was killed, is read up to
// there, and its run comes in as crashed; runs are finished otherwise.
func ImportTensorBoard(ctx context.Context, s *tracker.Store, dir string, opts ImportOptions) (Report, error) {
	if opts.Experiment == "" {
		opts.Experiment = "imported"
	}
	runs, err := findEventFiles(dir)
	if err != nil {
		return Report{}, err
	}
	if len(runs) == 0 {
		return Report{}, &Error{File: dir, Msg: "holds no event files", Hint: "their names contain tfevents"}
	}
	var report Report
	for _, r := range runs {
		if err := r.scan(); err != nil {
			return report, err
		}
		if r.count == 0 {
			report.Warnings = append(report.Warnings, fmt.Sprintf("%s has no scalars", r.folder))
			continue
		}
		if r.other > 0 {
			report.Warnings = append(report.Warnings, fmt.Sprintf("%s: %d values that are no scalars were left out", r.folder, r.other))
		}
		if r.cut != "" {
			report.Warnings = append(report.Warnings, r.cut)
		}
		if err := addForeign(ctx, s, r.foreign(opts), opts, &report, len(runs)); err != nil {
			return report, err
		}
	}
	return report, nil
}

// tbRun is a folder of event files.
type tbRun struct {
	folder, name string
	files        []string
	count, other int
	first, last  int64 // ms, of the scalars
	cut          string
}

// findEventFiles lists the folders with event files, in lexical order.
func findEventFiles(dir string) ([]*tbRun, error) {
	byFolder := map[string]*tbRun{}
	var runs []*tbRun
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(d.Name(), "tfevents") {
			return err
		}
		folder := filepath.Dir(path)
		r := byFolder[folder]
		if r == nil {
			name, err := filepath.Rel(dir, folder)
			if err != nil {
				return err
			}
			r = &tbRun{folder: folder, name: filepath.ToSlash(name)}
			byFolder[folder] = r
			runs = append(runs, r)
		}
		r.files = append(r.files, path)
		return nil
	})
	for _, r := range runs {
		slices.Sort(r.files) // the names begin with the time at which they were made
	}
	return runs, err
}

// scan reads the files once, to know the run's times and whether they are sound before a transaction begins.
func (r *tbRun) scan() error {
	return r.each(func(p tracker.Point) error {
		t := p.Time.UnixMilli()
		if r.count == 0 {
			r.first, r.last = t, t
		}
		r.first, r.last = min(r.first, t), max(r.last, t)
		r.count++
		return nil
	})
}

// each calls visit for every scalar of the run.
func (r *tbRun) each(visit func(tracker.Point) error) error {
	r.other, r.cut = 0, ""
	for _, path := range r.files {
		if err := r.eachOf(path, visit); err != nil {
			return err
		}
	}
	return nil
}

func (r *tbRun) eachOf(path string, visit func(tracker.Point) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := &tfReader{r: bufio.NewReaderSize(f, 1<<16)}
	for {
		at := in.offset
		other, err := in.scalars(visit)
		r.other += other
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, errCut):
			r.cut = fmt.Sprintf("%s ends within the record at byte %d", path, at)
			return nil
		case err != nil:
			if e := (*Error)(nil); errors.As(err, &e) {
				e.File = path
				return e
			}
			return &Error{File: path, Field: "record at byte", Value: fmt.Sprint(at), Msg: "cannot be read", Err: err}
		}
	}
}

// scalars reads one record.
func (t *tfReader) scalars(visit func(tracker.Point) error) (other int, err error) {
	data, err := t.next()
	if err != nil {
		return 0, err
	}
	e, err := parseEvent(data)
	if err != nil || len(e.values) == 0 {
		return e.other, err
	}
	wall := e.wall * 1000
	if math.IsNaN(wall) || wall <= minMS || wall > maxMS {
		return e.other, &Error{Field: "wall_time", Value: fmt.Sprint(e.wall), Msg: "is outside the years 1 to 9999"}
	}
	for _, v := range e.values {
		if err := visit(tracker.Point{Key: v.tag, Step: e.step, Value: v.value, Time: time.UnixMilli(floatMS(e.wall))}); err != nil {
			return e.other, err
		}
	}
	return e.other, nil
}

func (r *tbRun) foreign(opts ImportOptions) *foreignRun {
	status, detail := tracker.StatusFinished, ""
	if r.cut != "" {
		status, detail = tracker.StatusCrashed, "its event file ends within a record"
	}
	name := r.name
	if name == "." {
		name = filepath.Base(r.folder)
	}
	return &foreignRun{source: r.folder, points: r.each, rec: tracker.RunRecord{Tags: map[string]string{"source": "tensorboard"},
		Info: tracker.RunInfo{ID: deriveID("tensorboard", opts.Experiment, r.name, fmt.Sprint(r.first)), Name: name,
			Experiment: opts.Experiment, Status: status, StatusDetail: detail, Created: time.UnixMilli(r.first),
			Finished: time.UnixMilli(r.last), Heartbeat: time.UnixMilli(r.last)}}}
}
