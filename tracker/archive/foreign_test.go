package archive

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/tracker"
)

func TestImportCSVOfAnExport(t *testing.T) {
	from, to := openStore(t, 1), openStore(t, 2)
	fillRandom(t, from, 3, 6)
	var first, second bytes.Buffer
	_, err := ExportMetricsCSV(ctx, from, &first, ExportOptions{})
	must(t, err)
	text := first.String()
	for i := range 2 {
		report, err := ImportCSV(ctx, to, strings.NewReader(text), DefaultCSVColumns(), ImportOptions{File: "x.csv"})
		must(t, err)
		if n := report.Runs*(1-i) + report.Skipped*i; n < 4 || (report.Points > 0) != (i == 0) {
			t.Errorf("import %d: %+v", i, report)
		}
	}
	_, err = ExportMetricsCSV(ctx, to, &second, ExportOptions{})
	must(t, err)
	if a, b := values(t, text), values(t, second.String()); a != b {
		t.Errorf("values differ %s", firstDifference([]byte(a), []byte(b)))
	}
}

// Files whose columns are called run_id and run_name are read under the new names, and new files under the old ones.
func TestImportCSVOfAnEarlierVersion(t *testing.T) {
	const rows = "k3v9,lru-1,e,loss,,1,2026-01-02T03:04:05.678Z,0.5\nm000,s6-1,e,loss,,1,2026-01-02T03:04:05.678Z,0.25\n"
	byOldNames := DefaultCSVColumns()
	byOldNames.Run, byOldNames.Name = "run_id", "run_name"
	for _, head := range []string{"run_id,run_name", "id,name"} {
		for _, columns := range []CSVColumns{DefaultCSVColumns(), byOldNames} {
			s := openStore(t, 1)
			report, err := ImportCSV(ctx, s, strings.NewReader(head+",experiment,key,context,step,time,value\n"+rows), columns, ImportOptions{File: "x.csv"})
			must(t, err)
			if loss, err := s.History(ctx, "s6-1", "loss", ""); err != nil || report.Runs != 2 || len(loss) != 1 || loss[0].Value != 0.25 {
				t.Errorf("columns %s by %s: %+v, loss %v, %v", head, columns.Run, report, loss, err)
			}
		}
	}
	columns := DefaultCSVColumns()
	columns.Run = "who"
	_, err := ImportCSV(ctx, openStore(t, 1), strings.NewReader("id,name,key,context,step,time,value\n"), columns, ImportOptions{File: "x.csv"})
	wantError(t, err, `CSVColumns.Run "who"`, "is no column")
}

// values cuts the run's id and experiment off the rows: they are new.
func values(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	for _, line := range strings.Split(text, "\n")[1:] {
		if i := strings.Index(line, "Z,"); i > 0 { // the end of the time
			b.WriteString(line[i-23:] + "\n")
		}
	}
	if b.Len() < 1000 {
		t.Fatalf("hardly any values in %.200s", text)
	}
	return b.String()
}

func TestImportCSVWide(t *testing.T) {
	s := openStore(t, 1)
	text := "\ufeffepoch,loss,acc,when\n1,0.5,,1767323045\n2.0,NaN,0.25,1767323046.5\n3,-inf,1e-3,1767323047000\n"
	_, err := ImportCSV(ctx, s, strings.NewReader(text), CSVColumns{Step: "epoch", Time: "when"}, ImportOptions{File: "log.csv", Experiment: "w"})
	must(t, err)
	loss, err := s.History(ctx, "log.csv", "loss", "")
	must(t, err)
	acc, err := s.History(ctx, "log.csv", "acc", "")
	must(t, err)
	if fmt.Sprint(valuesOf(loss), valuesOf(acc)) != "[0.5 NaN -Inf] [0.25 0.001]" || loss[1].Step != 2 || loss[1].Time.UnixMilli() != 1767323046500 {
		t.Errorf("loss %v, acc %v", loss, acc)
	}
	info, err := s.Run(ctx, "log.csv")
	if err != nil || info.Experiment != "w" || info.Created.UnixMilli() != 1767323045000 || info.Finished.UnixMilli() != 1767323047000 {
		t.Errorf("%+v, %v", info, err)
	}
}

func valuesOf(points []tracker.Point) []float64 {
	var list []float64
	for _, p := range points {
		list = append(list, p.Value)
	}
	return list
}

func TestImportCSVFails(t *testing.T) {
	c := CSVColumns{Run: "run", Key: "key", Step: "step", Value: "value", Time: "time"}
	head := "run,key,step,value,time\n"
	for text, wants := range map[string][]string{
		"":                                {"x.csv", "is empty"},
		"run,key,step\n":                  {"x.csv:1", `CSVColumns.Time "time"`, "the columns are"},
		head + "a,loss,1,x,0\n":           {"x.csv:2", `value "x"`},
		head + "a,loss,1,1e999,0\n":       {"x.csv:2", `value "1e999"`},
		head + "a,loss,1.5,1,0\n":         {"x.csv:2", `step "1.5"`},
		head + "a,loss,1,1,tomorrow\n":    {"x.csv:2", `time "tomorrow"`, "allowed are"},
		head + "a,loss,1,1\n":             {"x.csv:2", "wrong number of fields"},
		head + "a,loss,1,\"1,0\nb,l\n":    {"x.csv:", "column"},
		head + "a,loss,1,1,0\na,,1,1,0\n": {"x.csv", `run "a"`, "is empty"},
	} {
		s := openStore(t, 1)
		_, err := ImportCSV(ctx, s, strings.NewReader(text), c, ImportOptions{File: "x.csv"})
		wantError(t, err, wants...)
		if runs, _ := s.Runs(ctx, tracker.Filter{}); len(runs) > 0 {
			t.Errorf("%q left %d runs", text, len(runs))
		}
	}
}

func TestImportCSVNamesTheDifference(t *testing.T) {
	s := openStore(t, 1)
	c := CSVColumns{Step: "step"}
	_, err := ImportCSV(ctx, s, strings.NewReader("step,loss\n1,2\n2,3\n"), c, ImportOptions{})
	must(t, err)
	_, err = ImportCSV(ctx, s, strings.NewReader("step,loss\n1,2\n2,4\n"), c, ImportOptions{})
	wantError(t, err, `differs in value 1 of "loss": 3 here, 4 there`)
}

// knownRun is what MLflow's client says about a run; testdata/make.py wrote it.
type knownRun struct {
	ID, Status string
	Loss       [][3]any
	Params     map[string]string
}

func readKnown(t *testing.T) map[string][]knownRun {
	t.Helper()
	b, err := os.ReadFile("testdata/known.json")
	must(t, err)
	known := map[string][]knownRun{}
	must(t, json.Unmarshal(b, &known))
	return known
}

func TestImportMLflow(t *testing.T) {
	known := readKnown(t)
	for source, load := range map[string]func(*tracker.Store) (Report, error){
		"mlruns": func(s *tracker.Store) (Report, error) {
			return ImportMLflow(ctx, s, "testdata/mlruns", ImportOptions{})
		},
		"mlflow.db": func(s *tracker.Store) (Report, error) {
			return ImportMLflowDB(ctx, s, "testdata/mlflow.db", ImportOptions{})
		},
	} {
		s := openStore(t, 1)
		report, err := load(s)
		must(t, err)
		if report.Runs != 4 || report.Points != 6+5+4+3+4 || len(report.Warnings) > 0 || report.Artifacts != int64(btoi(source == "mlruns")) {
			t.Errorf("%s: %+v", source, report)
		}
		for i, k := range known[source] {
			checkMLflowRun(t, s, source, i, k, known[source][0].ID)
		}
		if again, err := load(s); err != nil || again.Skipped != 4 || again.Runs != 0 {
			t.Errorf("%s: second import: %+v, %v", source, again, err)
		}
	}
}

func checkMLflowRun(t *testing.T, s *tracker.Store, source string, i int, k knownRun, parent string) {
	t.Helper()
	id := deriveID("mlflow", k.ID)
	info, err := s.Run(ctx, id)
	must(t, err)
	if i == 0 {
		parent = ""
	} else {
		parent = deriveID("mlflow", parent)
	}
	status := map[string]tracker.Status{"FINISHED": "finished", "FAILED": "failed", "KILLED": "interrupted", "RUNNING": "interrupted"}[k.Status]
	if info.Name != fmt.Sprintf("run %d: 'quoted'", i) || info.Experiment != "ladder: Größe" || info.Status != status || info.Parent != parent ||
		info.Note != "line 1\nline 2" || info.Deleted != (i == 2) || info.Created.UnixMilli() != 1767323045678+int64(i) {
		t.Errorf("%s: run %d is %+v", source, i, info)
	}
	tags, err := s.Tags(ctx, id)
	if err != nil || tags["team"] != `it's "x": y` || tags["mlflow.run_id"] != k.ID {
		t.Errorf("%s: tags %v, %v", source, tags, err)
	}
	points, err := s.History(ctx, id, "loss", "")
	must(t, err)
	if len(points) != len(k.Loss) {
		t.Fatalf("%s: %d values, want %d", source, len(points), len(k.Loss))
	}
	for j, p := range points {
		want, err := strconv.ParseFloat(k.Loss[j][2].(string), 64)
		must(t, err)
		if source == "mlflow.db" && math.Abs(want) == math.MaxFloat64 {
			want = math.Inf(int(want / math.MaxFloat64)) // how MLflow stores it
		}
		if !sameFloat(p.Value, want) || float64(p.Step) != k.Loss[j][0] || float64(p.Time.UnixMilli()) != k.Loss[j][1] {
			t.Errorf("%s: value %d is %+v, want %v", source, j, p, k.Loss[j])
		}
	}
	params, err := s.Params(ctx, id)
	must(t, err)
	types := map[string]tracker.ParamType{"lr": "float", "model.width": "int", "name": "string", "on": "bool", "py": "string", "big": "int", "list": "string"}
	for _, p := range params {
		if p.Type != types[p.Key] || (p.Type != "float" && p.Text != k.Params[p.Key]) {
			t.Errorf("%s: param %+v, want %q", source, p, k.Params[p.Key])
		}
	}
	if len(params) != len(types) {
		t.Errorf("%s: params %v", source, params)
	}
}

func TestImportMLflowFails(t *testing.T) {
	for change, wants := range map[string][]string{
		"metrics/loss→12 x 3":                           {"loss:1", `value "x"`},
		"metrics/loss→later 1 3":                        {"loss:1", `time "later"`},
		"metrics/loss→1 1 3.5":                          {"loss:1", `step "3.5"`},
		"metrics/loss→1":                                {"loss:1", `line "1"`},
		"meta.yaml→run_id: a\nstatus: 9":                {`status "9"`, "allowed are"},
		"meta.yaml→run_id: a\nstart_time: x\nstatus: 3": {"meta.yaml", `start_time "x"`},
		"meta.yaml→nothing":                             {"meta.yaml:1", "field: value"},
	} {
		dir := t.TempDir()
		must(t, os.MkdirAll(filepath.Join(dir, "1", "a", "metrics"), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "1", "a", "meta.yaml"), []byte("run_id: a\nstatus: 3\nstart_time: 5\n"), 0o644))
		name, text, _ := strings.Cut(change, "→")
		must(t, os.WriteFile(filepath.Join(dir, "1", "a", filepath.FromSlash(name)), []byte(text), 0o644))
		s := openStore(t, 1)
		_, err := ImportMLflow(ctx, s, dir, ImportOptions{})
		wantError(t, err, wants...)
		if runs, _ := s.Runs(ctx, tracker.Filter{}); len(runs) > 0 {
			t.Errorf("%q left %d runs", change, len(runs))
		}
	}
	_, err := ImportMLflow(ctx, openStore(t, 1), t.TempDir(), ImportOptions{})
	wantError(t, err, "holds no runs", "hint")
}

func TestImportTensorBoard(t *testing.T) {
	s := openStore(t, 1)
	for i := range 2 {
		report, err := ImportTensorBoard(ctx, s, "testdata/tb", ImportOptions{Experiment: "tb"})
		must(t, err)
		if report.Runs != 2*(1-i) || report.Skipped != 2*i || len(report.Warnings) != 2 {
			t.Errorf("import %d: %+v", i, report)
		}
	}
	for name, want := range map[string]string{
		"old/train|loss/train": "0:0.5@1767323045678 10:NaN@1767323046678 20:+Inf@1767323047678 30:-Inf@1767323048678 40:0.10000000149011612@1767323049678",
		"new|f":                "-2:NaN@1767323046500 1:0.25@1767323046500",
		"new|d":                "3:0.1@1767323046500 4:+Inf@1767323046500",
		"new|i":                "5:-7@1767323046500 6:1.099511627776e+12@1767323046500",
	} {
		run, key, _ := strings.Cut(name, "|")
		points, err := s.History(ctx, run, key, "")
		must(t, err)
		var got []string
		for _, p := range points {
			got = append(got, fmt.Sprintf("%d:%v@%d", p.Step, p.Value, p.Time.UnixMilli()))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
}

// TestImportTensorBoardDamaged cuts and changes an event file at every byte: a cut run comes in as crashed with what
// is whole, a change is an error or (in the length of the last record) a cut.
func TestImportTensorBoardDamaged(t *testing.T) {
	whole, err := os.ReadFile("testdata/tb/new/events.out.tfevents.1767323045.host.v2")
	must(t, err)
	dir := t.TempDir()
	path := filepath.Join(dir, "x.tfevents.1")
	read := func(data []byte) (count int, cut bool, err error) {
		must(t, os.WriteFile(path, data, 0o644))
		r := &tbRun{folder: dir, name: ".", files: []string{path}}
		err = r.scan()
		return r.count, r.cut != "", err
	}
	all, cut, err := read(whole)
	if all != 6 || cut || err != nil {
		t.Fatalf("%d values, cut %v, error %v", all, cut, err)
	}
	ends := recordEnds(whole)
	for i := range whole {
		n, cut, err := read(whole[:i])
		if err != nil || cut == ends[i] || n > all {
			t.Fatalf("cut at byte %d: %d values, cut %v, error %v", i, n, cut, err)
		}
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x10
		if _, _, err := read(damaged); err == nil {
			t.Fatalf("a changed byte %d goes unnoticed", i)
		}
	}
	must(t, os.WriteFile(path, whole[:len(whole)-3], 0o644))
	s := openStore(t, 1)
	report, err := ImportTensorBoard(ctx, s, dir, ImportOptions{})
	must(t, err)
	runs, err := s.Runs(ctx, tracker.Filter{})
	must(t, err)
	if report.Points != 6 || len(runs) != 1 || runs[0].Status != tracker.StatusCrashed {
		t.Errorf("%+v, %+v", report, runs)
	}
}

// recordEnds lists the offsets at which a file may end.
func recordEnds(b []byte) map[int]bool {
	ends := map[int]bool{0: true}
	for at := 0; at < len(b); {
		at += int(binary.LittleEndian.Uint64(b[at:])) + 16
		ends[at] = true
	}
	return ends
}
