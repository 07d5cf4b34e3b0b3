//go:build amd64 && !noasm

package scan

import (
	"github.com/gophersnake/gophersnake/internal/kernel/isa"
	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

func native(halves int) engine {
	switch {
	case isa.UseAVX512 && halves == spec.Halves:
		return avx512Engine{asmEngine{&avx2Kernels}}
	case isa.UseAVX2:
		return asmEngine{&avx2Kernels}
	}
	return goEngine{}
}

// avx2Kernels do not change.
var avx2Kernels = kernels{
	scans: [2][2][2]scanKernel{
		{{avx2ScanVV, avx2ScanVVSigned}, {avx2ScanVC, avx2ScanVCSigned}},
		{{avx2ScanCV, avx2ScanCVSigned}, {avx2ScanCC, avx2ScanCCSigned}},
	},
	scanBacks: [2][2][2][2]scanBackKernel{
		{
			{{avx2ScanBackVV, avx2ScanBackVVSigned}, {avx2ScanBackVC, avx2ScanBackVCSigned}},
			{{avx2ScanBackCV, avx2ScanBackCVSigned}, {avx2ScanBackCC, avx2ScanBackCCSigned}},
		},
		{
			{{avx2ScanBackVVGated, avx2ScanBackVVGatedSigned}, {avx2ScanBackVCGated, avx2ScanBackVCGatedSigned}},
			{{avx2ScanBackCVGated, avx2ScanBackCVGatedSigned}, {avx2ScanBackCCGated, avx2ScanBackCCGatedSigned}},
		},
	},
	complexes:    [2][2]complexKernel{{avx2ComplexVV, avx2ComplexVC}, {avx2ComplexCV, avx2ComplexCC}},
	complexBacks: [2][2]complexBackKernel{{avx2ComplexBackVV, avx2ComplexBackVC}, {avx2ComplexBackCV, avx2ComplexBackCC}},
	steps:        [2]stepKernel{avx2Step, avx2StepSigned},
	prepares:     [prepareModes]prepareKernel{avx2PrepareRaw, avx2PrepareSoftplus, avx2PrepareSoftplusSig},
	finish:       avx2Finish,
	finishGated:  avx2FinishGated,
	seed:         avx2Seed,
	seedGated:    avx2SeedGated,
	finishBacks:  [2]finishBackKernel{avx2FinishBack, avx2FinishBackGated},

	sums:     lanes,
	sumLanes: avx2SumLanes,

	linear:            avx2Linear,
	linearBack:        avx2LinearBack,
	linearComplex:     avx2LinearComplex,
	linearComplexBack: avx2LinearComplexBack,
}
