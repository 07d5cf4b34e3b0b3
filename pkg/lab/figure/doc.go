// Package figure draws the lab's results with gonum/plot. Each function takes
// plain data and returns a *Figure, which writes itself as PNG and as SVG:
//
//	            of a few                            of many arms
//	by step     Curves: lines with bands            Panels: small multiples, one arm in front of all others
//	results     Bars: bars from zero                Dots: mean, interval and seeds, by group, with the change in full
//	by rate                                         Rates: tuning runs, the chosen rate, those that diverged
//	λ           EigenDisk: one set in the disk      Disks: before and after training
//	cost        Scaling: power laws on log axes
//	a text      TextBars: a bar over every symbol
//
// What every figure promises:
//
//   - Lines are named at their right end, outside the data, or above their panel,
//     so that no legend hides anything and none has to be searched. No text
//     covers another or leaves the page. Colours are Okabe and Ito's, told apart
//     by colour-blind readers (https://jfly.uni-koeln.de/color/); where they are
//     taken by place, the dashes change after eight.
//   - NaN and infinite values are gaps, never a panic. A series that ends in
//     them is marked × at its last value and named "(diverged)".
//   - Nothing to draw is an error that says so.
//   - The same input gives the same bytes.
//
// Does not include: smoothing; panels with different axes.
package figure
