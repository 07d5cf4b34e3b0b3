// Package live shows runs on a terminal while they go on: a list of what is
// running and what has just ended, and one run with its curves. It reads the
// database that the runs log to, from any process.
//
//	gather   what is shown, from the store          snapshot.go
//	draw     sparklines and curves from characters  spark.go, chart.go
//	Watch    the interactive program                model.go, view.go
//	Print    the same list once, for pipes          print.go
package live
