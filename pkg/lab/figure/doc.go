// Package figure draws the lab's results with gonum/plot: loss curves with
// intervals (Curves), the ladder as a bar chart (Bars), time against length
// with fitted exponents (Scaling) and eigenvalues in the unit disk (EigenDisk).
// Each takes plain data and returns a *Figure, which writes itself as PNG and
// as SVG.
//
// What every figure promises:
//
//   - Lines are named at their right end, outside the data, so that no legend
//     hides anything. Colours are Okabe and Ito's, told apart by colour-blind
//     readers (https://jfly.uni-koeln.de/color/); after eight the dashes change.
//   - NaN and infinite values are gaps, never a panic. A series that ends in
//     them is marked × at its last value and named "(diverged)".
//   - Nothing to draw is an error that says so.
//   - The same input gives the same bytes.
//
// Does not include: smoothing, thinning, several panels in one figure.
package figure
