package tracker

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Limits of names and texts, in bytes. For ASCII they are at least MLflow's (key 250, param 6,000, tag 8,000 characters).
const (
	// MaxKeyLength bounds the name of a metric, param or tag, in bytes.
	MaxKeyLength = 250
	// MaxContextLength bounds a context label, in bytes.
	MaxContextLength = 250
	// MaxNameLength bounds the name of a run, group, experiment or artifact, in bytes.
	MaxNameLength = 500
	// MaxTagLength bounds the value of a tag, in bytes.
	MaxTagLength = 16_000
	// MaxNoteLength bounds a note, in bytes.
	MaxNoteLength = 1 << 20
	// MaxObjectBytes bounds the data of one Object; more belongs into an artifact.
	MaxObjectBytes = 1 << 20
)

// checkText returns what is wrong with a name, "" if nothing is.
func checkText(s string, limit int) string {
	switch {
	case len(s) > limit:
		return fmt.Sprintf("has %d bytes, allowed are %d", len(s), limit)
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return fmt.Sprintf("holds the control character %U", r)
		}
	}
	return ""
}

func checkKey(key string) string {
	if key == "" {
		return "is empty"
	}
	return checkText(key, MaxKeyLength)
}

func checkContext(context string) string { return checkText(context, MaxContextLength) }

func checkName(name string) string {
	if strings.TrimSpace(name) == "" {
		return "is empty"
	}
	return checkText(name, MaxNameLength)
}

// checkLong checks a value that may have several lines.
func checkLong(s string, limit int) string {
	if len(s) > limit {
		return fmt.Sprintf("has %d bytes, allowed are %d", len(s), limit)
	}
	if !utf8.ValidString(s) {
		return "is not valid UTF-8"
	}
	return ""
}

// Run ids: 10 characters of Crockford's base 32 in lower case (no i, l, o, u), the first one a letter so that an id is
// never taken for a number. 22·32⁹ ≈ 7.7e14 ids: among a million runs the chance of one clash is 6e-4, and StartRun
// then draws again.
const (
	idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	idLength   = 10
)

func newID(random io.Reader) (string, error) {
	var b [idLength]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("drawing a run id: %w", err)
	}
	id := make([]byte, idLength)
	for i, v := range b {
		id[i] = idAlphabet[int(v)%32]
	}
	id[0] = idAlphabet[10+int(b[0])%22]
	return string(id), nil
}

func validID(id string) bool {
	if len(id) != idLength || id[0] < 'a' {
		return false
	}
	for i := range len(id) {
		if strings.IndexByte(idAlphabet, id[i]) < 0 {
			return false
		}
	}
	return true
}

// nearest returns up to three of the names that are within edit distance len/3+1 of want, or contain it; nearest
// first, then alphabetically.
func nearest(want string, names []string) []string {
	type scored struct {
		name string
		d    int
	}
	limit := len(want)/3 + 1
	var near []scored
	lower := strings.ToLower(want)
	for _, name := range names {
		d := editDistance(lower, strings.ToLower(name))
		if d > limit && len(lower) >= 3 && strings.Contains(strings.ToLower(name), lower) {
			d = limit
		}
		if d <= limit {
			near = append(near, scored{name, d})
		}
	}
	sort.Slice(near, func(i, j int) bool {
		if near[i].d != near[j].d {
			return near[i].d < near[j].d
		}
		return near[i].name < near[j].name
	})
	var out []string
	for _, n := range near[:min(3, len(near))] {
		out = append(out, n.name)
	}
	return out
}

// editDistance counts the insertions, deletions, substitutions and swaps of neighbours that turn a into b (optimal
// string alignment distance, on bytes).
func editDistance(a, b string) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}

// nameCache remembers the ids of keys and contexts, which are never changed or deleted while in use.
type nameCache struct {
	mu  sync.Mutex
	ids map[string]int64 // "k" + key or "c" + context
}

func (c *nameCache) get(name string) (int64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, ok := c.ids[name]
	return id, ok
}

func (c *nameCache) put(ids map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ids == nil {
		c.ids = map[string]int64{}
	}
	for name, id := range ids {
		c.ids[name] = id
	}
}
