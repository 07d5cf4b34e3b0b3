//go:build unix && !linux

package tracker

// processStart: not known here; liveness rests on the journal's lock, the process id and the heartbeat.
func processStart(int) string { return "" }

// networkFS: not detected here.
func networkFS(string) (kind string, bad bool) { return "", false }
