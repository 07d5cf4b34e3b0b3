//go:build (!amd64 && !arm64) || noasm

package scan

func native(int) engine { return goEngine{} }
