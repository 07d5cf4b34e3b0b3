//go:build !linux || !(amd64 || arm64)

package gpu

import "errors"

// Cards is a connection to the driver; there is none here.
type Cards struct{}

// Open reports that graphics cards are read on Linux (amd64, arm64) only.
func Open() (*Cards, error) {
	return nil, errors.New("graphics cards are read on Linux (amd64, arm64) only")
}

// Driver returns the driver's version.
func (*Cards) Driver() string { return "" }

// List returns the cards.
func (*Cards) List() []Card { return nil }

// Read returns the state of every card.
func (*Cards) Read() []Reading { return nil }

// Close ends the connection.
func (*Cards) Close() {}
