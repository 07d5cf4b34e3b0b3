package tensor

// SmallPieces makes Residual divide a batch of any size, so that tests of pieces
// need no large ones.
func SmallPieces(tp *Tape) { tp.atOnce = 0 }
