// Package table shows small tables of text: aligned for a terminal, as
// Markdown, as HTML for a notebook, and as CSV. Numbers are formatted by the
// caller, who knows how many digits mean something.
//
// Does not include: sorting, number formatting, cells that span columns.
package table
