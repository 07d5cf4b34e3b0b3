// Package mixertest is how a layer is proved: the checks that every nn.Mixer of
// pkg/rnn and pkg/ssm passes, and the pieces of them that other packages' tests
// use. A package's test holds the table of its layers and calls
//
//	Run       gradient, steps, export, seed, cpu and shape of every layer
//	Complete  fails for a constructor that the table lacks
//	Vector    one layer or operation against PyTorch's numbers
//
// Only tests import it. Shapes: B batch, L steps, D channels.
package mixertest
