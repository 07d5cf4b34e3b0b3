package logbook

import (
	"fmt"
	"slices"
	"strings"
)

// Difference is a value of the environment that two runs do not share. An
// absent value is "".
type Difference struct {
	Key     string
	Was, Is string
}

// String is "go.version: go1.26.0 → go1.26.1".
func (d Difference) String() string {
	return fmt.Sprintf("%s: %s → %s", d.Key, shown(d.Was), shown(d.Is))
}

// shown keeps a value to one line of bearable length.
func shown(v string) string {
	if v == "" {
		return "(none)"
	}
	v = strings.ReplaceAll(v, "\n", " ")
	if r := []rune(v); len(r) > 60 {
		v = string(r[:59]) + "…"
	}
	return v
}

// Differences lists what differs between two environments, as
// tracker.Store.Environment and tracker.Environment.Values give them, by key.
// How and from where the program was called, the host's name and the names of
// untracked files are left out.
func Differences(was, is map[string]string) []Difference {
	var out []Difference
	add := func(key string) {
		switch {
		case strings.HasPrefix(key, "command."), key == "host", key == "git.untracked", key == "git.branch":
		case was[key] != is[key]:
			out = append(out, Difference{key, was[key], is[key]})
		}
	}
	for key := range was {
		add(key)
	}
	for key := range is {
		if _, ok := was[key]; !ok {
			add(key)
		}
	}
	slices.SortFunc(out, func(a, b Difference) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// changesNumbers reports whether another value under key can change what a run
// computes. The number of cores cannot: no reduction depends on it.
func changesNumbers(key string) bool {
	switch key {
	case "go.version", "arch", "cpu.model", "extra.kernels", "git.commit", "git.diff_sha256":
		return true
	}
	return strings.HasPrefix(key, "module.")
}
