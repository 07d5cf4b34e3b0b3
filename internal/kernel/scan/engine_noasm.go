//go:build !amd64 || noasm

package scan

func native(int) engine { return goEngine{} }
