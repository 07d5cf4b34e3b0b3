package task

import (
	"cmp"
	"crypto/sha256"
	"slices"
)

// source is a file that was read, before it has a split.
type source struct {
	file File
	data []byte
}

// When two files belong together. The lower a limit, the more files one family swallows; the evaluation windows of text
// that is shared below these limits are left out instead (see sharedRuns).
const (
	rareFiles   = 16 // a shingle in more files than that is boilerplate: licences, usual imports, idioms
	rareShared  = 4  // so many shared rare shingles unite, some 64·4 characters beyond the first 64
	alikeLeast  = 4  // files with fewer shingles are too short to be called alike by them
	alikeQuotum = 4  // alike: this many times the shared shingles are at least those of both files together
)

// families returns for every file the number of the first file of its family. Two files are of one family when name
// gives both the same name other than "", when their bytes are the same, when they share rareShared shingles that few
// files have, or when a third of all their shingles is in both; and so on from file to file.
func families(files []source, name func(string) string) []int {
	u := newUnion(len(files))
	byName, bySum := map[string]int{}, map[string]int{}
	for i, f := range files {
		u.joinFirst(bySum, f.file.SHA256, i)
		if n := name(f.file.Path); n != "" {
			u.joinFirst(byName, n, i)
		}
	}
	sizes, pairs := sharedShingles(files)
	for p, n := range pairs {
		both := sizes[p.a] + sizes[p.b]
		alike := min(sizes[p.a], sizes[p.b]) >= alikeLeast && alikeQuotum*n.all >= both
		if alike || n.rare >= rareShared {
			u.join(p.a, p.b)
		}
	}
	roots := make([]int, len(files))
	for i := range roots {
		roots[i] = u.root(i)
	}
	return roots
}

type filePair struct{ a, b int }

type shared struct{ all, rare int }

// sharedShingles returns how many shingles each file has and how many pairs of files share. Of the files with a shingle
// only neighbours in their order are counted as a pair, so that a shingle of n files costs n and not n² steps: copies
// share most of their shingles and are neighbours in most of them.
func sharedShingles(files []source) ([]int, map[filePair]shared) {
	type place struct {
		hash uint64
		file int
	}
	var places []place
	sizes := make([]int, len(files))
	for i, f := range files {
		s := shingles(f.data)
		sizes[i] = len(s)
		for _, h := range s {
			places = append(places, place{h, i})
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.file, b.file))
	})
	pairs := map[filePair]shared{}
	for start := 0; start < len(places); {
		end := start + 1
		for ; end < len(places) && places[end].hash == places[start].hash; end++ {
			p := filePair{places[end-1].file, places[end].file}
			pairs[p] = shared{pairs[p].all + 1, pairs[p].rare}
		}
		if end-start <= rareFiles {
			for i := start + 1; i < end; i++ {
				p := filePair{places[i-1].file, places[i].file}
				pairs[p] = shared{pairs[p].all, pairs[p].rare + 1}
			}
		}
		start = end
	}
	return sizes, pairs
}

// union is a forest of disjoint sets of numbers; the root of a set is its least.
type union []int

func newUnion(n int) union {
	u := make(union, n)
	for i := range u {
		u[i] = i
	}
	return u
}

func (u union) root(i int) int {
	for u[i] != i {
		u[i] = u[u[i]]
		i = u[i]
	}
	return i
}

func (u union) join(a, b int) {
	a, b = u.root(a), u.root(b)
	u[max(a, b)] = min(a, b)
}

// joinFirst joins i to the first number that was seen with the key.
func (u union) joinFirst(seen map[string]int, key string, i int) {
	if first, ok := seen[key]; ok {
		u.join(first, i)
		return
	}
	seen[key] = i
}

// splitFamilies writes the split into every file: the families, in the order of the SHA-256 of their first path, go
// whole to test while they fit into its percentage of the bytes, else to valid while they fit there, else to train.
func splitFamilies(files []source, roots []int) {
	total := 0
	size := make([]int, len(files))
	for i, f := range files {
		size[roots[i]] += len(f.data)
		total += len(f.data)
	}
	var order []int
	sums := make([][sha256.Size]byte, len(files))
	for i, r := range roots {
		if i == r {
			order = append(order, i)
			sums[i] = sha256.Sum256([]byte(files[i].file.Path))
		}
	}
	slices.SortFunc(order, func(a, b int) int { return slices.Compare(sums[a][:], sums[b][:]) })
	room := [3]int{valid: share(total, validPercent), test: share(total, testPercent)}
	part := make([]int, len(files))
	for _, r := range order {
		for _, s := range [2]int{test, valid} {
			if size[r] <= room[s] {
				part[r] = s
				room[s] -= size[r]
				break
			}
		}
	}
	for i := range files {
		files[i].file.Split = splitNames[part[roots[i]]]
	}
}
