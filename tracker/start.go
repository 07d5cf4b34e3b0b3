package tracker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sort"
	"sync"
)

// RunConfig says what a new run is.
type RunConfig struct {
	// Experiment is the name under which runs are collected; it is made if there is none. Required.
	Experiment string
	// Name of the run. Names may repeat; the id tells runs apart. Default: the id.
	Name string
	// Group collects runs of an experiment that belong together, such as the arms of a sweep. Default: none.
	Group string
	// Parent refers to the run that this one is a part of. Default: none.
	Parent string
	// Seed of the run. It is recorded unless NoSeed is set.
	Seed int64
	// NoSeed says that the run has no seed.
	NoSeed bool
	// Config is a JSON object that decides the run completely, kept byte for byte with its SHA-256. Its fields become
	// typed params under dotted names ("model.width"); arrays become params of type json. Default: "{}".
	Config []byte
	// Tags of the run.
	Tags map[string]string
	// Note on the run, of any length up to MaxNoteLength.
	Note string
	// Environment in which the run takes place; see CaptureEnvironment. A nil one is recorded as unknown.
	Environment *Environment
}

// validate names every bad field.
func (c RunConfig) validate() error {
	var errs []error
	field := func(name, value, msg string) {
		if msg != "" {
			if r := []rune(value); len(r) > 40 {
				value = string(r[:40]) + "…"
			}
			errs = append(errs, invalid("start run", "RunConfig.%s %q %s", name, value, msg))
		}
	}
	field("Experiment", c.Experiment, checkName(c.Experiment))
	if c.Name != "" {
		field("Name", c.Name, checkName(c.Name))
	}
	if c.Group != "" {
		field("Group", c.Group, checkName(c.Group))
	}
	if msg := checkLong(c.Note, MaxNoteLength); msg != "" {
		errs = append(errs, invalid("start run", "RunConfig.Note %s", msg))
	}
	for _, key := range sortedKeys(c.Tags) {
		if err := checkTag("start run", key, c.Tags[key]); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// StartRun adds a run with status "running" and opens it for logging. The uncommitted diff of a dirty work tree, if
// Environment holds one, becomes the artifact "environment/git.diff".
func (s *Store) StartRun(cfg RunConfig) (*Run, error) {
	if err := s.checkOpen("start run", true); err != nil {
		return nil, err
	}
	if len(cfg.Config) == 0 {
		cfg.Config = []byte("{}")
	}
	params, err := flattenConfig(cfg.Config)
	if err := errors.Join(cfg.validate(), err); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.LockTimeout)
	defer cancel()
	var parent int64
	if cfg.Parent != "" {
		info, err := s.Run(ctx, cfg.Parent)
		if err != nil {
			return nil, fmt.Errorf("RunConfig.Parent: %w", err)
		}
		parent = info.RowID
	}
	r, err := s.createRun(ctx, cfg, params, parent)
	if err != nil {
		return nil, explain("start run", s.paths.db, err)
	}
	if cfg.Environment != nil && len(cfg.Environment.GitDiff) > 0 {
		if _, err := r.AddArtifact(ArtifactSpec{Name: "environment/git.diff", Kind: "diff", MediaType: "text/x-diff",
			Data: cfg.Environment.GitDiff}); err != nil {
			return nil, errors.Join(err, r.FinishWith(StatusFailed, "the dirty diff could not be stored"))
		}
	}
	return r, nil
}

// createRun makes the journal first and the row second: whoever sees the row finds its journal locked.
func (s *Store) createRun(ctx context.Context, cfg RunConfig, params []Param, parent int64) (*Run, error) {
	uid, err := s.freshID(ctx)
	if err != nil {
		return nil, err
	}
	if cfg.Name == "" {
		cfg.Name = uid
	}
	paths := segmentPaths(s.paths.journal, uid)
	lock, err := lockJournal(ctx, paths[0], journalPatience)
	if err != nil {
		return nil, err
	}
	j, err := openJournal(paths, 0, 0, lock, s.hooks.openSegment)
	if err != nil {
		return nil, errors.Join(err, removeSegments(paths), lock.Close())
	}
	var row int64
	err = s.write(ctx, func(tx *writeTx) error {
		row, err = tx.insertRun(uid, cfg, params, parent)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, j.remove())
	}
	r := s.newRun(row, uid, cfg.Name, j)
	return r, s.register(r)
}

func (s *Store) newRun(row int64, uid, name string, j *journal) *Run {
	r := &Run{store: s, rowID: row, uid: uid, name: name, now: s.cfg.Now, capacity: s.cfg.MaxPending, journal: j,
		series: map[seriesName]*series{}}
	r.room = sync.NewCond(&r.mu)
	return r
}

// register makes the run known to the flusher.
func (s *Store) register(r *Run) error {
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.runs[r.uid] = r
	}
	s.mu.Unlock()
	if closed {
		r.abandon()
		return s.checkOpen("start run", true)
	}
	return nil
}

// freshID draws ids until one is free in the database.
func (s *Store) freshID(ctx context.Context) (string, error) {
	for {
		s.mu.Lock() // Rand need not be safe for concurrent use
		uid, err := newID(s.cfg.Rand)
		s.mu.Unlock()
		if err != nil {
			return "", err
		}
		var taken bool
		err = s.rdb.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM runs WHERE uid = ?)", uid).Scan(&taken)
		if err != nil || !taken {
			return uid, err
		}
	}
}

// insertRun adds the run and everything that RunConfig says about it.
func (tx *writeTx) insertRun(uid string, cfg RunConfig, params []Param, parent int64) (int64, error) {
	now := tx.s.cfg.Now().UnixMilli()
	experiment, group, err := tx.placeOf(cfg.Experiment, cfg.Group, now)
	if err != nil {
		return 0, err
	}
	config, err := tx.configID(cfg.Config, params)
	if err != nil {
		return 0, err
	}
	environment, err := tx.environmentID(cfg.Environment)
	if err != nil {
		return 0, err
	}
	run, err := tx.insert(`INSERT INTO runs (uid, experiment_id, group_id, parent_id, config_id, environment_id, name, status,
		seed, note, created_ms, started_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'running', ?8, ?9, ?10, ?10)`,
		uid, experiment, group, nullIf(parent, parent == 0), config, environment, cfg.Name,
		nullIf(cfg.Seed, cfg.NoSeed), cfg.Note, now)
	if err != nil {
		return 0, err
	}
	p := tx.s.self
	if _, err := tx.exec("INSERT INTO heartbeats (run_id, host, pid, process_start, beat_ms) VALUES (?, ?, ?, ?, ?)",
		run, p.host, p.pid, p.start, now); err != nil {
		return 0, err
	}
	if err := tx.insertParams(run, params); err != nil {
		return 0, err
	}
	for _, key := range sortedKeys(cfg.Tags) {
		if err := tx.setTag(run, key, cfg.Tags[key]); err != nil {
			return 0, err
		}
	}
	return run, tx.event(run, "started", "", "{}")
}

// placeOf returns the rows of an experiment and of a group within it (nil if group is ""), made if need be.
func (tx *writeTx) placeOf(experiment, group string, now int64) (experimentID int64, groupID any, err error) {
	experimentID, err = tx.getOrInsert("SELECT id FROM experiments WHERE name = ?", []any{experiment},
		"INSERT INTO experiments (name, created_ms) VALUES (?, ?)", experiment, now)
	if err != nil || group == "" {
		return experimentID, nil, err
	}
	groupID, err = tx.getOrInsert("SELECT id FROM run_groups WHERE experiment_id = ? AND name = ?", []any{experimentID, group},
		"INSERT INTO run_groups (experiment_id, name, created_ms) VALUES (?, ?, ?)", experimentID, group, now)
	return experimentID, groupID, err
}

func nullIf(v int64, null bool) any {
	if null {
		return nil
	}
	return v
}

// configID interns a config by its exact bytes.
func (tx *writeTx) configID(json []byte, params []Param) (int64, error) {
	sum := hexSum(json)
	return tx.getOrInsert("SELECT id FROM configs WHERE sha256 = ?", []any{sum},
		"INSERT INTO configs (sha256, arm_sha256, json) VALUES (?, ?, ?)", sum, armSum(params), string(json))
}

func (tx *writeTx) environmentID(e *Environment) (any, error) {
	if e == nil {
		return nil, nil
	}
	return tx.environmentOf(e.Values())
}

// environmentOf interns an environment by its values; none at all is nil.
func (tx *writeTx) environmentOf(values map[string]string) (any, error) {
	if len(values) == 0 {
		return nil, nil
	}
	keys := sortedKeys(values)
	h := sha256.New()
	for _, k := range keys {
		fmt.Fprintf(h, "%q=%q\n", k, values[k])
	}
	sum := hex.EncodeToString(h.Sum(nil))
	var id int64
	if err := tx.scan("SELECT id FROM environments WHERE sha256 = ?", []any{sum}, &id); err == nil {
		return id, nil
	}
	id, err := tx.insert("INSERT INTO environments (sha256, created_ms) VALUES (?, ?)", sum, tx.s.cfg.Now().UnixMilli())
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if _, err := tx.exec("INSERT INTO environment_values (environment_id, key, value) VALUES (?, ?, ?)",
			id, k, values[k]); err != nil {
			return nil, err
		}
	}
	return id, nil
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
