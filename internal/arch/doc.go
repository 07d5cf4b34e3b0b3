// Package arch holds no code but the tests of the project's shape: which package
// may import which.
package arch
