package tracker

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/gophersnake/gophersnake/tracker/query"
)

// checkNames looks up the names that the statement uses: it reports those that the database does not know, and tells
// the compiler what it needs to know of the others.
func (f *finder) checkNames(env *query.Env) error {
	env.Contexts, env.Params = map[string][]string{}, map[string]query.ParamTypes{}
	for _, n := range f.stmt.From {
		if err := f.checkExperiment(n); err != nil {
			return err
		}
	}
	for _, r := range f.stmt.Refs() {
		var err error
		switch r.Kind {
		case query.RefMetric:
			err = f.checkMetric(r, env)
		case query.RefParam:
			err = f.checkParam(r, env)
		case query.RefTag:
			err = f.checkTag(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mistake is an error at a place of the query; nil if the search is lenient.
func (f *finder) mistake(at query.Span, msg, hint string) error {
	if f.search.Lenient {
		return nil
	}
	return &query.Error{Text: f.stmt.Source, Pos: at.Pos, End: at.End, Msg: msg, Hint: hint}
}

func (f *finder) strings(text string, args ...any) ([]string, error) {
	var list []string
	err := f.each(query.SQL{Text: text, Args: args}, func(rows *sql.Rows) error {
		var v string
		err := rows.Scan(&v)
		list = append(list, v)
		return err
	})
	return list, err
}

func (f *finder) checkExperiment(n query.Name) error {
	names, err := f.strings("SELECT name FROM experiments WHERE name = ?", n.Value)
	if err != nil || len(names) > 0 || n.Value == "" {
		return err
	}
	if names, err = f.strings("SELECT name FROM experiments"); err != nil {
		return err
	}
	return f.mistake(n.Span, "there is no experiment '"+n.Value+"'", didYouMean(nearest(n.Value, names), ""))
}

// didYouMean builds a hint from near names.
func didYouMean(near []string, prefix string) string {
	if len(near) == 0 {
		return ""
	}
	for i, n := range near {
		if prefix != "" {
			near[i] = prefix + query.Key(n)
		}
	}
	return "did you mean " + strings.Join(near, ", ") + "?"
}

func (f *finder) checkMetric(r *query.Ref, env *query.Env) error {
	contexts, err := f.contexts(r.Key)
	if err != nil {
		return err
	}
	env.Contexts[r.Key] = contexts
	if len(contexts) == 0 {
		return f.unknown(r, "metric")
	}
	for _, c := range contexts {
		if c == r.Context {
			return nil
		}
	}
	var choices []string
	for _, c := range contexts {
		choices = append(choices, (&query.Ref{Kind: query.RefMetric, Key: r.Key, Context: c}).String())
	}
	where := "without a context"
	if r.Context != "" {
		where = "in context " + r.Context
	}
	return f.mistake(r.Span, "no run has metric "+r.Key+" "+where, "write "+strings.Join(choices, ", "))
}

// contexts in which a metric occurs.
func (f *finder) contexts(key string) ([]string, error) {
	return f.strings(`SELECT x.name FROM contexts x JOIN keys k ON k.name = ?
		WHERE EXISTS (SELECT 1 FROM series s WHERE s.key_id = k.id AND s.context_id = x.id) ORDER BY x.name`, key)
}

func (f *finder) checkParam(r *query.Ref, env *query.Env) error {
	// Numbers sort before texts, so the least and the greatest value tell which there are.
	types, err := f.strings(`SELECT coalesce(typeof((SELECT min(value) FROM params WHERE key_id = k.id)), 'null') || ' ' ||
		typeof((SELECT max(value) FROM params WHERE key_id = k.id)) FROM keys k
		WHERE k.name = ? AND EXISTS (SELECT 1 FROM params WHERE key_id = k.id)`, r.Key)
	if err != nil {
		return err
	}
	if len(types) == 0 {
		return f.unknown(r, "param")
	}
	if types[0] != "null null" { // null in every run: nothing is known
		least, greatest, _ := strings.Cut(types[0], " ")
		if !f.search.Lenient {
			env.Params[r.Key] = query.ParamTypes{Numbers: least != "text", Texts: greatest == "text"}
		}
	}
	return nil
}

func (f *finder) checkTag(r *query.Ref) error {
	found, err := f.strings("SELECT k.name FROM keys k WHERE k.name = ? AND EXISTS (SELECT 1 FROM tags WHERE key_id = k.id)", r.Key)
	if err != nil || len(found) > 0 {
		return err
	}
	return f.unknown(r, "tag")
}

// keysOf are the names in use as metrics, params or tags.
var keysOf = map[query.RefKind]string{
	query.RefMetric: "SELECT k.name FROM keys k WHERE EXISTS (SELECT 1 FROM series WHERE key_id = k.id)",
	query.RefParam:  "SELECT k.name FROM keys k WHERE EXISTS (SELECT 1 FROM params WHERE key_id = k.id)",
	query.RefTag:    "SELECT k.name FROM keys k WHERE EXISTS (SELECT 1 FROM tags WHERE key_id = k.id)",
}

// unknown is the error for a name that no run has: near names of its kind, or the same name of another kind.
func (f *finder) unknown(r *query.Ref, what string) error {
	if f.search.Lenient {
		return nil
	}
	names, err := f.strings(keysOf[r.Kind])
	if err != nil {
		return err
	}
	hint := didYouMean(nearest(r.Key, names), string(r.Kind)+".")
	if hint == "" {
		if hint, err = f.elsewhere(r.Key, 1); err != nil {
			return err
		}
	}
	return f.mistake(r.Span, "no run has the "+what+" "+r.Key, hint)
}

// elsewhere suggests metrics, params and tags whose name is near.
func (f *finder) elsewhere(name string, each int) (string, error) {
	var near []string
	for _, kind := range []query.RefKind{query.RefMetric, query.RefParam, query.RefTag} {
		names, err := f.strings(keysOf[kind])
		if err != nil {
			return "", err
		}
		found := nearest(name, names)
		for _, n := range found[:min(each, len(found))] {
			near = append(near, string(kind)+"."+query.Key(n))
		}
	}
	return didYouMean(near, ""), nil
}

// betterHint adds near names to the error for a bare name.
func (s *Store) betterHint(ctx context.Context, err error) error {
	var e *query.Error
	if !errors.As(err, &e) || e.Unknown == "" {
		return err
	}
	tx, failed := s.rdb.BeginTx(ctx, nil)
	if failed != nil {
		return err
	}
	defer tx.Rollback()
	f := &finder{store: s, tx: tx, ctx: ctx}
	if hint, failed := f.elsewhere(e.Unknown, 1); failed == nil && hint != "" {
		e.Hint = hint
	}
	return err
}
