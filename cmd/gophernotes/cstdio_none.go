//go:build gophernotes && !cgo

package main

func cLines() {}
func cFlush() {}
