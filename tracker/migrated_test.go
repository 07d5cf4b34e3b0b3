package tracker

import (
	"os"
	"strings"
	"testing"
)

// TestMigrated: a migration is told once, with the copy that was made before; a new database has none.
func TestMigrated(t *testing.T) {
	path := testPath(t)
	old, err := os.ReadFile("testdata/v1.db")
	must(t, err)
	must(t, os.WriteFile(path, old, 0o644))
	s := openAt(t, path)
	m := s.Migrated()
	if m.From != 1 || m.To != SchemaVersion() || !strings.Contains(m.String(), "from schema version 1 to ") {
		t.Errorf("%+v: %s", m, m)
	}
	if _, err := os.Stat(m.Backup); err != nil || !strings.Contains(m.String(), m.Backup) {
		t.Errorf("backup %q: %v", m.Backup, err)
	}
	must(t, s.Close())
	for what, s := range map[string]*Store{"opened again": openAt(t, path), "new": openTest(t)} {
		if m := s.Migrated(); m != (Migration{}) || m.String() != "" {
			t.Errorf("%s: %+v", what, m)
		}
	}
}
