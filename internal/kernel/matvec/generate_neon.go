package matvec

//go:generate go run ./gen/neon -out zz_kernel_arm64.s -stubs zz_kernel_arm64.go -pkg matvec
