// Package query is the language in which runs are asked for: text to syntax tree to SQL. It never opens a database;
// tracker.Store.Search does, with what Compile returns. tracker/QUERY.md describes the language.
//
//	text ──Parse──▶ Statement ──Compile──▶ Plan (SQL with parameters; no value from the text ever stands in the SQL)
//
// # Values
//
// A value is a number, a text, a time, a duration, a bool, or missing. A number can be NaN. In the database both a missing
// number and NaN are NULL, so every expression compiles into its value and, where the difference shows (is nan, columns,
// order), the condition under which it is there.
//
// Logic has two values: a comparison with something that is missing or NaN is false, and NOT makes it true.
package query
