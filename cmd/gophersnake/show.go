package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/tracker"
)

func (a *App) runsShowCommand() *cobra.Command {
	var asJSON, config bool
	cmd := &cobra.Command{
		Use:   "show RUN",
		Short: "show a run: config, metrics, environment, tags, artifacts, events",
		Example: `  gophersnake runs show mamba-seed1
  gophersnake runs show k3v9 --config > again.json`,
		Args:              takes("RUN"),
		ValidArgsFunction: a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(func(s *tracker.Store) error {
				d, err := loadDetails(cmd.Context(), s, args[0])
				switch {
				case err != nil:
					return err
				case config:
					_, err := fmt.Fprintf(a.Out, "%s\n", indented(d.config))
					return err
				case asJSON:
					return a.printJSON(d.json())
				}
				a.show(d)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "everything as a JSON object")
	cmd.Flags().BoolVar(&config, "config", false, "the config alone, for gophersnake run")
	return cmd
}

// details is everything that the store knows of a run, but for its curves.
type details struct {
	listed
	config      []byte
	environment map[string]string
	tags        map[string]string
	artifacts   []tracker.Artifact
	events      []tracker.Event
}

func loadDetails(ctx context.Context, s *tracker.Store, ref string) (d details, err error) {
	if d.RunInfo, err = s.Run(ctx, ref); err != nil {
		return d, err
	}
	for _, load := range []func() error{
		func() (err error) { d.metrics, err = s.Latest(ctx, d.ID); return err },
		func() (err error) { d.config, err = s.ConfigJSON(ctx, d.ID); return err },
		func() (err error) { d.environment, err = s.Environment(ctx, d.ID); return err },
		func() (err error) { d.tags, err = s.Tags(ctx, d.ID); return err },
		func() (err error) { d.artifacts, err = s.Artifacts(ctx, d.ID); return err },
		func() (err error) { d.events, err = s.Events(ctx, d.ID); return err },
	} {
		if err := load(); err != nil {
			return d, err
		}
	}
	return d, nil
}

// show prints a run, section by section.
func (a *App) show(d details) {
	status := string(d.Status)
	if d.StatusDetail != "" {
		status += ", " + d.StatusDetail
	}
	fmt.Fprintf(a.Out, "run %s (#%d) %s\n", d.ID, d.RowID, d.Name)
	for _, line := range [][2]string{
		{"experiment", d.Experiment}, {"group", d.Group}, {"parent", d.Parent}, {"status", status}, {"started", stamp(d.Created)},
		{"ended", stamp(d.Finished)}, {"resumed", times(d.Resumes)}, {"host", fmt.Sprintf("%s, process %d", d.Host, d.PID)},
		{"config", "sha256 " + d.ConfigSHA256}, {"note", d.Note},
	} {
		if line[1] != "" {
			fmt.Fprintf(a.Out, "  %-11s %s\n", line[0], line[1])
		}
	}
	metrics := table.New("Metrics", "metric", "last", "step", "min", "max", "values")
	for _, m := range d.metrics {
		metrics.Add(m.Key, short(m.Last), fmt.Sprint(m.LastStep), short(m.Min), short(m.Max), fmt.Sprint(m.Count))
	}
	artifacts := table.New("Artifacts", "name", "version", "bytes", "sha256")
	for _, x := range d.artifacts {
		artifacts.Add(x.Name, fmt.Sprint(x.Version), fmt.Sprint(x.Size), x.SHA256[:min(12, len(x.SHA256))])
	}
	events := table.New("Events", "when", "what", "")
	for _, e := range d.events {
		message := strings.TrimSuffix(e.Message, ": ")
		if message == e.Kind {
			message = ""
		}
		events.Add(stamp(e.Time), e.Kind, message)
	}
	for _, t := range []*table.Table{metrics, pairTable("Tags", d.tags), artifacts, events, environmentTable(d.environment)} {
		if len(t.Rows) > 0 {
			fmt.Fprintf(a.Out, "\n%s", t)
		}
	}
	fmt.Fprintf(a.Out, "\nConfig\n\n%s\n", indented(d.config))
}

// environmentTable leaves the versions of other modules to --json.
func environmentTable(values map[string]string) *table.Table {
	own := map[string]string{}
	modules := 0
	for k, v := range values {
		if strings.HasPrefix(k, "module.") {
			modules++
			continue
		}
		own[k] = v
	}
	t := pairTable("Environment", own)
	if modules > 0 {
		t.Note(fmt.Sprintf("The versions of %d modules are shown by --json.", modules))
	}
	return t
}

func pairTable(title string, values map[string]string) *table.Table {
	t := table.New(title, "key", "value")
	t.Align = []table.Align{table.Left, table.Left}
	for _, k := range slices.Sorted(maps.Keys(values)) {
		v := strings.ReplaceAll(values[k], "\n", " ")
		if r := []rune(v); len(r) > 80 {
			v = string(r[:79]) + "…"
		}
		t.Add(k, v)
	}
	return t
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02 15:04:05")
}

func times(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// indented is JSON for people.
func indented(raw []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return string(raw)
	}
	return b.String()
}

// jsonNumber writes NaN and the infinities as MLflow does, since JSON has none.
type jsonNumber float64

// MarshalJSON writes the number, or "NaN", "Infinity", "-Infinity".
func (v jsonNumber) MarshalJSON() ([]byte, error) {
	x := float64(v)
	switch {
	case math.IsNaN(x):
		return []byte(`"NaN"`), nil
	case math.IsInf(x, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(x, -1):
		return []byte(`"-Infinity"`), nil
	}
	return json.Marshal(x)
}

type object = map[string]any

// json is a run of the list as an object; times are in UTC.
func (l listed) json() object {
	o := object{"id": l.ID, "number": l.RowID, "name": l.Name, "experiment": l.Experiment, "group": l.Group, "status": l.Status,
		"status_detail": l.StatusDetail, "created": l.Created.UTC(), "last_step": l.LastStep, "resumes": l.Resumes,
		"config_sha256": l.ConfigSHA256, "arm_sha256": l.ArmSHA256, "note": l.Note}
	if l.Parent != "" {
		o["parent"] = l.Parent
	}
	if l.HasSeed {
		o["seed"] = l.Seed
	}
	if !l.Finished.IsZero() {
		o["finished"] = l.Finished.UTC()
	}
	metrics := object{}
	for _, m := range l.metrics {
		key := m.Key
		if m.Context != "" {
			key += "@" + m.Context
		}
		metrics[key] = object{"last": jsonNumber(m.Last), "last_step": m.LastStep, "min": jsonNumber(m.Min), "max": jsonNumber(m.Max), "count": m.Count}
	}
	o["metrics"] = metrics
	return o
}

func runsJSON(runs []listed) []object {
	out := make([]object, len(runs))
	for i, r := range runs {
		out[i] = r.json()
	}
	return out
}

// json is everything known of a run.
func (d details) json() object {
	o := d.listed.json()
	o["config"], o["environment"], o["tags"] = json.RawMessage(d.config), d.environment, d.tags
	artifacts, events := []object{}, []object{}
	for _, x := range d.artifacts {
		artifacts = append(artifacts, object{"name": x.Name, "version": x.Version, "kind": x.Kind, "bytes": x.Size, "sha256": x.SHA256, "path": x.Path})
	}
	for _, e := range d.events {
		events = append(events, object{"time": e.Time.UTC(), "kind": e.Kind, "message": e.Message, "data": json.RawMessage(e.Data)})
	}
	o["artifacts"], o["events"] = artifacts, events
	return o
}

// manyObjects is the number from which a JSON array has an object a line: to
// indent ten thousand runs takes longer than to find them.
const manyObjects = 500

// printObjects writes an array, indented if people may read it.
func (a *App) printObjects(list []object) error {
	if len(list) < manyObjects {
		return a.printJSON(list)
	}
	w := bufio.NewWriter(a.Out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i, o := range list {
		separator := ","
		if i == 0 {
			separator = "["
		}
		w.WriteString(separator)
		if err := enc.Encode(o); err != nil {
			return err
		}
	}
	w.WriteString("]\n")
	return w.Flush()
}

// printJSON writes a value as indented JSON.
func (a *App) printJSON(v any) error {
	enc := json.NewEncoder(a.Out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
