//go:build !amd64 || noasm

package vec

// noAssembly is the panic of the assembly's stand-ins.
const noAssembly = "vec: this build has no assembly"
