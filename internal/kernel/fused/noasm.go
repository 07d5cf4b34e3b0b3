//go:build !amd64 || noasm

package fused

// noAssembly is the panic of the assembly's stand-ins.
const noAssembly = "fused: this build has no assembly"
