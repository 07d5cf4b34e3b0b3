package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/tracker"
)

func (a *App) backupCommand() *cobra.Command {
	var artifacts, asJSON bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "copy the database while runs go on",
		Long: `Writes a consistent copy of the database, compacted, and checks it. Runs may go on
meanwhile. FILE must not exist. With --artifacts the artifacts come along, to
FILE.artifacts.`,
		Args: takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(func(s *tracker.Store) error {
				p := a.stages()
				r, err := s.Backup(cmd.Context(), args[0], tracker.BackupOptions{Artifacts: artifacts, Progress: p.show})
				p.close()
				if err != nil {
					return err
				}
				if asJSON {
					return errors.Join(a.printJSON(backupJSON(r)), complain("the copy lacks something", r.Problems))
				}
				fmt.Fprintf(a.Out, "%s: %s, %d runs, %d points\n", r.Path, bytesText(r.Bytes), r.Runs, r.Points)
				if artifacts {
					fmt.Fprintf(a.Out, "%s.artifacts: %s in %d files\n", r.Path, bytesText(r.ArtifactBytes), r.Artifacts)
				}
				return complain("the copy lacks something", r.Problems)
			})
		},
	}
	cmd.Flags().BoolVar(&artifacts, "artifacts", false, "copy the artifacts too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the report as a JSON object")
	return cmd
}

func backupJSON(r tracker.BackupReport) object {
	return object{"path": r.Path, "bytes": r.Bytes, "runs": r.Runs, "points": r.Points, "artifacts": r.Artifacts,
		"artifact_bytes": r.ArtifactBytes, "problems": orEmpty(r.Problems)}
}

func (a *App) verifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "check database, journals and artifacts",
		Long: `Reads everything: SQLite's own integrity check, references between tables, the
summaries against the points, every frame of every journal, and every artifact
against its hash. The exit code is 1 if anything is wrong. Nothing is changed.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(func(s *tracker.Store) error {
				p := a.stages()
				r, err := s.Verify(cmd.Context(), p.show)
				p.close()
				if err != nil {
					return err
				}
				if asJSON {
					err = a.printJSON(verifyJSON(r))
				} else {
					fmt.Fprintln(a.Out, strings.TrimRight(r.String(), "\n"))
				}
				if err == nil && !r.OK() {
					err = hinted(fmt.Errorf("%s", counted(len(r.Problems()), "problem")+" found"), a.command("backup FILE")+" saves what can be read")
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "the report as a JSON object")
	return cmd
}

func verifyJSON(r tracker.VerifyReport) object {
	journals := []object{}
	for _, j := range r.Journals {
		journals = append(journals, object{"run": j.Run, "live": j.Live, "frames": j.Frames, "values": j.Values, "waiting": j.Waiting,
			"missing": j.Missing, "damaged_bytes": j.DamagedBytes, "problem": j.Problem})
	}
	a := r.Artifacts
	return object{"ok": r.OK(), "problems": orEmpty(r.Problems()), "warnings": orEmpty(r.Warnings), "path": r.Path, "schema": r.Schema,
		"runs": r.Runs, "points": r.Points, "objects": r.Objects, "seconds": r.Elapsed.Seconds(), "journals": journals,
		"artifacts": object{"contents": a.Blobs, "bytes": a.Bytes, "missing": orEmpty(a.Missing), "damaged": orEmpty(a.Damaged),
			"unreferenced": a.Unreferenced, "unreferenced_bytes": a.UnreferencedBytes, "strays": orEmpty(a.Strays)}}
}

// orEmpty makes [] of nil, which JSON would write as null.
func orEmpty(list []string) []string { return append([]string{}, list...) }

func (a *App) runsGCCommand() *cobra.Command {
	var o tracker.GCOptions
	var older string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "remove deleted runs for good, and files that nothing needs",
		Long: `Removes the data of runs that runs rm has marked, artifacts that no run has any
more, and journals that were set aside. What is removed cannot come back; --dry-run
says what it would be.`,
		Example: `  gophersnake runs gc --dry-run
  gophersnake runs gc --older-than 30d --compact`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.OlderThan, err = days(older); err != nil {
				return usage(cmd, fmt.Errorf("--older-than is %q, want a duration such as 30d or 12h", older))
			}
			return a.withWritable(func(s *tracker.Store) error {
				p := a.stages()
				o.Progress = p.show
				r, err := s.GC(cmd.Context(), o)
				p.close()
				switch {
				case err != nil:
					return err
				case asJSON:
					return a.printJSON(gcJSON(r))
				}
				fmt.Fprintln(a.Out, strings.TrimRight(r.String(), "\n"))
				return nil
			})
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.DryRun, "dry-run", false, "change nothing, say what would be removed")
	flags.StringVar(&older, "older-than", "0s", "only what was deleted or set aside so long ago (30d, 12h)")
	flags.BoolVar(&o.Backups, "backups", false, "also the backups that migrations made")
	flags.BoolVar(&o.Compact, "compact", false, "give the space back to the file system (VACUUM)")
	flags.BoolVar(&asJSON, "json", false, "the report as a JSON object")
	return cmd
}

func gcJSON(r tracker.GCReport) object {
	return object{"dry_run": r.DryRun, "runs": namesJSON(r.Runs), "values": r.Values, "contents": r.Blobs, "content_bytes": r.BlobBytes,
		"files": orEmpty(r.Files), "file_bytes": r.FileBytes, "left": orEmpty(r.Skipped), "bytes_before": r.BytesBefore, "bytes_after": r.BytesAfter}
}

// namesJSON tells runs by id and name.
func namesJSON(runs []tracker.RunInfo) []object {
	out := make([]object, len(runs))
	for i, r := range runs {
		out[i] = object{"id": r.ID, "name": r.Name, "experiment": r.Experiment}
	}
	return out
}

// days reads a duration that may be in days.
func days(text string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(text, "d"); ok {
		v, err := strconv.ParseFloat(n, 64)
		return time.Duration(v * float64(24*time.Hour)), err
	}
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		err = errors.New("negative")
	}
	return d, err
}

// stageLine shows how far a long check or copy has come, on a terminal.
type stageLine struct {
	app  *App
	last time.Time
	used bool
}

func (a *App) stages() *stageLine { return &stageLine{app: a} }

// show writes over the line, ten times a second at most.
func (l *stageLine) show(p tracker.Progress) {
	if l.app.quiet || width(l.app.Err) == 0 || time.Since(l.last) < 100*time.Millisecond {
		return
	}
	l.last, l.used = time.Now(), true
	of := ""
	if p.Total > 0 {
		of = fmt.Sprintf(" of %d", p.Total)
	}
	fmt.Fprintf(l.app.Err, "\r\x1b[K%s: %d%s", p.Stage, p.Done, of)
}

// close takes the line away.
func (l *stageLine) close() {
	if l.used {
		fmt.Fprint(l.app.Err, "\r\x1b[K")
	}
}

// complain makes an error of sentences, nil of none.
func complain(what string, problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%s:\n%s", what, strings.Join(problems, "\n"))
}

// bytesText is a size for readers.
func bytesText(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	v, i := float64(n), 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.3g %s", v, units[i])
}
