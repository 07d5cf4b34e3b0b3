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
//	go-source  every .go file below $GOROOT/src but testdata and src/cmd: whole files, by family
//	text       a directory of enough files: whole files, by family. A single file, and every file of a directory of few:
//	           the first 90 % of its bytes train, the next 5 % valid, the rest test
//	text8      the file of 100,000,000 bytes: 90 M, 5 M, 5 M; bits_per_byte is the papers' bits per character
//	enwik8     likewise
//
// Files follow each other in the order of their paths, with nothing in between and no byte changed: line ends, byte order
// marks and encodings stay as they are. A training window starts anywhere. Evaluation windows do not overlap and start
// without context, so their score is a little worse than that of a model that reads on. A split of W windows is evaluated
// on K = min(W, EvalBatches·Batch) of them, evenly spread: number k is ⌊k·W/K⌋. A Manifest names the files, their SHA-256,
// what was skipped, the overlap, and one digest over all files; Config.Digest makes a task refuse any others, and those
// that another rule has split.
//
// # Families
//
// Code and documents are full of copies, and a split that puts twins on both sides measures memory (Allamanis 2019, "The
// Adverse Effects of Code Duplication in Machine Learning Models of Code"). So files of one family stay on one side. Two
// files are of one family, and so on from file to file, if
//   - their bytes are the same,
//   - go-source: they are in one directory and their names are the same up to the first underscore, digits left out:
//     zerrors_linux_arm64.go and zerrors_aix_ppc64.go, tables9.0.0.go and tables15.0.0.go, print.go and print_test.go,
//   - they share four or more shingles that at most 16 files have: a shingle is a run of 64 characters, white space not
//     counted, of which one in 64 is looked at, chosen by its hash; so about 320 characters of common text,
//   - or their common shingles, frequent ones included, are a quarter of the sum of both files' (a Jaccard index of 1/3),
//     and each has four or more.
//
// Of the files with a shingle only neighbours by path are compared. The families, in the order of the SHA-256 of their
// first path, go to test while they fit into 5 % of the bytes, else to valid while they fit there, else to train; so a
// family of more than 5 % trains. In Go's own sources the largest families have 5.9 % and 5.2 %. A directory of text
// counts as one of few files if valid or test comes to less than half of its 5 %.
//
// Licences, usual imports and short idioms are in files of all families, and remain on both sides. They are no part of the
// evaluation: a window of a split by families is left out, and not counted in W, if it and its last target hold a run of 64
// bytes that stands anywhere in the training bytes; below 64 bytes, if it touches one. The runs are found by their 48
// bytes from every multiple of 16 on, so that none is missed, and some windows with 48 to 63 common bytes are left out, too.
//
// # Overlap
//
// Manifest.Overlap says what valid and test share with the training bytes, by those 48 bytes: the share of 64-byte windows
// and of the task's windows in which every such piece occurs in training, and of the task's windows in which one does. All
// three are upper bounds. In a split by families the windows with a piece are those left out, and the overlap of the scored
// ones is 0. Where files are cut, and in text8 and enwik8, whose windows are those of the papers, every window is scored.
//
// # What text reads of a directory
//
// Every regular file, but that these are counted in Manifest.Skipped: names that start with a dot; symbolic links, which
// are not followed; devices, pipes and sockets; names that are no UTF-8; what Exclude matches, and files that Include does
// not match, if there is any; files with a byte order mark of UTF-16; and binary files, which hold a byte 0 or more than
// 30 % bytes that are no UTF-8. An empty file is a file. One that cannot be read is an error, for a corpus must not depend
// on who reads it; so are more than 2·10⁹ bytes. A single file is read whatever it holds;
// Manifest.NoText and a warning say that it is no text.
//
// A pattern without a slash is about one name anywhere ("*.md", "vendor"); one with a slash is about the path from the
// directory on ("docs/**/*.txt"), where ** stands for any number of directories, none included. *, ? and [a-z] are those of
// path.Match. A pattern that matches a directory matches all that is in it.
//
// It does not include downloads: text8 and enwik8 are read where they are given.
package task
