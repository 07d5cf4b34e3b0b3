//go:build gophernotes

package main

import (
	"fmt"
	"go/ast"
	"os"
	"runtime/debug"
	"strings"
	"time"

	basereflect "github.com/cosmos72/gomacro/base/reflect"
	"github.com/cosmos72/gomacro/xreflect"

	"github.com/gophersnake/gophersnake/pkg/nb"
)

// executeRequest is the content of an execute_request.
type executeRequest struct {
	code            string
	silent, store   bool
	stopOnError     bool
	userExpressions object
}

// flag reads a boolean that may be missing.
func flagOf(c object, name string, missing bool) bool {
	if v, ok := c[name].(bool); ok {
		return v
	}
	return missing
}

func readExecute(c object) executeRequest {
	q := executeRequest{silent: flagOf(c, "silent", false), stopOnError: flagOf(c, "stop_on_error", true)}
	q.code, _ = c["code"].(string)
	q.store = flagOf(c, "store_history", true) && !q.silent
	q.userExpressions, _ = c["user_expressions"].(object)
	return q
}

// outcome is what a cell came to.
type outcome struct {
	values []any
	types  []xreflect.Type
	failed *failure
}

// execute serves an execute_request. It reports whether the cells that wait
// behind this one are to be aborted.
func (k *kernel) execute(r *msgReceipt, c object) (abort bool) {
	defer k.over()
	q := readExecute(c)
	k.begin(r, q)
	got := k.evaluate(fmt.Sprintf("In[%d]", ExecCounter), q.code)
	k.flush()
	if got.failed == nil && !q.silent {
		got.failed = k.showResult(r, got)
	}
	reply := object{"status": "ok", "execution_count": ExecCounter, "payload": []any{}, "user_expressions": object{}}
	if got.failed == nil {
		reply["user_expressions"] = k.expressions(q.userExpressions)
		r.Reply("execute_reply", reply)
		return false
	}
	content := got.failed.content()
	if !q.silent {
		r.Publish("error", content)
	}
	for name, v := range content {
		reply[name] = v
	}
	reply["status"] = "error"
	r.Reply("execute_reply", reply)
	return q.stopOnError
}

// begin makes r the cell that output belongs to.
func (k *kernel) begin(r *msgReceipt, q executeRequest) {
	k.flush() // what goroutines printed until now belongs to the cell before
	k.mu.Lock()
	k.parent = *r
	k.mu.Unlock()
	k.out.newCell()
	k.err.newCell()
	if q.store {
		ExecCounter++
		k.history = append(k.history, q.code)
	}
	if !q.silent {
		r.PublishExecutionInput(ExecCounter, q.code)
		if k.crashed != "" {
			k.publish("stream", object{"name": StreamStderr, "text": crashNote(k.crashed)})
			k.crashed = ""
		}
	}
	k.newContext()
}

// evaluate runs a cell on the evaluator's goroutine.
func (k *kernel) evaluate(name, code string) outcome {
	ch := make(chan outcome, 1) // an abandoned cell answers too late
	if k.do(func(j *job) { ch <- k.run(j, name, code) }) {
		return <-ch
	}
	return outcome{failed: leftBehind()}
}

func leftBehind() *failure {
	return &failure{name: "interrupted", value: "the cell did not stop in time",
		trace: []string{red("interrupted") + ": the cell waits in a compiled call that does not listen; it was left behind and ends when the call returns.",
			"Variables are kept. Long calls stop at once when they are given nb.Context()."}}
}

// expressions evaluates the front end's own questions after a cell.
func (k *kernel) expressions(exprs object) object {
	replies := object{}
	for name, e := range exprs {
		code, _ := e.(string)
		got := k.evaluate("expression", code)
		if got.failed != nil {
			replies[name] = got.failed.reply()
			continue
		}
		d, failed := k.draw(func() Data { return k.autoRenderResults(got.values, got.types) })
		if failed != nil {
			replies[name] = failed.reply()
			continue
		}
		replies[name] = object{"status": "ok", "data": ensure(d.Data), "metadata": ensure(d.Metadata)}
	}
	return replies
}

// showResult publishes the value of the cell's last expression.
func (k *kernel) showResult(r *msgReceipt, got outcome) *failure {
	if len(got.values) == 0 {
		return nil
	}
	d, failed := k.draw(func() Data { return k.present(got) })
	if failed != nil {
		return failed
	}
	k.flush()
	if len(d.Data) > 0 {
		r.PublishExecutionResult(ExecCounter, d)
	}
	return nil
}

// draw renders a value on the evaluator's goroutine: String, HTML and such may
// be the notebook's own methods, which may hang or panic.
func (k *kernel) draw(render func() Data) (Data, *failure) {
	type drawn struct {
		Data
		failed *failure
	}
	ch := make(chan drawn, 1)
	ended := k.do(func(j *job) {
		var d drawn
		defer func() {
			if p := recover(); p != nil {
				d.failed = explain(p, debug.Stack(), place{phase: running})
			}
			ch <- d
		}()
		k.ir.PrepareEnv() // forgets the interrupt of a run before
		j.call(func() { d.Data = encode(tidy(render())) })
	})
	if !ended {
		return Data{}, leftBehind()
	}
	d := <-ch
	return d.Data, d.failed
}

// present returns the result of a cell as its own methods say, as the library
// draws it, of which all outputs but the last are shown here, or as text.
func (k *kernel) present(got outcome) Data {
	outputs := nb.Render(got.values...)
	for i, v := range got.values {
		if len(outputs) == 0 || k.canAutoRender(v, got.types[i]) {
			return k.autoRenderResults(got.values, got.types)
		}
	}
	last := len(outputs) - 1
	for _, o := range outputs[:last] {
		k.Display(o.Data, o.Metadata, "", false)
	}
	return Data{Data: outputs[last].Data, Metadata: outputs[last].Metadata}
}

// arrive is for cells that a front end sent together with the one that failed
// to come out of the socket.
const arrive = 20 * time.Millisecond

// takeQueued returns the requests that came before a failed cell is over. What
// comes after its idle was sent by somebody who knows of the failure.
func (k *kernel) takeQueued() (queued []msgReceipt) {
	time.Sleep(arrive)
	for {
		select {
		case r := <-k.requests:
			queued = append(queued, r)
		default:
			return queued
		}
	}
}

// abort answers a request that waited behind a failed cell: cells are not run.
func (k *kernel) abort(r msgReceipt) {
	if r.Msg.Header.MsgType != "execute_request" {
		k.shell(r)
		return
	}
	defer k.over()
	k.status(&r, kernelBusy)
	r.Reply("execute_reply", object{"status": "aborted", "execution_count": ExecCounter})
	k.status(&r, kernelIdle)
}

// run compiles a cell and runs it, one top-level statement after the other. What
// ran before a statement failed stays; what it and those behind it declare is
// forgotten.
func (k *kernel) run(j *job, name, code string) (got outcome) {
	at := place{cell: name, code: code, phase: compiling}
	var nodes []ast.Node
	defer func() {
		p := recover()
		if j.gone() { // the compiler works on another cell
			return
		}
		if p != nil {
			at.set(k.ir.Comp.Fileset)
			at.members = k.membersIn(nodes) // of what the cell has declared, too, as long as it is there
			got = outcome{failed: explain(p, debug.Stack(), at)}
			k.restore(k.before)
		}
	}()
	k.before = scope{}
	var source string
	j.call(func() { source = evalSpecialCommands(k.ir, OutErr{os.Stdout, os.Stderr}, dropGonb(code)) })
	comp := k.ir.Comp
	comp.Filepath, comp.Line = name, 0
	nodes = comp.ParseBytes([]byte(source))
	k.before = k.scope()
	cell := k.compile(nodes)
	at.phase = running
	for _, s := range cell.steps {
		at.node, k.before = s.node, s.before
		var values []xreflect.Value
		var types []xreflect.Type
		j.call(func() { values, types = k.ir.RunExpr(s.expr) })
		if s.node == nodes[len(nodes)-1] && isResult(s.node) {
			for n, v := range values[:shown(s.node, len(values))] {
				got.values = append(got.values, basereflect.ValueInterface(v))
				got.types = append(got.types, types[n])
			}
		}
	}
	k.before = scope{}
	return got
}

// isResult reports whether a cell's last statement is an expression to show.
// What fmt.Print and its like return is nothing that a reader asked for.
func isResult(n ast.Node) bool {
	x, ok := n.(ast.Expr)
	if !ok {
		return false
	}
	if c, ok := x.(*ast.CallExpr); ok {
		if s, ok := c.Fun.(*ast.SelectorExpr); ok {
			return !strings.HasPrefix(s.Sel.Name, "Print") && !strings.HasPrefix(s.Sel.Name, "Fprint")
		}
	}
	return true
}

// shown returns how many of n values the result has: the interpreter gives a
// receive, an index and a type assertion their ok as well.
func shown(node ast.Node, n int) int {
	switch ast.Unparen(node.(ast.Expr)).(type) {
	case *ast.UnaryExpr, *ast.IndexExpr, *ast.TypeAssertExpr:
		return min(n, 1)
	}
	return n
}

// dropGonb empties the lines that only GoNB understands: %% begins its main,
// !* sets up its module. A notebook can then be written for both.
func dropGonb(code string) string {
	lines := strings.Split(code, "\n")
	for i, l := range lines {
		if l = strings.TrimSpace(l); l == "%%" || l == "%main" || strings.HasPrefix(l, "!*") {
			lines[i] = ""
		}
	}
	return strings.Join(lines, "\n")
}
