package task

// About says in a line what a model must do in the task, "" for an unknown name.
// The table of the package has lengths, symbols and chance.
func (n Name) About() string {
	switch n {
	case SelectiveCopying:
		return "repeat, in order, the symbols that stood at random places among blanks"
	case Copying:
		return "repeat a block of symbols after a long wait"
	case Induction:
		return "say what followed the marker when it came before"
	case MQAR:
		return "recall the value of each of several keys"
	case Adding:
		return "add the two marked numbers of a sequence"
	case Parity:
		return "say whether the bits so far have an odd sum"
	case FirstToken:
		return "remember the first symbol through noise"
	case GoSource:
		return "predict the next byte of Go's own source"
	case Text:
		return "predict the next byte of files of yours: --set task.path=FILE or folder"
	case Text8:
		return "predict the next byte of text8: --set task.path=FILE"
	case Enwik8:
		return "predict the next byte of enwik8: --set task.path=FILE"
	}
	return ""
}
