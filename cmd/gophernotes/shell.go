//go:build gophernotes

package main

import (
	"errors"
	"log"
	"regexp"
	"runtime"
	"strings"
	"unicode/utf8"

	interp "github.com/cosmos72/gomacro/fast"
	"github.com/cosmos72/gomacro/go/etoken"
	"github.com/cosmos72/gomacro/go/parser"
	"github.com/cosmos72/gomacro/go/scanner"
)

// shell serves one request of the shell channel.
func (k *kernel) shell(r msgReceipt) {
	k.status(&r, kernelBusy)
	var queued []msgReceipt
	if k.serveRequest(r) {
		queued = k.takeQueued()
	}
	k.status(&r, kernelIdle)
	for _, q := range queued {
		k.abort(q)
	}
}

func (k *kernel) serveRequest(r msgReceipt) (abort bool) {
	c, _ := r.Msg.Content.(object)
	if c == nil {
		c = object{}
	}
	switch r.Msg.Header.MsgType {
	case "kernel_info_request":
		r.Reply("kernel_info_reply", kernelInfoReply())
	case "execute_request":
		return k.execute(&r, c)
	case "is_complete_request":
		r.Reply("is_complete_reply", k.isComplete(text(c, "code")))
	case "complete_request":
		r.Reply("complete_reply", k.complete(text(c, "code"), number(c, "cursor_pos")))
	case "inspect_request":
		r.Reply("inspect_reply", k.inspectReply(text(c, "code"), number(c, "cursor_pos")))
	case "history_request":
		r.Reply("history_reply", object{"status": "ok", "history": k.recall(c)})
	case "comm_info_request":
		r.Reply("comm_info_reply", object{"status": "ok", "comms": object{}})
	case "comm_open": // the kernel has no comm targets: the protocol wants it closed
		r.Publish("comm_close", object{"comm_id": c["comm_id"], "data": object{}})
	case "shutdown_request":
		k.shutdown(&r, &k.socks.ShellSocket)
	}
	return false
}

// text and number read fields of a request; what is missing is zero.
func text(c object, name string) string {
	s, _ := c[name].(string)
	return s
}

func number(c object, name string) int {
	f, _ := c[name].(float64)
	return int(f)
}

func kernelInfoReply() object {
	return object{
		"status":                 "ok",
		"protocol_version":       ProtocolVersion,
		"implementation":         "gophernotes",
		"implementation_version": Version,
		"banner":                 "gophernotes " + Version + ", " + runtime.Version() + ": Go with gophersnake's packages compiled in",
		"help_links":             []object{{"text": "Go", "url": "https://go.dev/doc"}, {"text": "Packages", "url": "https://pkg.go.dev/std"}},
		"language_info": object{
			"name": "go", "version": strings.TrimPrefix(runtime.Version(), "go"), "mimetype": "text/x-go",
			"file_extension": ".go", "pygments_lexer": "go", "codemirror_mode": "go", "nbconvert_exporter": "",
		},
	}
}

// byteOffset turns a position in code points, as Jupyter counts, into one in
// bytes.
func byteOffset(s string, points int) int {
	for i := range s {
		if points == 0 {
			return i
		}
		points--
	}
	return len(s)
}

// isComplete says whether a console should run what was typed: "complete", wait
// for more, or "invalid" for what no further line can make right.
func (k *kernel) isComplete(code string) (reply object) {
	reply = object{"status": "complete"}
	defer func() {
		if p := recover(); p != nil {
			log.Printf("is_complete: %v", p)
		}
	}()
	if strings.Count(code, "`")%2 == 1 { // upstream does not see raw strings
		return object{"status": "incomplete", "indent": ""}
	}
	if status, _ := checkComplete(code, k.ir); status == "incomplete" {
		return object{"status": status, "indent": "\t"}
	}
	switch atEnd, err := k.parse(dropCommands(dropGonb(code))); {
	case err == nil:
		return reply
	case atEnd:
		return object{"status": "incomplete", "indent": "\t"}
	}
	return object{"status": "invalid"}
}

// parse parses a cell. atEnd tells whether the first mistake is that it ends.
func (k *kernel) parse(code string) (atEnd bool, err error) {
	var p parser.Parser
	p.Configure(k.ir.Comp.ParserMode, k.ir.Comp.MacroChar)
	p.Init(etoken.NewFileSet(), "", 0, []byte(code))
	_, err = p.Parse()
	var mistakes scanner.ErrorList
	if errors.As(err, &mistakes) && len(mistakes) > 0 {
		atEnd = mistakes[0].Pos.Offset >= len(strings.TrimRight(code, " \t\r\n"))
	}
	return atEnd, err
}

// dropCommands empties the lines above a cell's Go that upstream takes as
// commands to itself and to the shell.
func dropCommands(code string) string {
	lines := strings.Split(code, "\n")
	for i, l := range lines {
		if l = strings.TrimSpace(l); l != "" && l[0] != '%' && l[0] != '$' {
			break
		}
		lines[i] = ""
	}
	return strings.Join(lines, "\n")
}

func (k *kernel) complete(code string, pos int) object {
	reply := object{"status": "ok", "matches": []string{}, "cursor_start": pos, "cursor_end": pos, "metadata": object{}}
	head := code[:byteOffset(code, pos)]
	found := k.words(head)
	if len(found) > 0 {
		reply["matches"] = found
		reply["cursor_start"] = pos - utf8.RuneCountInString(interp.TailIdentifier(head))
	}
	return reply
}

// words completes what head ends with.
func (k *kernel) words(head string) (found []string) {
	defer func() {
		if p := recover(); p != nil {
			log.Printf("complete: %v", p) // the interpreter's look-ups panic on half-typed code
		}
	}()
	_, found, _ = k.ir.CompleteWords(head, len(head))
	return found
}

// recall answers a history_request: the last cells, a range of them, or those
// that fit a pattern. A kernel remembers its own session, number 0.
func (k *kernel) recall(c object) []any {
	from, to := 0, len(k.history)
	switch text(c, "hist_access_type") {
	case "range":
		if number(c, "session") != 0 {
			return []any{}
		}
		from = min(max(number(c, "start")-1, 0), to)
		if stop := number(c, "stop"); stop > 0 {
			to = max(from, min(stop-1, to))
		}
	case "tail":
		from = max(0, to-number(c, "n"))
	}
	fits := func(string) bool { return true }
	if text(c, "hist_access_type") == "search" {
		pattern := glob(text(c, "pattern"))
		seen := map[string]bool{}
		fits = func(code string) bool {
			again := c["unique"] == true && seen[code]
			seen[code] = true
			return !again && pattern.MatchString(code)
		}
	}
	entries := []any{}
	for i := from; i < to; i++ {
		if !fits(k.history[i]) {
			continue
		}
		var entry any = k.history[i]
		if c["output"] == true {
			entry = []any{k.history[i], nil}
		}
		entries = append(entries, []any{0, i + 1, entry})
	}
	if n := number(c, "n"); n > 0 && len(entries) > n {
		entries = entries[len(entries)-n:]
	}
	return entries
}

// glob makes a regular expression of a pattern with * and ?.
func glob(pattern string) *regexp.Regexp {
	if pattern == "" {
		pattern = "*"
	}
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quoted)
	return regexp.MustCompile(`(?s)^` + quoted + `$`)
}
