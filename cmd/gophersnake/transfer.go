package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/tracker"
	"github.com/gophersnake/gophersnake/tracker/archive"
)

// exportFunc is one way to write runs.
type exportFunc func(context.Context, *tracker.Store, io.Writer, archive.ExportOptions) (archive.Report, error)

// exports are the formats of export, by the name of --format.
var exports = []struct {
	name  string
	write exportFunc
	about string
}{
	{"jsonl", archive.ExportJSONL, "everything, one JSON value a line; import brings it back"},
	{"csv", archive.ExportMetricsCSV, "one row per logged value"},
	{"runs-csv", archive.ExportRunsCSV, "one row per run with params, tags and last values"},
	{"parquet", archive.ExportMetricsParquet, "as csv, with types"},
	{"runs-parquet", archive.ExportRunsParquet, "as runs-csv, with types"},
}

// exportFlags are the flags of the command export.
type exportFlags struct {
	format   string
	out      string
	where    string
	contents string
	json     bool
	folder   string
	deleted  bool
}

func (a *App) exportCommand() *cobra.Command {
	var f exportFlags
	var names []string
	long := "Writes runs to a file or to standard output. Formats:\n\n"
	for _, e := range exports {
		names = append(names, e.name)
		long += fmt.Sprintf("  %-13s %s\n", e.name, e.about)
	}
	cmd := &cobra.Command{
		Use:   "export [RUN...]",
		Short: "write runs as CSV, JSON Lines or Parquet",
		Long:  long + "\nWithout RUN or --where, all runs. NaN and infinities come through every format.",
		Example: `  gophersnake export --format jsonl --artifacts inline --out history.jsonl
  gophersnake export --format runs-csv --where "status = 'finished'" > runs.csv
  gophersnake export mamba-seed1 --format parquet --out mamba.parquet`,
		ValidArgsFunction: a.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd, names, args); err != nil {
				return err
			}
			return a.withStore(func(s *tracker.Store) error { return a.export(cmd.Context(), s, f, args) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "jsonl", "one of "+strings.Join(names, ", "))
	flags.StringVarP(&f.out, "out", "o", "", "write to this `FILE`, which must not exist (default: standard output)")
	flags.StringVar(&f.where, "where", "", "only runs that this filter of the query language selects")
	flags.StringVar(&f.contents, "artifacts", "none", "contents of artifacts, for jsonl: none, inline or folder")
	flags.StringVar(&f.folder, "folder", "", "folder for --artifacts folder")
	flags.BoolVar(&f.deleted, "deleted", false, "deleted runs too")
	flags.BoolVar(&f.json, "json", false, "say as a JSON object what was written; for --out")
	completeFrom(cmd, "format", names)
	cmd.RegisterFlagCompletionFunc("where", a.completeFilter)
	completeFrom(cmd, "artifacts", []string{"none", "inline", "folder"})
	return cmd
}

func (f exportFlags) check(cmd *cobra.Command, formats, args []string) error {
	switch {
	case f.json && f.out == "":
		return usage(cmd, errors.New("--json tells of the file that --out names; the runs themselves are JSON with --format jsonl"))
	case f.where != "" && len(args) > 0:
		return usage(cmd, errors.New("name runs or give --where, not both"))
	case f.contents != "none" && f.format != "jsonl":
		return usage(cmd, fmt.Errorf("--artifacts is %q, but only the format jsonl can hold artifacts", f.contents))
	case (f.contents == "folder") != (f.folder != ""):
		return usage(cmd, errors.New("--artifacts folder and --folder DIR belong together"))
	}
	return errors.Join(oneOf(cmd, "format", f.format, formats), oneOf(cmd, "artifacts", f.contents, []string{"none", "inline", "folder"}))
}

func (a *App) export(ctx context.Context, s *tracker.Store, f exportFlags, runs []string) error {
	o := archive.ExportOptions{Runs: runs, Deleted: f.deleted, Folder: f.folder, Progress: a.transferred()}
	if f.contents != "none" {
		o.Contents = archive.Contents(f.contents)
	}
	if f.where != "" {
		t, err := s.SearchWith(ctx, tracker.Search{Where: []string{f.where}, Limit: -1, Deleted: f.deleted})
		if err != nil {
			return err
		}
		for _, r := range t.Runs {
			o.Runs = append(o.Runs, r.ID)
		}
		if len(o.Runs) == 0 {
			return fmt.Errorf("no run fits %s", f.where)
		}
	}
	var write exportFunc
	for _, e := range exports {
		if e.name == f.format {
			write = e.write
		}
	}
	if f.out == "" {
		_, err := write(ctx, s, a.Out, o)
		return err
	}
	r, err := toFile(f.out, func(w io.Writer) (archive.Report, error) { return write(ctx, s, w, o) })
	if err == nil {
		err = a.tellTransfer("wrote", f.out, r, f.json)
	}
	return err
}

// toFile writes a new file that is there whole or not at all.
func toFile(path string, write func(io.Writer) (archive.Report, error)) (r archive.Report, err error) {
	if _, err := os.Lstat(path); err == nil {
		return r, hinted(fmt.Errorf("%s exists", path), "choose another name, or remove it first")
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		if cause := (*os.PathError)(nil); errors.As(err, &cause) {
			err = cause.Err // its path is that of a file which nobody asked for
		}
		return r, hinted(fmt.Errorf("%s cannot be written: %w", path, err), "choose a folder that is there and can be written")
	}
	defer os.Remove(f.Name())
	r, err = write(f)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return r, err
	}
	return r, os.Rename(f.Name(), path)
}

// transferred shows how far an export or import has come, on a terminal.
func (a *App) transferred() func(archive.Progress) {
	line := a.stages()
	return func(p archive.Progress) {
		line.show(tracker.Progress{Stage: "runs", Done: int64(p.Runs), Total: int64(p.Total)})
		if p.Total > 0 && p.Runs == p.Total {
			line.close()
		}
	}
}

func (a *App) tellTransfer(did, what string, r archive.Report, asJSON bool) error {
	for _, w := range r.Warnings {
		fmt.Fprintf(a.Err, "note: %s\n", w)
	}
	if asJSON {
		return a.printJSON(object{"path": what, "runs": r.Runs, "there_already": r.Skipped, "points": r.Points, "objects": r.Objects,
			"artifacts": r.Artifacts, "events": r.Events, "warnings": orEmpty(r.Warnings)})
	}
	fmt.Fprintf(a.Out, "%s %s: %s, %d points", did, what, counted(r.Runs, "run"), r.Points)
	for _, part := range []struct {
		n    int64
		what string
	}{{r.Objects, "object"}, {r.Artifacts, "artifact"}} {
		if part.n > 0 {
			fmt.Fprintf(a.Out, ", %s", counted(int(part.n), part.what))
		}
	}
	if r.Skipped > 0 {
		fmt.Fprintf(a.Out, "; %d were there already", r.Skipped)
	}
	fmt.Fprintln(a.Out)
	return nil
}

// importFlags are the flags of the command import.
type importFlags struct {
	from       string
	experiment string
	folder     string
	columns    archive.CSVColumns
	bare       bool // artifacts without contents are accepted
	noFiles    bool
	json       bool
}

// sources are what import reads, by the name of --from.
var sources = []string{"jsonl", "csv", "mlflow", "mlflow-db", "tensorboard"}

func (a *App) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import PATH",
		Short: "bring runs in: from export, CSV, MLflow or TensorBoard",
		Long: `Brings runs into the database. A run comes in whole or not at all; one that is there
already with the same content is skipped.

  jsonl        a file of gophersnake export
  csv          one row per value (--key and --value name the columns) or one column per metric
  mlflow       the folder of MLflow's file store (mlruns)
  mlflow-db    MLflow's SQLite file
  tensorboard  a log directory with event files

Without --from it is told from PATH. A dash is standard input, for jsonl and csv.`,
		Example: `  gophersnake import history.jsonl
  gophersnake import log.csv --step epoch --run run --experiment old
  gophersnake import mlruns`,
		Args: takes("PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := f.source(args[0])
			if err != nil {
				return usage(cmd, err)
			}
			if err := oneOf(cmd, "from", from, sources); err != nil {
				return err
			}
			store, err := a.openForRuns()
			if err != nil {
				return err
			}
			return errors.Join(a.importFrom(cmd.Context(), store, from, args[0], f), store.Close())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "one of "+strings.Join(sources, ", "))
	flags.StringVar(&f.experiment, "experiment", "imported", "experiment of the runs, for csv and tensorboard")
	flags.StringVar(&f.folder, "folder", "", "folder with the contents of artifacts, for jsonl")
	flags.BoolVar(&f.bare, "missing-artifacts", false, "accept artifacts whose content is nowhere to be found")
	flags.BoolVar(&f.noFiles, "skip-artifacts", false, "leave out MLflow's artifacts")
	flags.StringVar(&f.columns.Run, "run", "", "csv: column that tells runs apart")
	flags.StringVar(&f.columns.Name, "name", "", "csv: column with the run's name")
	flags.StringVar(&f.columns.Step, "step", "step", "csv: column with the step")
	flags.StringVar(&f.columns.Time, "time", "", "csv: column with the time")
	flags.StringVar(&f.columns.Key, "key", "", "csv: column with the metric's name")
	flags.StringVar(&f.columns.Value, "value", "", "csv: column with the value")
	flags.StringVar(&f.columns.Context, "context", "", "csv: column with the context")
	flags.StringSliceVar(&f.columns.Metrics, "metrics", nil, "csv without --key: columns that are metrics (default: all others)")
	flags.BoolVar(&f.json, "json", false, "say as a JSON object what came in")
	completeFrom(cmd, "from", sources)
	cmd.RegisterFlagCompletionFunc("experiment", a.completeExperiment)
	return cmd
}

// source is --from, or what PATH looks like.
func (f importFlags) source(path string) (string, error) {
	if f.from != "" {
		return f.from, nil
	}
	info, err := os.Stat(path)
	ext := strings.ToLower(filepath.Ext(path))
	switch {
	case path != "-" && err != nil:
		return "", err
	case ext == ".jsonl":
		return "jsonl", nil
	case ext == ".csv":
		return "csv", nil
	case ext == ".db" || ext == ".sqlite":
		return "mlflow-db", nil
	case path != "-" && info.IsDir() && holds(path, "meta.yaml"):
		return "mlflow", nil
	case path != "-" && info.IsDir():
		return "tensorboard", nil
	}
	return "", fmt.Errorf("%s does not say what it is: add --from, one of %s", path, strings.Join(sources, ", "))
}

// holds reports whether a folder or one right below it has a file of this name.
func holds(dir, name string) bool {
	for _, pattern := range []string{name, filepath.Join("*", name)} {
		if found, err := filepath.Glob(filepath.Join(dir, pattern)); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

func (a *App) importFrom(ctx context.Context, s *tracker.Store, from, path string, f importFlags) error {
	o := archive.ImportOptions{File: path, Experiment: f.experiment, Folder: f.folder, MissingContents: f.bare, SkipArtifacts: f.noFiles, Progress: a.transferred()}
	var r archive.Report
	var err error
	switch from {
	case "mlflow":
		r, err = archive.ImportMLflow(ctx, s, path, o)
	case "mlflow-db":
		r, err = archive.ImportMLflowDB(ctx, s, path, o)
	case "tensorboard":
		r, err = archive.ImportTensorBoard(ctx, s, path, o)
	default:
		r, err = a.importText(ctx, s, from, path, f.columns, o)
	}
	if err == nil || r.Runs > 0 {
		err = errors.Join(err, a.tellTransfer("read", path, r, f.json))
	}
	return err
}

func (a *App) importText(ctx context.Context, s *tracker.Store, from, path string, columns archive.CSVColumns, o archive.ImportOptions) (archive.Report, error) {
	in := a.In
	if path == "-" {
		o.File = "standard input"
	} else {
		file, err := os.Open(path)
		if err != nil {
			return archive.Report{}, err
		}
		defer file.Close()
		in = file
	}
	if from == "csv" {
		return archive.ImportCSV(ctx, s, in, columns, o)
	}
	return archive.ImportJSONL(ctx, s, in, o)
}
