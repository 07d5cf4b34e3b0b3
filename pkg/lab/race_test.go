//go:build race

package lab

// raceDetector says that sync.Pool drops things at random, so that allocations
// cannot be counted.
const raceDetector = true
