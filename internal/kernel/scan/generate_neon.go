package scan

//go:generate go run ./gen/neon -out zz_kernels_arm64.s -stubs zz_kernels_arm64.go -pkg scan
