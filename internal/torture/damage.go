package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// harm cuts or garbles a file in a random way and says what it did; "" if there was nothing to harm.
func harm(rng *rand.Rand, path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil || len(data) == 0 {
		return "", err
	}
	at := rng.IntN(len(data))
	end := min(len(data), at+1+rng.IntN(200))
	what := ""
	switch rng.IntN(6) {
	case 0, 1:
		what, data = "cut", data[:at]
	case 2:
		what = "flipped a bit"
		data[at] ^= 1 << rng.IntN(8)
	case 3:
		what = "zeroed"
		clear(data[at:end])
	case 4:
		what = "overwrote"
		for i := at; i < end; i++ {
			data[i] = byte(rng.Uint32())
		}
	case 5:
		what, data = "emptied", nil
	}
	return what + " " + filepath.Base(path), os.WriteFile(path, data, 0o644)
}

// journals lists the journal files of a database, in order.
func journals(db string) ([]string, error) {
	entries, err := os.ReadDir(db + ".journal")
	var list []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".0") || strings.HasSuffix(e.Name(), ".1") {
			list = append(list, filepath.Join(db+".journal", e.Name()))
		}
	}
	sort.Strings(list)
	return list, err
}

// runOf is the run that a journal file belongs to.
func runOf(journal string) string {
	id, _, _ := strings.Cut(filepath.Base(journal), ".")
	return id
}
