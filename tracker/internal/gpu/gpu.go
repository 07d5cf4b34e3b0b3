// Package gpu asks NVIDIA's management library about the graphics cards of this machine. The library comes with the
// driver and is loaded at run time; where there is none, Open says so.
package gpu

// Card is a graphics card.
type Card struct {
	Model       string // e.g. "NVIDIA H100 80GB HBM3"
	MemoryBytes uint64
}

// Reading is the state of a card. A value that the card does not tell is negative.
type Reading struct {
	BusyPercent float64 // of the last sample period, during which some kernel ran
	MemoryBytes float64 // in use
	PowerWatts  float64
	Temperature float64 // °C
	MemoryBusy  float64 // percent of time in which memory was read or written
}
