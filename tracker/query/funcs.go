package query

import "sort"

// role says what a function works on.
type role int

const (
	roleScalar    role = 1 << iota // values of one run
	roleHistory                    // the values that a run logged under a metric
	roleAggregate                  // the runs of a group
)

type function struct {
	role     role
	min, max int // number of arguments
	usage    string
}

// functions by name. Those of two roles aggregate when they stand outermost in a grouped search.
var functions = map[string]function{
	"last":        {roleHistory, 1, 1, "last(metrics.loss)"},
	"first":       {roleHistory, 1, 1, "first(metrics.loss)"},
	"min":         {roleHistory | roleAggregate, 1, 1, "min(metrics.loss)"},
	"max":         {roleHistory | roleAggregate, 1, 1, "max(metrics.loss)"},
	"mean":        {roleHistory | roleAggregate, 1, 1, "mean(metrics.loss)"},
	"median":      {roleHistory | roleAggregate, 1, 1, "median(metrics.loss)"},
	"sd":          {roleHistory | roleAggregate, 1, 1, "sd(metrics.loss)"},
	"count":       {roleHistory | roleAggregate, 1, 1, "count(metrics.loss), or count(*) in a grouped search"},
	"nan_count":   {roleHistory, 1, 1, "nan_count(metrics.loss)"},
	"argmin":      {roleHistory, 1, 1, "argmin(metrics.loss)"},
	"argmax":      {roleHistory, 1, 1, "argmax(metrics.loss)"},
	"steps":       {roleHistory, 1, 1, "steps(metrics.loss), the last step"},
	"at":          {roleHistory, 2, 2, "at(metrics.loss, 1000)"},
	"first_below": {roleHistory, 2, 2, "first_below(metrics.loss, 0.1)"},
	"first_above": {roleHistory, 2, 2, "first_above(metrics.accuracy, 0.9)"},
	"tail_mean":   {roleHistory, 2, 2, "tail_mean(metrics.loss, 10)"},
	"slope":       {roleHistory, 1, 2, "slope(metrics.loss) or slope(metrics.loss, 10)"},

	"abs":    {roleScalar, 1, 1, "abs(x)"},
	"sqrt":   {roleScalar, 1, 1, "sqrt(x)"},
	"exp":    {roleScalar, 1, 1, "exp(x)"},
	"ln":     {roleScalar, 1, 1, "ln(x)"},
	"log10":  {roleScalar, 1, 1, "log10(x)"},
	"log2":   {roleScalar, 1, 1, "log2(x)"},
	"floor":  {roleScalar, 1, 1, "floor(x)"},
	"ceil":   {roleScalar, 1, 1, "ceil(x)"},
	"pow":    {roleScalar, 2, 2, "pow(x, y)"},
	"number": {roleScalar, 1, 1, "number(tags.version)"},

	"n":    {roleAggregate, 0, 0, "n()"},
	"ci95": {roleAggregate, 1, 1, "ci95(metrics.loss)"},
}

// FunctionNames returns the names of all functions, sorted.
func FunctionNames() []string {
	var names []string
	for name := range functions {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
