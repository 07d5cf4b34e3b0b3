package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/gophersnake/gophersnake/internal/near"
)

// Set returns e with fields replaced by assignments of the form "model.d=32":
// the field's dotted path, as in JSON and as Diff shows it, and its value.
// Texts stand without quotes, lists as "64,128". Every assignment is looked at
// before an error is returned, and the result is validated.
func (e Experiment) Set(assignments ...string) (Experiment, error) {
	if len(assignments) == 0 {
		return e, nil
	}
	fields := FieldPaths()
	tree := map[string]any{}
	var errs []error
	for _, a := range assignments {
		path, text, ok := strings.Cut(a, "=")
		if !ok {
			errs = append(errs, fmt.Errorf("lab: %q assigns nothing, want FIELD=VALUE as in model.d=32", a))
			continue
		}
		t, ok := fieldType(path)
		if !ok {
			errs = append(errs, unknownPath(path, fields))
			continue
		}
		value, err := fieldValue(t, path, text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		plant(tree, strings.Split(path, "."), value)
	}
	if err := errors.Join(errs...); err != nil {
		return Experiment{}, err
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return Experiment{}, fmt.Errorf("lab: %w", err)
	}
	return e.Override(raw)
}

// plant puts a value at a path of nested objects.
func plant(tree map[string]any, path []string, value any) {
	for ; len(path) > 1; path = path[1:] {
		next, ok := tree[path[0]].(map[string]any)
		if !ok {
			next = map[string]any{}
			tree[path[0]] = next
		}
		tree = next
	}
	tree[path[0]] = value
}

// FieldPaths lists every field of an Experiment by dotted path, in the order
// of the type.
func FieldPaths() []string {
	var out []string
	walkFields(reflect.TypeFor[Experiment](), "", func(path string, _ reflect.Type) { out = append(out, path) })
	return out
}

func fieldTypes() map[string]reflect.Type {
	out := map[string]reflect.Type{}
	walkFields(reflect.TypeFor[Experiment](), "", func(path string, t reflect.Type) { out[path] = t })
	return out
}

// fieldType returns the type of the field at a path, or of the entry of a map.
func fieldType(path string) (reflect.Type, bool) {
	types := fieldTypes()
	if t, ok := types[path]; ok {
		return t, true
	}
	if i := strings.LastIndex(path, "."); i > 0 && i < len(path)-1 {
		if t, ok := types[path[:i]]; ok && t.Kind() == reflect.Map {
			return t.Elem(), true
		}
	}
	return nil, false
}

// walkFields calls f for every field that is no struct itself.
func walkFields(t reflect.Type, prefix string, f func(path string, t reflect.Type)) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "" || name == "-":
		case field.Type.Kind() == reflect.Struct:
			walkFields(field.Type, prefix+name+".", f)
		default:
			f(prefix+name, field.Type)
		}
	}
}

// fieldValue reads the text of a value as the field's type wants it.
func fieldValue(t reflect.Type, path, text string) (any, error) {
	switch t.Kind() {
	case reflect.String:
		return text, nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return texts(path, text)
		}
		text = "[" + strings.Trim(text, "[] ") + "]"
	}
	v := reflect.New(t)
	if err := json.Unmarshal([]byte(text), v.Interface()); err != nil || text == "null" {
		return nil, fmt.Errorf("lab: %s is %q, want %s", path, strings.Trim(text, "[]"), wanted(t))
	}
	if t.Kind() == reflect.Map { // in the form into which plant puts single entries
		var entries map[string]any
		err := json.Unmarshal([]byte(text), &entries)
		return entries, err
	}
	return v.Elem().Interface(), nil
}

// texts reads a list of texts: separated by commas, or, for a text with a comma,
// as JSON.
func texts(path, text string) ([]string, error) {
	if !strings.HasPrefix(text, `["`) {
		return strings.FieldsFunc(text, func(r rune) bool { return r == ',' }), nil
	}
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf(`lab: %s is %s, want a list as in a,b or ["a","b"]`, path, text)
	}
	return list, nil
}

// wanted says what a field of a type takes.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return "a list of names as in head,embedding"
		}
		return "a list of whole numbers as in 64,128"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a finite number"
	case reflect.Uint64:
		return "a whole number of 0 or more, below 2^64"
	case reflect.Int:
		return "a whole number"
	case reflect.Struct:
		return "an object"
	case reflect.Map:
		return `an object of numbers as in {"bias":-1.5}`
	}
	return "text"
}

// unknownPath says which field may have been meant: one whose path ends in the
// name, as "mixer.state" for "model.mixer.state", or a near one.
func unknownPath(path string, fields []string) error {
	var inside []string
	for _, f := range fields {
		if strings.HasSuffix(f, "."+path) {
			return fmt.Errorf("lab: experiment: unknown field %q; did you mean %q?", path, f)
		}
		if strings.HasPrefix(f, path+".") {
			inside = append(inside, f)
		}
	}
	if len(inside) > 0 {
		return fmt.Errorf("lab: experiment: %q is a group of fields, want one of %s", path, strings.Join(inside, ", "))
	}
	last := path[strings.LastIndex(path, ".")+1:]
	names := map[string]string{} // last part of a path → the first path that ends in it
	var lasts []string
	for _, f := range fields {
		name := f[strings.LastIndex(f, ".")+1:]
		if names[name] == "" {
			names[name], lasts = f, append(lasts, name)
		}
	}
	meant := names[last] // right name, wrong place
	if meant == "" {
		meant = near.Name(path, fields)
	}
	if meant == "" && len(last) > 3 {
		meant = names[near.Name(last, lasts)]
	}
	if meant != "" {
		return fmt.Errorf("lab: experiment: unknown field %q; did you mean %q?", path, meant)
	}
	return fmt.Errorf("lab: experiment: unknown field %q; `gophersnake run --print` shows every field", path)
}
