//go:build arm64 && !noasm

package scan

func native(int) engine { return asmEngine{&neonKernels} }

// neonKernels do not change.
var neonKernels = kernels{
	scans: [2][2][2]scanKernel{
		{{neonScanVV, neonScanVVSigned}, {neonScanVC, neonScanVCSigned}},
		{{neonScanCV, neonScanCVSigned}, {neonScanCC, neonScanCCSigned}},
	},
	scanBacks: [2][2][2][2]scanBackKernel{
		{
			{{neonScanBackVV, neonScanBackVVSigned}, {neonScanBackVC, neonScanBackVCSigned}},
			{{neonScanBackCV, neonScanBackCVSigned}, {neonScanBackCC, neonScanBackCCSigned}},
		},
		{
			{{neonScanBackVVGated, neonScanBackVVGatedSigned}, {neonScanBackVCGated, neonScanBackVCGatedSigned}},
			{{neonScanBackCVGated, neonScanBackCVGatedSigned}, {neonScanBackCCGated, neonScanBackCCGatedSigned}},
		},
	},
	complexes:    [2][2]complexKernel{{neonComplexVV, neonComplexVC}, {neonComplexCV, neonComplexCC}},
	complexBacks: [2][2]complexBackKernel{{neonComplexBackVV, neonComplexBackVC}, {neonComplexBackCV, neonComplexBackCC}},
	steps:        [2]stepKernel{neonStep, neonStepSigned},
	prepares:     [prepareModes]prepareKernel{neonPrepareRaw, neonPrepareSoftplus, neonPrepareSoftplusSig},
	finish:       neonFinish,
	finishGated:  neonFinishGated,
	seed:         neonSeed,
	seedGated:    neonSeedGated,
	finishBacks:  [2]finishBackKernel{neonFinishBack, neonFinishBackGated},

	sums:     4,
	sumLanes: neonSumLanes,

	linear:            neonLinear,
	linearBack:        neonLinearBack,
	linearComplex:     neonLinearComplex,
	linearComplexBack: neonLinearComplexBack,
}
