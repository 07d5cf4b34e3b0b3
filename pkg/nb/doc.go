// Package nb is what notebooks show: live progress bars and loss curves, tables,
// figures, and one call each for a run, a comparison and a ladder.
//
//	store, err := nb.Open("gophersnake.db")         // every run below is logged there
//	result, err := nb.Train(e)                      // a bar and a curve that move
//	nb.Show(result)                                 // its numbers and its figure
//	study, err := nb.Study(lab.StudyConfig{…})      // arms against each other, live
//	nb.Show(study)
//	nb.Compare(lab.KeyTrainLoss, a, b)              // runs against each other
//
//	bar := nb.Progress("measuring", 100)
//	curve := nb.Curve("memory", "distance (steps)", "gradient norm")
//	for i := 0; i < 100 && nb.Context().Err() == nil; i++ {
//		curve.Add("lru", float64(i), measure(i))
//		bar.Add(1)
//	}
//
// In our kernel a value of the lab or the tracker at the end of a cell is shown as
// Show would: the line nb.Show(result) may be result.
//
// The same calls work in three places, looked for in this order:
//
//	gophernotes  our kernel (internal/nbhook): HTML, SVG and PNG, in place
//	GoNB         the pipe that $GONB_PIPE names: the same
//	elsewhere    standard output: text; on a terminal live outputs change in
//	             place, in a file or pipe only their last state is written
//
// What is promised:
//
//   - A live output is redrawn at most every 200 ms, and never takes more than a
//     fifth of one core. Its last state is always shown, also when Done is never
//     called (but in a file or pipe, where nothing can be drawn over).
//   - Everything shown has a text form; text in HTML is escaped.
//   - Nothing panics in a goroutine, and nothing that cannot be shown stops a
//     computation: the reason appears in its place.
//   - The stop button cancels [Context], and with it [Train] and [Study]. What an
//     interrupted run came to is in [LastResult] and, with its checkpoint, in the
//     store.
//
// All functions and methods may be called from several goroutines.
//
// Does not include: widgets that send values back to Go.
package nb
