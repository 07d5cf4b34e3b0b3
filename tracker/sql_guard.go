package tracker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-sqlite3"
)

// guard refuses what a reader has no business with, and remembers what it refused.
type guard struct{ refused string }

// Codes of sqlite3_set_authorizer and sqlite3_limit that the driver has no names for.
const (
	authRecursive  = 33 // SQLITE_RECURSIVE
	limitLength    = 0  // SQLITE_LIMIT_LENGTH
	authFunction   = 31 // SQLITE_FUNCTION
	authDenied     = 1  // SQLITE_DENY
	authPermission = 0  // SQLITE_OK
)

// protect sets limits and the authorizer on a connection; release takes them off.
func (g *guard) protect(c *sqlite3.SQLiteConn) (release func()) {
	length := c.SetLimit(limitLength, maxSQLValue)
	c.RegisterAuthorizer(g.authorize)
	return func() {
		c.RegisterAuthorizer(nil)
		c.SetLimit(limitLength, length)
	}
}

// readPragmas are the settings and facts that may be asked for.
var readPragmas = []string{"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
	"database_list", "function_list", "collation_list", "compile_options", "user_version", "application_id", "schema_version",
	"page_count", "page_size", "freelist_count", "encoding", "journal_mode", "synchronous", "query_only", "data_version",
	"integrity_check", "quick_check", "foreign_key_check"}

// pragmasOfTables take the name of a table or a count; any other argument would change a setting.
var pragmasOfTables = []string{"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
	"integrity_check", "quick_check", "foreign_key_check"}

// deniedFunctions load code or reach into SQLite.
var deniedFunctions = []string{"load_extension", "fts3_tokenizer", "edit", "readfile", "writefile", "sqlite_crypt"}

// authorize is called for every access while a statement is prepared.
func (g *guard) authorize(op int, a, b, _ string) int {
	switch op {
	case sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, authRecursive:
		return authPermission
	case authFunction:
		if !slices.Contains(deniedFunctions, strings.ToLower(b)) {
			return authPermission
		}
		return g.refuse("the function " + b)
	case sqlite3.SQLITE_PRAGMA:
		name := strings.ToLower(a)
		if slices.Contains(readPragmas, name) && (b == "" || slices.Contains(pragmasOfTables, name)) {
			return authPermission
		}
		if b != "" {
			return g.refuse("PRAGMA " + a + " = " + b)
		}
		return g.refuse("PRAGMA " + a)
	}
	if name, ok := operations[op]; ok {
		return g.refuse(strings.TrimSpace(name + " " + a))
	}
	return g.refuse(fmt.Sprintf("the operation %d of SQLite", op))
}

func (g *guard) refuse(what string) int {
	if g.refused == "" {
		g.refused = what
	}
	return authDenied
}

// operations name what is refused.
var operations = map[int]string{
	sqlite3.SQLITE_INSERT: "INSERT into", sqlite3.SQLITE_UPDATE: "UPDATE of", sqlite3.SQLITE_DELETE: "DELETE from",
	sqlite3.SQLITE_ATTACH: "ATTACH of", sqlite3.SQLITE_DETACH: "DETACH of", sqlite3.SQLITE_TRANSACTION: "the transaction",
	sqlite3.SQLITE_SAVEPOINT: "the savepoint", sqlite3.SQLITE_ALTER_TABLE: "ALTER TABLE", sqlite3.SQLITE_REINDEX: "REINDEX",
	sqlite3.SQLITE_ANALYZE: "ANALYZE", sqlite3.SQLITE_CREATE_TABLE: "CREATE TABLE", sqlite3.SQLITE_CREATE_INDEX: "CREATE INDEX",
	sqlite3.SQLITE_CREATE_VIEW: "CREATE VIEW", sqlite3.SQLITE_CREATE_TRIGGER: "CREATE TRIGGER",
	sqlite3.SQLITE_CREATE_TEMP_TABLE: "CREATE TEMP TABLE", sqlite3.SQLITE_CREATE_TEMP_INDEX: "CREATE TEMP INDEX",
	sqlite3.SQLITE_CREATE_TEMP_VIEW: "CREATE TEMP VIEW", sqlite3.SQLITE_CREATE_TEMP_TRIGGER: "CREATE TEMP TRIGGER",
	sqlite3.SQLITE_CREATE_VTABLE: "CREATE VIRTUAL TABLE", sqlite3.SQLITE_DROP_TABLE: "DROP TABLE",
	sqlite3.SQLITE_DROP_INDEX: "DROP INDEX", sqlite3.SQLITE_DROP_VIEW: "DROP VIEW", sqlite3.SQLITE_DROP_TRIGGER: "DROP TRIGGER",
}

// oneStatement returns the statement without what follows its semicolon, and the place of a second statement, -1 if
// there is none. Texts, quoted names and comments are passed over.
func oneStatement(query string) (first string, second int) {
	first = query
	ended := false
	for i := 0; i < len(query); {
		rest := query[i:]
		n := 1
		switch c := query[i]; {
		case strings.HasPrefix(rest, "--"):
			n = until(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			n = until(rest, "*/")
		case strings.IndexByte(" \t\r\n\f", c) >= 0:
		case c == ';':
			if !ended {
				first, ended = query[:i], true
			}
		case ended:
			return first, i
		case c == '\'' || c == '"' || c == '`':
			n = 1 + until(rest[1:], string(c))
		case c == '[':
			n = until(rest, "]")
		}
		i += n
	}
	return first, -1
}

// until is the length of s up to and with the mark, of all of s if there is none.
func until(s, mark string) int {
	if i := strings.Index(s, mark); i >= 0 {
		return i + len(mark)
	}
	return len(s)
}

// pointAt shows the line of a text that holds byte pos, and carets below the next n characters.
func pointAt(text string, pos, n int) string {
	start := strings.LastIndexByte(text[:pos], '\n') + 1
	line := text[start : start+until(text[start:], "\n")]
	number := strings.Count(text[:start], "\n") + 1
	column := utf8.RuneCountInString(text[start:pos])
	return fmt.Sprintf("line %d, column %d:\n  %s\n  %s%s", number, column+1, strings.TrimRight(line, "\n"),
		strings.Repeat(" ", column), strings.Repeat("^", n))
}

// What SQLite says about names that it does not find, and where it stumbles.
var (
	sqlNear    = regexp.MustCompile(`^near "(.+)": `)
	sqlMissing = regexp.MustCompile(`^no such (table|column|function): (?:.*\.)?(.+)$`)
)

// explainSQL turns an error of SQLite into one that says what was refused, where the mistake is, and what may be meant.
func (s *Store) explainSQL(ctx context.Context, query string, g *guard, err error) error {
	if g.refused != "" || errors.Is(err, errWrites) {
		what := g.refused
		if what == "" {
			what = "a statement that writes"
		}
		return &Error{Op: "sql", Msg: what + " is refused", Err: ErrReadOnly, Hint: "SQL only reads; change runs through gophersnake"}
	}
	var se sqlite3.Error
	if !errors.As(err, &se) {
		return &Error{Op: "sql", Err: &cause{ErrInvalid, err}} // such as too few arguments
	}
	if se.Code == sqlite3.ErrReadonly {
		return &Error{Op: "sql", Msg: "a statement that writes is refused", Err: ErrReadOnly, Hint: "SQL only reads; change runs through gophersnake"}
	}
	if se.Code != sqlite3.ErrError {
		return explain("sql", s.paths.db, err)
	}
	e := &Error{Op: "sql", Msg: se.Error(), Err: ErrInvalid}
	word := ""
	if m := sqlNear.FindStringSubmatch(se.Error()); m != nil {
		word = m[1]
	}
	if m := sqlMissing.FindStringSubmatch(se.Error()); m != nil {
		word = m[2]
		e.Hint = s.suggestSQL(ctx, m[1], m[2])
	}
	if at := onlyPlace(query, word); at >= 0 {
		e.Msg += "\n" + pointAt(query, at, utf8.RuneCountInString(word))
	}
	return e
}

// onlyPlace is where a word stands in the query, -1 if it stands nowhere or in several places: SQLite does not tell
// which one it means.
func onlyPlace(query, word string) int {
	if word == "" {
		return -1
	}
	found := regexp.MustCompile(`(^|[^\pL\pN_])(`+regexp.QuoteMeta(word)+`)($|[^\pL\pN_])`).FindAllStringSubmatchIndex(query, 2)
	if len(found) != 1 {
		return -1
	}
	return found[0][4]
}

// suggestSQL looks for names near one that does not exist; views come before tables.
func (s *Store) suggestSQL(ctx context.Context, kind, name string) string {
	const of = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND type = "
	questions := map[string][]string{
		"table":    {of + "'view'", of + "'table'"},
		"column":   {"SELECT DISTINCT c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'view'"},
		"function": {"SELECT DISTINCT name FROM pragma_function_list"},
	}
	for _, question := range questions[kind] {
		names, err := s.strings(ctx, question)
		if err != nil {
			return ""
		}
		near := nearest(name, names)
		if kind == "table" && len(near) == 0 {
			near = nearest("v_"+name, names)
		}
		if len(near) > 0 {
			return "did you mean " + strings.Join(near, ", ") + "?"
		}
	}
	if kind == "table" {
		return "the views are v_runs, v_metrics, v_latest, v_params, v_tags, v_artifacts; SCHEMA.md describes them"
	}
	return ""
}
