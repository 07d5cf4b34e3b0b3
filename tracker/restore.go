package tracker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// RunRecord is everything that a run has besides its values, artifacts and events: what it takes to set it up again in
// another database.
type RunRecord struct {
	// Info as Store.Run gives it. ImportRun does not read RowID, LastStep, ConfigSHA256 and ArmSHA256, which follow
	// from the rest; an empty ID means that one is drawn.
	Info RunInfo
	// Started is when the run's last process began. The zero time means Info.Created.
	Started time.Time
	// DeletedAt is meaningful if Info.Deleted. The zero time means now.
	DeletedAt time.Time
	// Config byte for byte; empty means "{}".
	Config []byte
	// Params of the run. ImportRun adds those that Config does not give.
	Params []Param
	// Tags of the run.
	Tags map[string]string
	// Environment as Environment.Values gave it; empty if unknown.
	Environment map[string]string
}

// RunRecord reads everything about a run but its values, artifacts and events.
func (s *Store) RunRecord(ctx context.Context, ref string) (RunRecord, error) {
	info, err := s.Run(ctx, ref)
	if err != nil {
		return RunRecord{}, err
	}
	rec := RunRecord{Info: info, Tags: map[string]string{}, Environment: map[string]string{}}
	for query, scan := range map[string]func(*sql.Rows) error{
		selectOwn: func(rows *sql.Rows) error {
			var started int64
			var deleted sql.NullInt64
			err := rows.Scan(&started, &deleted, &rec.Config)
			rec.Started, rec.DeletedAt = time.UnixMilli(started), nullTime(deleted)
			return err
		},
		selectParams: scanParam(&rec.Params), selectTags: scanPair(rec.Tags), selectEnvironment: scanPair(rec.Environment),
	} {
		if err := s.rowsOf(ctx, "read run", info, query, nil, scan); err != nil {
			return rec, err
		}
	}
	return rec, nil
}

const selectOwn = "SELECT r.started_ms, r.deleted_ms, c.json FROM runs r LEFT JOIN configs c ON c.id = r.config_id WHERE r.id = ?"

// EachPoint calls visit for every value of every metric of a run, ordered by key, context, step, time and order of
// logging, without holding more than one in memory. An error from visit ends the reading and is returned.
func (s *Store) EachPoint(ctx context.Context, ref string, visit func(Point) error) error {
	return s.eachValue(ctx, ref, "points", "value", func(rows *sql.Rows, key, context string) error {
		p, err := scanPoint(rows, key, context)
		if err != nil {
			return err
		}
		return visit(p)
	})
}

// EachObject is EachPoint for values that are no numbers.
func (s *Store) EachObject(ctx context.Context, ref string, visit func(Object) error) error {
	return s.eachValue(ctx, ref, "objects", "kind, data", func(rows *sql.Rows, key, context string) error {
		var ts int64
		o := Object{Key: key, Context: context}
		if err := rows.Scan(&o.Step, &ts, &o.Kind, &o.Data); err != nil {
			return err
		}
		o.Time = time.UnixMilli(ts)
		return visit(o)
	})
}

// eachValue goes through the rows of a table series by series.
func (s *Store) eachValue(ctx context.Context, ref, table, columns string,
	visit func(rows *sql.Rows, key, context string) error) error {
	var list []*series
	_, err := s.query(ctx, "read values", ref, `SELECT s.id, k.name, x.name FROM series s JOIN keys k ON k.id = s.key_id
		JOIN contexts x ON x.id = s.context_id
		WHERE s.run_id = ? AND EXISTS (SELECT 1 FROM `+table+` v WHERE v.series_id = s.id) ORDER BY k.name, x.name`, nil, func(rows *sql.Rows) error {
		se := &series{}
		list = append(list, se)
		return rows.Scan(&se.id, &se.key, &se.context)
	})
	if err != nil {
		return err
	}
	for _, se := range list {
		if err := s.eachOf(ctx, se, "SELECT step, ts_ms, "+columns+" FROM "+table+
			" WHERE series_id = ? ORDER BY step, ts_ms, seq", visit); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) eachOf(ctx context.Context, se *series, query string,
	visit func(rows *sql.Rows, key, context string) error) error {
	rows, err := s.ask(ctx, query, se.id)
	if err != nil {
		return explain("read values", s.paths.db, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows, se.key, se.context); err != nil {
			return err
		}
	}
	return explain("read values", s.paths.db, rows.Err())
}

// RunImport takes the values, artifacts and events of a run that ImportRun is adding.
type RunImport struct {
	tx     *writeTx
	ctx    context.Context
	row    int64
	series map[seriesName]*series
	step   *int64 // greatest so far
}

// ImportedRun is a run for ImportRuns.
type ImportedRun struct {
	Record RunRecord
	// Fill hands over values, artifacts and events in their order. It may be nil.
	Fill func(*RunImport) error
}

// ImportRun adds a run as it was elsewhere: id, times and status are kept. All of it is one transaction: an error from
// fill, or the end of ctx, leaves no run behind (contents of artifacts stay as unreferenced files). No other writer gets
// a turn meanwhile, so fill should read from a local file or from memory. A parent must be there before its children.
// A run that is "running" cannot be imported: nothing here would ever finish it. It returns the run's ID.
func (s *Store) ImportRun(ctx context.Context, rec RunRecord, fill func(*RunImport) error) (id string, err error) {
	ids, err := s.ImportRuns(ctx, []ImportedRun{{rec, fill}})
	return ids[0], err
}

// ImportRuns is ImportRun for several runs in one transaction: all of them come in, or none. For many small runs it is
// several times faster, since each transaction waits for the disk.
func (s *Store) ImportRuns(ctx context.Context, runs []ImportedRun) (ids []string, err error) {
	const op = "import run"
	ids = make([]string, len(runs))
	if err := s.checkOpen(op, true); err != nil {
		return ids, err
	}
	records := make([]RunRecord, len(runs))
	for i, r := range runs {
		if err := r.Record.complete(s.cfg.Now()); err != nil {
			return ids, err
		}
		info := &r.Record.Info
		if info.ID == "" {
			if info.ID, err = s.freshID(ctx); err != nil {
				return ids, explain(op, s.paths.db, err)
			}
		}
		if info.Name == "" {
			info.Name = info.ID
		}
		ids[i], records[i] = info.ID, r.Record
	}
	err = s.write(ctx, func(tx *writeTx) error {
		for i, r := range runs {
			if err := tx.importRun(ctx, records[i], r.Fill); err != nil {
				return err
			}
		}
		return nil
	})
	return ids, explain(op, s.paths.db, err)
}

func (tx *writeTx) importRun(ctx context.Context, rec RunRecord, fill func(*RunImport) error) error {
	row, err := tx.restoreRun(rec)
	if err != nil {
		return err
	}
	im := &RunImport{tx: tx, ctx: ctx, row: row, series: map[seriesName]*series{}}
	if fill != nil {
		err = fill(im)
	}
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	_, err = tx.exec("UPDATE heartbeats SET last_step = ? WHERE run_id = ?", im.lastStep(), im.row)
	return err
}

// complete checks a record and fills defaults in.
func (rec *RunRecord) complete(now time.Time) error {
	const op = "import run"
	i := &rec.Info
	if i.ID != "" && !validID(i.ID) {
		return invalid(op, "RunRecord.Info.ID %q is no run id: %d characters of %s, the first a letter", i.ID, idLength, idAlphabet)
	}
	if !i.Status.valid() || i.Status == StatusRunning {
		return invalid(op, "RunRecord.Info.Status is %q, allowed are %q without %q", i.Status, Statuses(), StatusRunning)
	}
	if i.Created.IsZero() {
		return invalid(op, "RunRecord.Info.Created is not set")
	}
	if len(rec.Config) == 0 {
		rec.Config = []byte("{}")
	}
	for _, d := range []struct{ field, with *time.Time }{{&rec.Started, &i.Created}, {&rec.DeletedAt, &now},
		{&i.Heartbeat, &i.Finished}, {&i.Heartbeat, &rec.Started}} {
		if d.field.IsZero() {
			*d.field = *d.with
		}
	}
	errs := []error{RunConfig{Experiment: i.Experiment, Name: i.Name, Group: i.Group, Tags: rec.Tags, Note: i.Note}.validate()}
	for name, text := range map[string]string{"StatusDetail": i.StatusDetail, "Host": i.Host} {
		if msg := checkLong(text, MaxTagLength); msg != "" {
			errs = append(errs, invalid(op, "RunRecord.Info.%s %s", name, msg))
		}
	}
	for k, v := range rec.Environment {
		if msg := checkLong(k, MaxNameLength) + checkLong(v, MaxNoteLength); msg != "" {
			errs = append(errs, invalid(op, "RunRecord.Environment: %.40q %s", k, msg))
		}
	}
	return errors.Join(errs...)
}

// addParams returns the params that are not among those of the config.
func addParams(config, all []Param) ([]Param, error) {
	known := map[string]Param{}
	for _, p := range config {
		known[p.Key] = p
	}
	var more []Param
	for _, p := range all {
		if old, there := known[p.Key]; !there {
			if err := p.restore(); err != nil {
				return nil, err
			}
			known[p.Key] = p
			more = append(more, p)
		} else if old.Type != p.Type || old.Text != p.Text {
			return nil, invalid("import run", "RunRecord.Params: %q is %s %q, and was %s %q before", p.Key, p.Type, p.Text,
				old.Type, old.Text)
		}
	}
	return more, nil
}

// restore checks a param given by key, type and text, and sets its number.
func (p *Param) restore() error {
	bad := func(want string) error {
		return invalid("import run", "RunRecord.Params: %q is %q, which is no %s", p.Key, p.Text, want)
	}
	if msg := checkKey(p.Key); msg != "" {
		return invalid("import run", "RunRecord.Params: key %q %s", p.Key, msg)
	}
	if msg := checkLong(p.Text, MaxNoteLength); msg != "" {
		return invalid("import run", "RunRecord.Params: value of %q %s", p.Key, msg)
	}
	var err error
	switch p.Type {
	case ParamString, ParamJSON:
	case ParamNull:
		p.Text = "null"
	case ParamInt, ParamFloat:
		p.Number, err = strconv.ParseFloat(p.Text, 64)
	case ParamBool:
		var yes bool
		if yes, err = strconv.ParseBool(p.Text); yes {
			p.Number = 1
		}
	default:
		return bad("param of a known type: " + fmt.Sprintf("%q", p.Type))
	}
	if err != nil {
		return bad(string(p.Type))
	}
	return nil
}

// restoreRun adds the rows that a run has without values.
func (tx *writeTx) restoreRun(rec RunRecord) (int64, error) {
	i := rec.Info
	params, err := flattenConfig(rec.Config)
	if err != nil {
		return 0, err
	}
	more, err := addParams(params, rec.Params)
	if err != nil {
		return 0, err
	}
	var there int64
	if tx.scan("SELECT id FROM runs WHERE uid = ?", []any{i.ID}, &there) == nil {
		return 0, invalid("import run", "run %s is in this database already", i.ID)
	}
	parent, err := tx.parentOf(i)
	if err != nil {
		return 0, err
	}
	created := i.Created.UnixMilli()
	experiment, group, err := tx.placeOf(i.Experiment, i.Group, created)
	if err != nil {
		return 0, err
	}
	config, err := tx.configID(rec.Config, params) // without the others: StartRun knew only these
	if err != nil {
		return 0, err
	}
	environment, err := tx.environmentOf(rec.Environment)
	if err != nil {
		return 0, err
	}
	run, err := tx.insert(`INSERT INTO runs (uid, experiment_id, group_id, parent_id, config_id, environment_id, name, status,
		status_detail, seed, note, resumes, created_ms, started_ms, finished_ms, deleted_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, i.ID, experiment, group, parent, config, environment, i.Name,
		string(i.Status), i.StatusDetail, nullIf(i.Seed, !i.HasSeed), i.Note, i.Resumes, created, rec.Started.UnixMilli(),
		nullIf(i.Finished.UnixMilli(), i.Finished.IsZero()), nullIf(rec.DeletedAt.UnixMilli(), !i.Deleted))
	if err != nil {
		return 0, err
	}
	return run, tx.restoreDetails(run, rec, append(params, more...))
}

func (tx *writeTx) parentOf(i RunInfo) (any, error) {
	if i.Parent == "" {
		return nil, nil
	}
	var row int64
	if err := tx.scan("SELECT id FROM runs WHERE uid = ?", []any{i.Parent}, &row); err != nil {
		return nil, &Error{Op: "import run", Err: ErrNotFound, Hint: "import the parent first",
			Msg: fmt.Sprintf("run %s has the parent %s, which is not in this database", i.ID, i.Parent)}
	}
	return row, nil
}

func (tx *writeTx) restoreDetails(run int64, rec RunRecord, params []Param) error {
	if _, err := tx.exec("INSERT INTO heartbeats (run_id, host, pid, process_start, beat_ms) VALUES (?, ?, ?, '', ?)",
		run, rec.Info.Host, rec.Info.PID, rec.Info.Heartbeat.UnixMilli()); err != nil {
		return err
	}
	if err := tx.insertParams(run, params); err != nil {
		return err
	}
	for _, key := range sortedKeys(rec.Tags) {
		if err := tx.setTag(run, key, rec.Tags[key]); err != nil {
			return err
		}
	}
	return nil
}

// AddPoints adds values. Times must be set.
func (im *RunImport) AddPoints(points []Point) error {
	records := make([]record, len(points))
	for i, p := range points {
		s, err := im.lookup(p.Key, p.Context)
		if err != nil {
			return err
		}
		if p.Time.IsZero() {
			return invalid("import run", "point %d (%s, step %d) has no time", i, p.Key, p.Step)
		}
		records[i] = record{series: s, step: p.Step, ts: p.Time.UnixMilli(), value: p.Value}
	}
	return im.add(records)
}

// AddObject adds a value that is no number. Its time must be set.
func (im *RunImport) AddObject(o Object) error {
	s, err := im.lookup(o.Key, o.Context)
	if err != nil {
		return err
	}
	if msg := checkName(o.Kind); msg != "" {
		return invalid("import run", "Kind %q of object %q %s", o.Kind, o.Key, msg)
	}
	if len(o.Data) > MaxObjectBytes || o.Time.IsZero() {
		return invalid("import run", "object %q, step %d has %d bytes and time %v; allowed are %d bytes, with a time", o.Key,
			o.Step, len(o.Data), o.Time, MaxObjectBytes)
	}
	if o.Data == nil {
		o.Data = []byte{}
	}
	return im.add([]record{{series: s, step: o.Step, ts: o.Time.UnixMilli(), object: &objectData{kind: o.Kind, data: o.Data}}})
}

// AddArtifact adds an artifact with its version, or the next one if a.Version is 0. The content is checked against
// a.Size and a.SHA256 unless SHA256 is empty. A nil content records an artifact whose content is not here (reading it
// fails until the file is put at its place); SHA256 is required then.
func (im *RunImport) AddArtifact(a Artifact, content io.Reader) error {
	spec := ArtifactSpec{Name: a.Name, Kind: a.Kind, MediaType: a.MediaType}
	if err := errors.Join(im.ctx.Err(), spec.complete()); err != nil {
		return err
	}
	a.Kind = spec.Kind
	if content != nil {
		sum, size, err := im.tx.s.putBlob(content)
		if err != nil {
			return err
		}
		if a.SHA256 != "" && (sum != a.SHA256 || size != a.Size) {
			return &Error{Op: "import run", Err: ErrCorrupt, Msg: fmt.Sprintf(
				"artifact %q has %d bytes with SHA-256 %s, want %d with %s", a.Name, size, sum, a.Size, a.SHA256)}
		}
		a.SHA256, a.Size = sum, size
	}
	if len(a.SHA256) != 64 || hexDigits(a.SHA256) != 64 || a.Size < 0 || a.Version < 0 || a.Time.IsZero() {
		return invalid("import run", "artifact %q has SHA-256 %q, size %d, version %d and time %v", a.Name, a.SHA256, a.Size,
			a.Version, a.Time)
	}
	version, err := im.tx.insertArtifact(im.row, a)
	if err == nil && a.Version > 0 && version != a.Version {
		_, err = im.tx.exec("UPDATE artifacts SET version = ? WHERE run_id = ? AND name = ? AND version = ?",
			a.Version, im.row, a.Name, version)
	}
	return err
}

func hexDigits(s string) (n int) {
	for _, c := range s {
		if (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') {
			n++
		}
	}
	return n
}

// AddEvent adds something that happened to the run.
func (im *RunImport) AddEvent(e Event) error {
	if msg := checkName(e.Kind) + checkLong(e.Message, MaxNoteLength) + checkLong(e.Data, MaxNoteLength); msg != "" {
		return invalid("import run", "event %.40q at %v %s", e.Kind, e.Time, msg)
	}
	_, err := im.tx.exec("INSERT INTO events (run_id, ts_ms, kind, message, data) VALUES (?, ?, ?, ?, ?)", im.row,
		e.Time.UnixMilli(), e.Kind, e.Message, e.Data)
	return err
}

func (im *RunImport) add(records []record) error {
	if err := im.ctx.Err(); err != nil || len(records) == 0 {
		return err
	}
	if m := maxStep(records); im.step == nil || *m > *im.step {
		im.step = m
	}
	return im.tx.addRecords(im.row, records)
}

func (im *RunImport) lastStep() any {
	if im.step == nil {
		return nil
	}
	return *im.step
}

func (im *RunImport) lookup(key, context string) (*series, error) {
	name := seriesName{key, context}
	if s := im.series[name]; s != nil {
		return s, nil
	}
	if msg := checkKey(key); msg != "" {
		return nil, invalid("import run", "metric key %q %s", key, msg)
	}
	if msg := checkContext(context); msg != "" {
		return nil, invalid("import run", "context %q of metric %q %s", context, key, msg)
	}
	im.series[name] = &series{key: key, context: context}
	return im.series[name], nil
}
