package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxBytes bounds a query.
const MaxBytes = 50_000

type tokenKind int

const (
	tokEnd tokenKind = iota
	tokWord
	tokNumber
	tokDuration // 2d, 1.5h
	tokString   // 'x' or "x"; text holds the content
	tokQuoted   // `x`; text holds the content
	tokRef      // metrics.loss@eval: prefix, text, context
	tokOp
)

type token struct {
	kind     tokenKind
	text     string // content of a string or quoted name, otherwise as written
	pos, end int
	prefix   string  // of a tokRef
	context  *string // of a tokRef, nil if there is no @
}

// is reports whether the token is the keyword or operator s (lower case).
func (t token) is(s string) bool {
	switch t.kind {
	case tokWord:
		return strings.EqualFold(t.text, s)
	case tokOp:
		return t.text == s
	}
	return false
}

// describe names a token in a message.
func (t token) describe() string {
	switch t.kind {
	case tokEnd:
		return "the end of the query"
	case tokString:
		return fmt.Sprintf("the text '%s'", t.text)
	case tokRef:
		return "the name " + t.prefix + "." + Key(t.text)
	case tokQuoted:
		return "the name `" + t.text + "`"
	}
	return fmt.Sprintf("%q", t.text)
}

// lex cuts a query into tokens; the last one is tokEnd.
func lex(text string) ([]token, error) {
	if len(text) > MaxBytes {
		return nil, &Error{Text: text[:40], Pos: 0, End: 0, Msg: fmt.Sprintf("the query has %d bytes, allowed are %d", len(text), MaxBytes)}
	}
	if !utf8.ValidString(text) {
		return nil, &Error{Text: strings.ToValidUTF8(text, "\uFFFD"), Msg: "the query is not valid UTF-8"}
	}
	var tokens []token
	for pos := 0; ; {
		pos += len(text[pos:]) - len(strings.TrimLeftFunc(text[pos:], unicode.IsSpace))
		if pos == len(text) {
			return append(tokens, token{kind: tokEnd, pos: pos, end: pos}), nil
		}
		t, err := lexOne(text, pos)
		if err != nil {
			return nil, err
		}
		tokens, pos = append(tokens, t), t.end
	}
}

func lexOne(text string, pos int) (token, error) {
	c := text[pos]
	switch {
	case c == '\'' || c == '"' || c == '`':
		return lexQuoted(text, pos, c)
	case isDigit(c) || c == '.' && pos+1 < len(text) && isDigit(text[pos+1]):
		return lexNumber(text, pos)
	}
	r, _ := utf8.DecodeRuneInString(text[pos:])
	if isWordStart(r) {
		end := wordEnd(text, pos)
		if end < len(text) && text[end] == '.' {
			return lexRef(text, pos, end)
		}
		return token{kind: tokWord, text: text[pos:end], pos: pos, end: end}, nil
	}
	for _, op := range []string{"==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", "+", "-", "*", "/", "%", "^"} {
		if strings.HasPrefix(text[pos:], op) {
			return token{kind: tokOp, text: op, pos: pos, end: pos + len(op)}, nil
		}
	}
	e := &Error{Text: text, Pos: pos, End: pos + utf8.RuneLen(r), Msg: fmt.Sprintf("%q has no meaning here", r)}
	switch r {
	case '&', '|', '!':
		e.Hint = "write and, or, not"
	case '“', '”', '‘', '’':
		e.Hint = "use straight quotes: 'text'"
	case ';':
		e.Hint = "one query at a time, without a semicolon"
	}
	return token{}, e
}

// wordEnd is the end of the letters, digits and underscores from pos on.
func wordEnd(text string, pos int) int {
	for pos < len(text) {
		r, n := utf8.DecodeRuneInString(text[pos:])
		if !isWordStart(r) && !isDigit(text[pos]) {
			break
		}
		pos += n
	}
	return pos
}

// lexRef reads prefix.key[@context]; dot is the place of the first dot.
func lexRef(text string, pos, dot int) (token, error) {
	t := token{kind: tokRef, pos: pos, prefix: text[pos:dot]}
	var err error
	if t.text, t.end, err = lexKey(text, dot+1); err != nil {
		return t, err
	}
	if t.end < len(text) && text[t.end] == '@' {
		context, end, err := lexKey(text, t.end+1)
		if err != nil {
			return t, err
		}
		t.context, t.end = &context, end
	}
	return t, nil
}

// lexKey reads a name in backticks or double quotes, or words joined by dots.
func lexKey(text string, pos int) (key string, end int, err error) {
	if pos < len(text) && (text[pos] == '`' || text[pos] == '"') {
		t, err := lexQuoted(text, pos, text[pos])
		return t.text, t.end, err
	}
	for end = pos; ; end++ {
		stop := wordEnd(text, end)
		if stop == end {
			hint := "a name with other characters than letters, digits, _ and dots goes in backticks: metrics.`val loss`"
			return "", end, &Error{Text: text, Pos: end, End: min(end+1, len(text)), Msg: "a name is missing here", Hint: hint}
		}
		if end = stop; end == len(text) || text[end] != '.' {
			return text[pos:end], end, nil
		}
	}
}

// lexQuoted reads up to the closing quote; a doubled quote stands for itself.
func lexQuoted(text string, pos int, quote byte) (token, error) {
	var b strings.Builder
	for i := pos + 1; i < len(text); i++ {
		if text[i] != quote {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		t := token{kind: tokString, text: b.String(), pos: pos, end: i + 1}
		if quote == '`' {
			t.kind = tokQuoted
		}
		return t, nil
	}
	return token{}, &Error{Text: text, Pos: pos, End: len(text), Msg: fmt.Sprintf("the quote %c is not closed", quote)}
}

// lexNumber reads 12, 1.5, .5, 1e-3 and durations such as 2d.
func lexNumber(text string, pos int) (token, error) {
	end := digits(text, pos)
	if end < len(text) && text[end] == '.' {
		end = digits(text, end+1)
	}
	if end < len(text) && (text[end] == 'e' || text[end] == 'E') {
		exp := end + 1
		if exp < len(text) && (text[exp] == '+' || text[exp] == '-') {
			exp++
		}
		if stop := digits(text, exp); stop > exp {
			end = stop
		}
	}
	unit := end
	for unit < len(text) && (isLetter(text[unit]) || isDigit(text[unit]) || text[unit] == '_') {
		unit++
	}
	if unit == end {
		return token{kind: tokNumber, text: text[pos:end], pos: pos, end: end}, nil
	}
	if _, ok := unitSeconds(text[end:unit]); !ok {
		return token{}, &Error{Text: text, Pos: pos, End: unit, Msg: fmt.Sprintf("%q is no number", text[pos:unit]),
			Hint: "durations are written 500ms, 10s, 30m, 2h, 7d, 1w; texts in quotes"}
	}
	return token{kind: tokDuration, text: text[pos:unit], pos: pos, end: unit}, nil
}

// unitSeconds returns the length of a unit of time.
func unitSeconds(unit string) (float64, bool) {
	switch unit {
	case "ms":
		return 1e-3, true
	case "s":
		return 1, true
	case "m":
		return 60, true
	case "h":
		return 3600, true
	case "d":
		return 86400, true
	case "w":
		return 7 * 86400, true
	}
	return 0, false
}

func digits(text string, pos int) int {
	for pos < len(text) && isDigit(text[pos]) {
		pos++
	}
	return pos
}

func isDigit(c byte) bool     { return c >= '0' && c <= '9' }
func isLetter(c byte) bool    { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isWordStart(r rune) bool { return r == '_' || unicode.IsLetter(r) }
