// Package stats turns the results of a few seeds into honest statements: a
// mean with an interval, a difference with a test, paired by seed or
// not, a success rate, the best of so many tries, a scaling exponent. The unit of replication is the seed (Bouthillier et al.,
// arXiv 2103.03098).
//
// Every function takes plain []float64 and leaves its arguments alone. Two
// things are treated the same way everywhere:
//
//   - A value that is NaN or infinite is a diverged run. It is left out of the
//     numbers and counted (Diverged), so that a table can say "0.91, 2 of 5
//     diverged". A mean over the runs that survived flatters an arm that
//     diverges; look at the count first.
//   - Where the data cannot bound something (the spread of one run), the answer
//     is infinite: SD = SE = +Inf and the interval is (−Inf, +Inf), which is what
//     one run says about the population mean. NaN appears only where nothing
//     is there to describe (N = 0). The structs write non-finite numbers as null
//     in JSON.
//
// Glossary:
//
//	x_i     one seed's result                    xs
//	n       runs that did not diverge            N
//	x̄      (1/n) Σ x_i                          Mean
//	s       √(Σ (x_i − x̄)² / (n−1))             SD
//	s/√n    standard error of the mean           SE
//	1−α     coverage asked for, e.g. 0.95        Confidence
//	t_{q,ν} q-quantile of Student's t with ν degrees of freedom
//
// References: Efron & Tibshirani, An Introduction to the Bootstrap (1993),
// §§13–14; Wilson, JASA 22 (1927); Brown, Cai & DasGupta, Statist. Sci. 16
// (2001); Holm, Scand. J. Statist. 6 (1979); Phipson & Smyth, Stat. Appl. Genet.
// Mol. Biol. 9 (2010).
//
// Does not include: equivalence tests (a failed difference test is not one),
// power analysis, rliable's stratified aggregates, ASO.
package stats
