package lab

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Change is one leaf in which two experiments differ. Absent values are "".
type Change struct {
	Field    string
	From, To string
}

func (c Change) String() string {
	return fmt.Sprintf("%s: %s → %s", c.Field, shown(c.From), shown(c.To))
}

func shown(v string) string {
	if v == "" {
		return "(none)"
	}
	return v
}

// Diff lists every leaf in which b differs from a, by field, as "model.d".
func Diff(a, b Experiment) []Change {
	x, y := Flatten(a.JSON()), Flatten(b.JSON())
	var out []Change
	for field, v := range x {
		if y[field] != v {
			out = append(out, Change{field, v, y[field]})
		}
	}
	for field, v := range y {
		if _, ok := x[field]; !ok {
			out = append(out, Change{field, "", v})
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return strings.Compare(a.Field, b.Field) })
	return out
}

// Flatten returns the leaves of a JSON object by dotted path, as JSON text. An
// array is a leaf.
func Flatten(data []byte) map[string]string {
	out := map[string]string{}
	var walk func(prefix string, raw json.RawMessage)
	walk = func(prefix string, raw json.RawMessage) {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil || object == nil {
			out[prefix] = string(raw)
			return
		}
		for k, v := range object {
			walk(strings.TrimPrefix(prefix+"."+k, "."), v)
		}
	}
	walk("", data)
	return out
}

// fieldNames lists every JSON field of an Experiment, without path.
func fieldNames() []string {
	var out []string
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		if t.Kind() != reflect.Struct {
			return
		}
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "" && name != "-" {
				out = append(out, name)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[Experiment]())
	return out
}
