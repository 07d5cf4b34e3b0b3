// Package archive takes runs out of a tracker database and brings runs in.
//
//	report, err := archive.ExportJSONL(ctx, store, file, archive.ExportOptions{})
//	report, err = archive.ImportJSONL(ctx, other, file, archive.ImportOptions{File: "runs.jsonl"})
//
// # Out
//
//	ExportJSONL           everything, one JSON value a line; ImportJSONL brings it back, ids and times included
//	ExportMetricsCSV      one row per logged value
//	ExportRunsCSV         one row per run: its fields, params, tags, and last, min, max, count of every metric
//	ExportMetricsParquet  the table of ExportMetricsCSV with types
//	ExportRunsParquet     the table of ExportRunsCSV with types
//
// Columns have the names of the query language (QUERY.md): id, name, group, params.lr, tags.stage, metrics.loss@eval,
// min(metrics.`test/accuracy`). What stands at the head of a column can be asked for in a query, and has the same values.
// Earlier versions called them run_id, run_name, run_group, parent_id, arm_sha256, param.lr, tag.stage and
// last.loss@eval; ImportCSV reads both.
//
// Memory does not grow with the number of points. Runs come in the order in which they entered the database, parents
// before their children; metrics by key, context, step and time. The same database gives the same bytes. A run that
// is being logged to is taken as far as it has come.
//
// # In
//
//	ImportJSONL           files of ExportJSONL
//	ImportCSV             one row per value, or one column per metric; the columns are named by the caller
//	ImportMLflow          the folder of MLflow's file store (mlruns)
//	ImportMLflowDB        MLflow's SQLite file
//	ImportTensorBoard     a log directory with event files
//
// A run comes in whole or not at all. A run that is there already with the same content is skipped, and one with
// other content is an error that names the first difference. Runs from other tools get an id that follows from where
// they came from, so that importing twice makes no second copy.
//
// # Values
//
// CSV and JSON write NaN, Infinity and -Infinity, in JSON as strings. Finite values are written with as many digits as
// it takes to get the same float64 back.
//
// # JSON Lines
//
//	{"type":"archive","format":"gophersnake","version":1,"runs":2}
//	{"type":"run","id":"k3v9qa81mz","name":"lru-1",…,"config":"{\"lr\":0.1}","params":[…],"tags":{…},"environment":{…}}
//	{"type":"points","key":"loss","context":"","step":[0,1],"time_ms":[1767323045678,1767323045690],"value":[0.5,"NaN"]}
//	{"type":"object","key":"sample","context":"","step":1,"time_ms":1767323045690,"kind":"text","data":"aGk="}
//	{"type":"artifact","name":"plots/loss.png","version":1,…,"sha256":"…","content":"…"}
//	{"type":"event","time_ms":1767323045678,"kind":"started","message":"","data":"{}"}
//	{"type":"end","id":"k3v9qa81mz","points":2,"objects":1,"artifacts":1,"events":1}
//
// Lines from a run line to its end line belong to that run. A points line holds up to 1,000 values of one metric.
// config is the text byte for byte. data and content are base64; content is there if the contents were exported
// inline, and a file <folder>/<first two digits>/<sha256> if they were exported to a folder.
package archive
