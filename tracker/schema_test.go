package tracker

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
	"testing/fstest"
)

// TestSchemaDocument compares SCHEMA.md with the schema, both ways.
func TestSchemaDocument(t *testing.T) {
	s := openTest(t)
	page, err := os.ReadFile("SCHEMA.md")
	must(t, err)
	documented := documentedColumns(string(page))
	actual := actualColumns(t, s.rdb)
	for name, columns := range actual {
		if got, want := strings.Join(documented[name], "\n"), strings.Join(columns, "\n"); got != want && name != "goose_db_version" {
			t.Errorf("%s: SCHEMA.md says\n%s\nthe schema has\n%s", name, got, want)
		}
	}
	for name := range documented {
		if actual[name] == nil {
			t.Errorf("SCHEMA.md describes %s, which the schema does not have", name)
		}
	}
	if len(actual) < 20 {
		t.Errorf("only %d tables and views were compared", len(actual))
	}
	for _, want := range []string{fmt.Sprint(ApplicationID), fmt.Sprintf("schema version: %d.", SchemaVersion())} {
		if !strings.Contains(string(page), want) {
			t.Errorf("SCHEMA.md does not say %q", want)
		}
	}
}

// documentedColumns reads "### name" sections with rows "| `column` | TYPE | …" (tables) or "| `column` | …" (views).
func documentedColumns(page string) map[string][]string {
	documented := map[string][]string{}
	row := regexp.MustCompile("^\\| `(\\w+)` \\| (\\w+)?")
	name, tables := "", false
	for _, line := range strings.Split(page, "\n") {
		if strings.HasPrefix(line, "## ") {
			tables = line == "## Tables"
		}
		if title, ok := strings.CutPrefix(line, "### "); ok {
			name = title
			documented[name] = []string{}
		}
		if m := row.FindStringSubmatch(line); m != nil {
			column := m[1]
			if tables {
				column += " " + m[2]
			}
			documented[name] = append(documented[name], column)
		}
	}
	return documented
}

func actualColumns(t *testing.T, db *sql.DB) map[string][]string {
	rows, err := db.Query(`SELECT m.name, m.type, c.name, c.type FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`)
	must(t, err)
	defer rows.Close()
	actual := map[string][]string{}
	for rows.Next() {
		var object, kind, column, columnType string
		must(t, rows.Scan(&object, &kind, &column, &columnType))
		if kind == "table" {
			column += " " + columnType
		}
		actual[object] = append(actual[object], column)
	}
	must(t, rows.Err())
	return actual
}

// TestSchemaIsOld: nothing in the schema may be newer than SQLite 3.38, since outside readers parse all of it.
func TestSchemaIsOld(t *testing.T) {
	s := openTest(t)
	old := map[string]bool{"strftime": true, "coalesce": true}
	call := regexp.MustCompile(`\b([a-z_]+)\(`)
	rows, err := s.rdb.Query("SELECT name, sql FROM sqlite_schema WHERE type = 'view'")
	must(t, err)
	defer rows.Close()
	checked := 0
	for rows.Next() {
		var name, text string
		must(t, rows.Scan(&name, &text))
		for _, m := range call.FindAllStringSubmatch(text, -1) {
			if checked++; !old[m[1]] {
				t.Errorf("%s calls %s: check that SQLite 3.38 has it, then add it to the list", name, m[1])
			}
		}
		for _, word := range []string{"->>", "RIGHT JOIN", "FULL JOIN", "IS DISTINCT", "GENERATED"} {
			if strings.Contains(strings.ToUpper(text), word) {
				t.Errorf("%s uses %s, which came after 3.38 or needs care", name, word)
			}
		}
	}
	if checked == 0 {
		t.Error("no call was checked")
	}
}

// TestTablesAreStrict: a value of the wrong type is an error, not a surprise a year later.
func TestTablesAreStrict(t *testing.T) {
	s := openTest(t)
	loose, err := s.strings(ctx, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'")
	must(t, err)
	if len(loose) != 1 || loose[0] != "goose_db_version" {
		t.Errorf("tables that are not STRICT: %q", loose)
	}
	broken, err := s.strings(ctx, "SELECT * FROM pragma_integrity_check UNION SELECT 'foreign key' FROM pragma_foreign_key_check")
	must(t, err)
	if len(broken) != 1 || broken[0] != "ok" {
		t.Errorf("integrity: %q", broken)
	}
}

func TestPragmas(t *testing.T) {
	s := openTest(t)
	for pragma, want := range map[string]int{"synchronous": 2, "foreign_keys": 1, "application_id": ApplicationID, "busy_timeout": 60000} {
		var got int
		must(t, s.wconn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got))
		if got != want {
			t.Errorf("PRAGMA %s is %d, want %d", pragma, got, want)
		}
	}
	if _, err := s.rdb.Exec("DELETE FROM keys"); err == nil {
		t.Error("a reading connection could write")
	}
}

// TestOutsideReader runs the distribution's sqlite3 on a live database, if there is one.
func TestOutsideReader(t *testing.T) {
	cli, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("no sqlite3 command here; TestSchemaIsOld checks the functions")
	}
	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "outside", Config: []byte(`{"lr":0.1}`)})
	must(t, r.LogSync("loss", 7, 0.25))
	_, err = r.LogArtifactBytes("a.txt", []byte("x"))
	must(t, err)
	must(t, r.SetTag("k", "v"))
	for view, want := range map[string]string{
		"SELECT name, status, config FROM v_runs":                       `outside|running|{"lr":0.1}`,
		"SELECT key, step, value FROM v_metrics":                        "loss|7|0.25",
		"SELECT key, last_value, min_step, mean_value FROM v_latest":    "loss|0.25|7|0.25",
		"SELECT key, type, value FROM v_params":                         "lr|float|0.1",
		"SELECT key, value FROM v_tags":                                 "k|v",
		"SELECT name, version, size FROM v_artifacts":                   "a.txt|1|1",
		"SELECT elapsed_s >= 0, heartbeat_at LIKE '20%Z' FROM v_runs":   "1|1",
		"SELECT ts_ms > 1e12, time LIKE '20__-__-__T%Z' FROM v_metrics": "1|1",
	} {
		out, err := exec.Command(cli, "file:"+s.Path()+"?mode=ro", view).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", view, got, err, want)
		}
	}
}

// TestFixtures opens a database of every past version: it migrates, and its content is still there.
func TestFixtures(t *testing.T) {
	newest := fmt.Sprintf("testdata/v%d.db", SchemaVersion())
	if *update {
		writeFixture(t, newest)
	}
	fixtures, err := filepath.Glob("testdata/v*.db")
	must(t, err)
	sort.Strings(fixtures)
	if len(fixtures) != SchemaVersion() {
		t.Fatalf("there are %d fixtures, want one for each of %d versions; go test -run Fixtures -update makes the newest",
			len(fixtures), SchemaVersion())
	}
	golden, err := os.ReadFile("testdata/fixture.golden")
	must(t, err)
	for _, fixture := range fixtures {
		path := testPath(t)
		copyFile(t, fixture, path)
		s := openAt(t, path)
		if got := fixtureText(t, s); got != string(golden) {
			t.Errorf("%s: got\n%s\nwant\n%s", fixture, got, golden)
		}
	}
}

// writeFixture makes the newest version's database with a fixed clock and fixed ids, without journal or artifacts.
func writeFixture(t *testing.T, target string) {
	path := testPath(t)
	clock := newFakeClock()
	s, err := OpenConfig(Config{Path: path, Now: clock.now, Rand: seeded(1)})
	must(t, err)
	fillFixture(t, s, clock)
	must(t, os.WriteFile("testdata/fixture.golden", []byte(fixtureText(t, s)), 0o644))
	must(t, s.Close())
	_, err = os.Stat(path + "-wal")
	if err == nil {
		t.Fatal("the fixture has a WAL left")
	}
	copyFile(t, path, target)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, data, 0o644))
}

// TestMigration: an older database is copied, then migrated; its data stay.
func TestMigration(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	r := startRun(t, s, RunConfig{Name: "old"})
	must(t, r.Log("loss", 1, 0.5))
	must(t, r.Finish(StatusFinished))
	must(t, s.Close())

	h := defaultHooks()
	h.migrations = withNext(t, "CREATE TABLE addition (x INTEGER) STRICT; PRAGMA user_version = %d;")
	s2, err := openWith(Config{Path: path}, h)
	must(t, err)
	defer s2.Close()
	if got := values(history(t, s2, "old", "loss", "")); len(got) != 1 || got[0] != 0.5 {
		t.Errorf("after the migration loss is %v", got)
	}
	if _, err := s2.rdb.Exec("SELECT x FROM addition"); err != nil {
		t.Error(err)
	}
	backups := backupsOf(t, path)
	if len(backups) != 1 {
		t.Fatalf("backups: %q, want one", backups)
	}
	old := openAt(t, backups[0])
	if got := values(history(t, old, "old", "loss", "")); len(got) != 1 {
		t.Errorf("the backup holds %v", got)
	}
	// The program that knows the older version only must refuse the migrated file, and say why.
	_, err = Open(path)
	wantError(t, err, ErrNewerSchema, path, version(1), fmt.Sprintf("up to %d", SchemaVersion()), "update gophersnake")
	_, err = Open(path, WithReadOnly())
	wantError(t, err, ErrNewerSchema, version(1))
}

// TestMigrationUnderAWriter: nobody migrates while a run is being logged to, and a program whose database was migrated
// all the same stops writing; what it logged is not lost.
func TestMigrationUnderAWriter(t *testing.T) {
	path := testPath(t)
	s := openQuiet(t, path)
	r := startRun(t, s, RunConfig{Name: "live"})
	must(t, r.Log("x", 1, 1))
	h := defaultHooks()
	h.migrations = withNext(t, "CREATE TABLE addition (x INTEGER) STRICT; PRAGMA user_version = %d;")
	_, err := openWith(Config{Path: path}, h)
	wantError(t, err, ErrRunActive, r.ID(), "schema "+version(0))
	if backups, _ := filepath.Glob(path + ".backup*"); len(backups) != 0 {
		t.Errorf("backups %q", backups)
	}
	if _, err := s.wconn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", SchemaVersion()+1)); err != nil {
		t.Fatal(err)
	}
	wantError(t, r.Flush(), ErrNewerSchema, version(1), fmt.Sprintf("writes %d", SchemaVersion()))
	wantError(t, r.Log("x", 2, 1), ErrNewerSchema, "not accepted")
	wantError(t, s.Close(), ErrNewerSchema)
	h.migrations = withNext(t, "PRAGMA user_version = %d;")
	s, err = openWith(Config{Path: path}, h)
	must(t, err)
	defer s.Close()
	if got := history(t, s, "live", "x", ""); len(got) != 1 {
		t.Errorf("history %v", got)
	}
}

// TestMigrationFails: a migration that fails leaves the old database, and names the backup.
func TestMigrationFails(t *testing.T) {
	path := testPath(t)
	must(t, openAt(t, path).Close())
	h := defaultHooks()
	h.migrations = withNext(t, "CREATE TABLE addition (x INTEGER) STRICT; CREATE TABLE runs (x);")
	_, err := openWith(Config{Path: path}, h)
	if err == nil || !strings.Contains(err.Error(), "from schema "+version(0)) || !strings.Contains(err.Error(), ".backup-v") {
		t.Fatalf("got %v", err)
	}
	openAt(t, path) // still the older version
	// A read-only store cannot migrate.
	h.migrations = withNext(t, "PRAGMA user_version = %d;")
	_, err = openWith(Config{Path: path, ReadOnly: true}, h)
	wantError(t, err, ErrOlderSchema, version(0), "open it once for writing")
}

// withNext adds a migration after the newest; %d in text is its number.
func withNext(t *testing.T, text string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	entries, err := fs.ReadDir(embeddedMigrations(), ".")
	must(t, err)
	for _, e := range entries {
		data, err := fs.ReadFile(embeddedMigrations(), e.Name())
		must(t, err)
		files[e.Name()] = &fstest.MapFile{Data: data}
	}
	next := SchemaVersion() + 1
	text = strings.ReplaceAll(strings.ReplaceAll(text, "; ", ";\n"), "%d", fmt.Sprint(next))
	files[fmt.Sprintf("%05d_test.sql", next)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + text)}
	return files
}

// version names the newest schema version plus n in an error.
func version(n int) string { return fmt.Sprintf("version %d", SchemaVersion()+n) }

func backupsOf(t *testing.T, path string) []string {
	t.Helper()
	backups, err := filepath.Glob(fmt.Sprintf("%s.backup-v%d-*", path, SchemaVersion()))
	must(t, err)
	return backups
}

func TestForeignFiles(t *testing.T) {
	path := testPath(t)
	db := openPool(dsn(path, "mode=rwc"), 1)
	_, err := db.Exec("CREATE TABLE mine (x)")
	must(t, err)
	must(t, db.Close())
	before, err := os.ReadFile(path)
	must(t, err)
	_, err = Open(path)
	wantError(t, err, ErrNotTracker, path, "another program")
	after, err := os.ReadFile(path)
	must(t, err)
	if string(before) != string(after) {
		t.Error("another program's file was changed")
	}

	text := testPath(t)
	must(t, os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o644))
	_, err = Open(text)
	wantError(t, err, ErrNotTracker, text)

	_, err = Open(t.TempDir())
	wantError(t, err, ErrInvalid, "no regular file")
	_, err = Open(filepath.Join(t.TempDir(), "no", "such", "x.db"))
	wantError(t, err, fs.ErrNotExist, "no/such does not exist")
	_, err = Open("")
	wantError(t, err, ErrInvalid, "Path")
}

// TestFirstOpenFailed: what a first open leaves whose migration failed, as on a full disk, is no other program's file.
func TestFirstOpenFailed(t *testing.T) {
	path := testPath(t)
	h := defaultHooks()
	h.migrations = fstest.MapFS{"00001_initial.sql": {Data: []byte("-- +goose Up\nCREATE TABLE runs (x);\nCREATE TABLE runs (x);\n")}}
	if _, err := openWith(Config{Path: path}, h); err == nil {
		t.Fatal("a migration that fails is no error")
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Fatalf("the failed open left nothing to look at: %v", err)
	}
	must(t, startRun(t, openAt(t, path), RunConfig{}).LogSync("x", 1, 1))
}

func TestOddPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=memory&c#d%41.db")
	s := openAt(t, path)
	must(t, startRun(t, s, RunConfig{}).LogSync("x", 1, 1))
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestSymlinkSharesTheStore(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	r := startRun(t, s, RunConfig{})
	link := filepath.Join(t.TempDir(), "link.db")
	must(t, os.Symlink(path, link))
	other := openAt(t, link)
	if other.Path() != s.Path() {
		t.Errorf("paths %s and %s", other.Path(), s.Path())
	}
	if got := statusOf(t, other, r.ID()); got != StatusRunning {
		t.Errorf("through the link the run is %s", got)
	}
}
