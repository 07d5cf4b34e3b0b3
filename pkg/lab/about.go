package lab

// About says in a line what a mixer computes, "" for an unknown kind. x and y are
// its input and output, h its state.
func (k MixerKind) About() string {
	switch k {
	case Identity:
		return "y = x: the block's short convolution alone"
	case Attention:
		return "causal softmax attention: time grows with the square of the length"
	case Dense:
		return "h = tanh(W h + U x + b), or linear: nonlinearity=none"
	case GRU:
		return "gated recurrent unit"
	case LSTM:
		return "long short-term memory"
	case MinGRU:
		return "GRU whose gates read the input only"
	case MinLSTM:
		return "LSTM whose gates read the input only"
	case Diagonal:
		return "complex diagonal recurrence, up to the LRU"
	case SISO:
		return "the LRU with states of its own for each channel, complex or real"
	case S4D:
		return "diagonal state space, the same at every step"
	case S6:
		return "selective state space: Mamba's"
	case Custom:
		return "one of your own, in a notebook or a program"
	}
	return ""
}
