package tracker

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParamType is the type of a param's value in the config.
type ParamType string

// The types of params.
const (
	ParamString ParamType = "string"
	ParamInt    ParamType = "int"
	ParamFloat  ParamType = "float"
	ParamBool   ParamType = "bool"
	ParamNull   ParamType = "null"
	ParamJSON   ParamType = "json" // an array or an empty object, as compact JSON text
)

// Param is one field of a run's config.
type Param struct {
	Key  string
	Type ParamType
	// Text is the value for readers: 0.001, true, a string without quotes. Floats are in their shortest exact form.
	Text string
	// Number is the value of an int, float or bool (0 or 1), as close as float64 comes; 0 otherwise.
	Number float64
}

// stored is the value for the column params.value: SQLite compares integers and reals with each other by value.
func (p Param) stored() any {
	switch p.Type {
	case ParamInt:
		if v, err := strconv.ParseInt(p.Text, 10, 64); err == nil {
			return v
		}
		return p.Text // beyond int64, e.g. an unsigned 64-bit seed: kept exactly, as text
	case ParamFloat:
		return p.Number
	case ParamBool:
		return int64(p.Number)
	case ParamNull:
		return nil
	}
	return p.Text
}

// loadParam builds a Param from its row.
func loadParam(key, kind string, value any) Param {
	p := Param{Key: key, Type: ParamType(kind)}
	switch v := value.(type) {
	case int64:
		p.Text, p.Number = strconv.FormatInt(v, 10), float64(v)
		if p.Type == ParamBool {
			p.Text = strconv.FormatBool(v != 0)
		}
	case float64:
		p.Text, p.Number = strconv.FormatFloat(v, 'g', -1, 64), v
	case string:
		p.Text = v
		if p.Type == ParamInt {
			p.Number, _ = strconv.ParseFloat(v, 64)
		}
	case []byte:
		p.Text = string(v)
	case nil:
		p.Text = "null"
	}
	return p
}

// flattenConfig turns a JSON object into params, sorted by key.
func flattenConfig(config []byte) ([]Param, error) {
	var root any
	dec := json.NewDecoder(bytes.NewReader(config))
	dec.UseNumber()
	err := dec.Decode(&root)
	if err == nil {
		if _, err = dec.Token(); err == io.EOF {
			err = nil
		} else {
			err = errors.New("there is something after the object")
		}
	}
	object, ok := root.(map[string]any)
	if err == nil && !utf8.Valid(config) {
		err = errors.New("it is not valid UTF-8")
	}
	if err != nil || !ok {
		if err == nil {
			err = fmt.Errorf("it is %.40q", config)
		}
		return nil, &Error{Op: "start run", Msg: "RunConfig.Config must be one JSON object", Err: &cause{ErrInvalid, err}}
	}
	seen := map[string]Param{}
	if err := flattenInto(seen, "", object); err != nil {
		return nil, err
	}
	params := make([]Param, 0, len(seen))
	for _, p := range seen {
		params = append(params, p)
	}
	sort.Slice(params, func(i, j int) bool { return params[i].Key < params[j].Key })
	return params, nil
}

func flattenInto(seen map[string]Param, prefix string, object map[string]any) error {
	for name, value := range object {
		key := prefix + name
		if inner, ok := value.(map[string]any); ok && len(inner) > 0 {
			if err := flattenInto(seen, key+".", inner); err != nil {
				return err
			}
			continue
		}
		if msg := checkKey(key); msg != "" {
			return invalid("start run", "RunConfig.Config: field %q %s", key, msg)
		}
		if _, twice := seen[key]; twice {
			return invalid("start run", "RunConfig.Config: two fields have the dotted name %q; rename one of them", key)
		}
		p, err := newParam(key, value)
		if err != nil {
			return err
		}
		seen[key] = p
	}
	return nil
}

// newParam types a decoded JSON value.
func newParam(key string, value any) (Param, error) {
	p := Param{Key: key}
	switch v := value.(type) {
	case nil:
		p.Type, p.Text = ParamNull, "null"
	case bool:
		p.Type, p.Text = ParamBool, strconv.FormatBool(v)
		if v {
			p.Number = 1
		}
	case string:
		p.Type, p.Text = ParamString, v
	case json.Number:
		number, err := v.Float64()
		if err != nil {
			return p, invalid("start run", "RunConfig.Config: field %q is %s, which no float64 can hold", key, v)
		}
		p.Type, p.Text, p.Number = ParamInt, v.String(), number
		if strings.ContainsAny(p.Text, ".eE") {
			p.Type, p.Text = ParamFloat, strconv.FormatFloat(number, 'g', -1, 64)
		}
		if p.Text == "-0" {
			p.Text = "0"
		}
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return p, err
		}
		p.Type, p.Text = ParamJSON, string(text)
	}
	return p, nil
}

// armSum is the SHA-256 of the params without the seed: every param whose name is "seed" or ends in ".seed", in any
// case, is left out, so that runs which differ only in the seed share it.
func armSum(params []Param) string {
	h := sha256.New()
	for _, p := range params {
		lower := strings.ToLower(p.Key)
		if lower == "seed" || strings.HasSuffix(lower, ".seed") {
			continue
		}
		fmt.Fprintf(h, "%q %s %q\n", p.Key, p.Type, p.Text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (tx *writeTx) insertParams(run int64, params []Param) error {
	for _, p := range params {
		key, err := tx.keyID(p.Key)
		if err != nil {
			return err
		}
		if _, err := tx.exec("INSERT INTO params (run_id, key_id, type, value) VALUES (?, ?, ?, ?)",
			run, key, string(p.Type), p.stored()); err != nil {
			return fmt.Errorf("param %q: %w", p.Key, err)
		}
	}
	return nil
}
