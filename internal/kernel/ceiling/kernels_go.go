//go:build !amd64 || noasm

package ceiling

func native() kernels { return portable }
