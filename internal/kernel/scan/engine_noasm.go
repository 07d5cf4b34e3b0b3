//go:build !amd64 || noasm

package scan

func native() engine { return goEngine{} }
