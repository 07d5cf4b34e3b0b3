// Package task is what models are trained on: synthetic tasks that probe one ability each, and bytes of text.
//
// A Task has no hidden state. Train(step) and Eval(split, i) are pure functions of config, seed and number, each batch
// from a random stream of its own that no model parameter shares, so that runs resume bit for bit and the arms of a
// comparison see the same data.
//
// # Tasks
//
// L is Config.Length (or a draw from TrainLengths, or one of EvalLengths), M Memorize, K Pairs, V Vocab; T is the number
// of steps of a sequence, Spec.Length. "…" marks what is scored; every other target is Ignore (−100).
//
//	task               T      sequence                                          scored             chance
//	selective-copying  L+2M   M data symbols 1…V−2 at random places among       last M: the data   1/(V−2)
//	                          L blanks 0, then M markers V−1                    in order
//	copying            L+2M   M data symbols, L blanks, M markers               last M             1/(V−2)
//	  variant lag      L      data symbols                                      x_{t−M}, t ≥ M     1/(V−2)
//	induction          L+1    symbols 0…V−3 with "=>" (V−2) at p ≤ L−3          last: x_{p+1}      1/(V−2)
//	                          and at the end
//	mqar               L      k₁v₁…k_Kv_K, then every k once more at a gap      at those: its v    1/K
//	                          with p_j ∝ (j+1)^−0.99
//	adding             L      (U[0,1), mark), two marks                         sum of the two     MSE 1/6
//	parity             L      bits                                              sum mod 2, last    1/2
//	                                                                            or every prefix
//	first-token        L      a class 0…V/2−1, then noise V/2…V−1               last: the class    2/V
//	corpora            L      bytes                                             the next byte      8 bits
//
// Chance is the score of a guess among the answers that are still possible when nothing was remembered or, for mqar,
// when the K values were but not which belongs to which key.
//
// Generators follow state-spaces/s4 (copying.py, adding.py), HazyResearch/safari (synthetics.py, one trigger) and
// HazyResearch/zoology (multiquery_ar.py, one pass). Where we differ:
//   - copying: the targets of blanks are not scored, and neither are the first M of variant lag (S4 pads them with 0).
//   - induction: only the last position is scored, in training too (safari trains on every next symbol, tests on the
//     last). V counts safari's two special symbols, so the chance is 1/(V−2).
//   - training examples are fresh at every step; there is no epoch.
//   - mqar variant random keeps zoology's defect that random filler may repeat a key: Collisions counts it. The chance
//     that f fillers before a query hold its key is 1−(1−1/V)^f; at V = 8192, L = 256, K = 16 that is 0.5 % of the queries.
//
// # Splits
//
// "valid" and "test" have length L, "test@N" has length N for each N of EvalLengths. Synthetic splits are drawn from
// separate streams of the same seed, so that replication over seeds varies them too; a small task (parity of 3 bits) has
// the same sequences in all.
//
// Corpora have fixed splits that no seed changes:
//
//	go-source  every .go file below $GOROOT/src but testdata and src/cmd; whole files, by SHA-256 of the relative path:
//	           90 % train, 5 % valid, 5 % test of the files
//	text       a file, or every regular file of a directory (hidden ones left out): the first 90 % of the bytes of each
//	           file train, the next 5 % valid, the rest test
//	text8      the file of 100,000,000 bytes: 90 M, 5 M, 5 M; bits_per_byte is the papers' bits per character
//	enwik8     likewise
//
// Files follow each other in the order of their paths, with nothing in between. A training window starts anywhere.
// Evaluation windows do not overlap, are spread evenly over the split, and start without context, so their score is a
// little worse than that of a model that reads on. A Manifest names the files, their SHA-256 and one digest over all;
// Config.Digest makes a task refuse any other files.
//
// It does not include downloads: text8 and enwik8 are read where they are given.
package task
