package task

import (
	"path"
	"strings"
)

// matchGlob reports whether a pattern of Config.Include or Exclude stands for the path or for a directory above it. A
// pattern without a slash is about one name anywhere ("*.md", "vendor"), one with a slash about the whole path from the
// corpus's root; in it "**" stands for any number of directories, none included.
func matchGlob(pattern, p string) bool {
	parts := strings.Split(p, "/")
	if !strings.Contains(pattern, "/") {
		for _, name := range parts {
			if ok, _ := path.Match(pattern, name); ok {
				return true
			}
		}
		return false
	}
	for n := range parts {
		if matchParts(strings.Split(pattern, "/"), parts[:n+1]) {
			return true
		}
	}
	return false
}

func matchParts(pattern, parts []string) bool {
	for ; len(pattern) > 0 && pattern[0] != "**"; pattern = pattern[1:] {
		if len(parts) == 0 {
			return false
		}
		if ok, _ := path.Match(pattern[0], parts[0]); !ok {
			return false
		}
		parts = parts[1:]
	}
	if len(pattern) == 0 {
		return len(parts) == 0
	}
	for n := range len(parts) + 1 {
		if matchParts(pattern[1:], parts[n:]) {
			return true
		}
	}
	return false
}

func matchAny(patterns []string, p string) bool {
	for _, g := range patterns {
		if matchGlob(g, p) {
			return true
		}
	}
	return false
}

// Limits on the patterns of a config. Each "**" may multiply the work of a match, so four have to do.
const (
	maxGlobs     = 64
	maxGlobBytes = 256
	maxStars     = 4
)

// goodGlob reports whether a pattern can be meant as one: relative, with slashes, no empty part and none that goes up.
func goodGlob(pattern string) bool {
	if len(pattern) > maxGlobBytes || strings.Count(pattern, "**") > maxStars {
		return false
	}
	for part := range strings.SplitSeq(pattern, "/") {
		if _, err := path.Match(part, ""); err != nil || part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}
