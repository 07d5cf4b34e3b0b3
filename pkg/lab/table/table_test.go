package table

import (
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

func ladder() *Table {
	t := New("Selective copying", "rung", "accuracy", "95 % interval")
	t.Add("rnn", "0.312", "[0.290, 0.334]")
	t.Add("mamba", "0.981", "[0.969, 0.993]")
	t.Note("Mean of 5 seeds.")
	return t
}

func TestString(t *testing.T) {
	want := `Selective copying

rung   accuracy  95 % interval
─────  ────────  ──────────────
rnn       0.312  [0.290, 0.334]
mamba     0.981  [0.969, 0.993]

Mean of 5 seeds.
`
	if got := ladder().String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMarkdown(t *testing.T) {
	want := `**Selective copying**

| rung  | accuracy | 95 % interval    |
| ----- | -------: | ---------------- |
| rnn   |    0.312 | \[0.290, 0.334\] |
| mamba |    0.981 | \[0.969, 0.993\] |

Mean of 5 seeds.
`
	if got := ladder().Markdown(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestColumnsLineUp: whatever the script, every line of a full table is as wide
// as a terminal shows it.
func TestColumnsLineUp(t *testing.T) {
	tab := New("", "名前", "λ", "mark")
	tab.Align = []Align{Left, Right, Right}
	tab.Add("線形再帰", "0.9", "x")
	tab.Add("e\u0301tat", "−0.25", "🐍")
	tab.Add("plain", "100", "é")
	lines := strings.Split(strings.TrimSpace(tab.String()), "\n")
	if len(lines) != 5 {
		t.Fatalf("got %d lines, want 5:\n%s", len(lines), tab)
	}
	for _, line := range lines {
		if got, want := uniseg.StringWidth(line), 8+2+5+2+4; got != want {
			t.Errorf("%q is %d wide, want %d", line, got, want)
		}
	}
}

func TestAlignment(t *testing.T) {
	tab := New("", "a", "b", "c", "d", "e")
	tab.Add("1", "x1", "+0.5 ± 0.1", "", "a")
	tab.Add("–", "2", ".5", "", "ab")
	tab.Align = []Align{Auto, Auto, Auto, Auto, Center}
	want := []Align{Right, Left, Right, Left, Center}
	if got := tab.alignments(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	tab.Align = []Align{"middle"}
	if got := tab.alignments()[0]; got != Right {
		t.Errorf("unknown alignment: got %q, want the automatic one", got)
	}
}

func TestRaggedRows(t *testing.T) {
	tab := New("", "a", "b")
	tab.Add("1")
	tab.Add("1", "2", "3")
	if got, want := tab.CSV(), "a,b,\n1,,\n1,2,3\n"; got != want {
		t.Errorf("CSV: got %q, want %q", got, want)
	}
	if got, want := tab.String(), "a  b\n─  ─  ─\n1\n1  2  3\n"; got != want {
		t.Errorf("String: got %q, want %q", got, want)
	}
}

func TestEmpty(t *testing.T) {
	var tab Table
	if tab.String() != "" || tab.Markdown() != "" || tab.CSV() != "" {
		t.Errorf("%q %q %q", tab.String(), tab.Markdown(), tab.CSV())
	}
	if !strings.Contains(tab.HTML(), "<tbody>") {
		t.Errorf("HTML: %s", tab.HTML())
	}
}

// hostile holds what each format must escape.
func hostile() *Table {
	tab := New("a<b>*c*", "x|y", `<script>"&"`)
	tab.Add("one\ntwo", `comma, "quote"`)
	tab.Add("\x1b[31mred", "a_b`c`")
	tab.Note("<img src=x>")
	return tab
}

func TestHTMLIsWellFormedAndEscaped(t *testing.T) {
	text := hostile().HTML()
	d := xml.NewDecoder(strings.NewReader(strings.ReplaceAll(text, "\x1b", "")))
	elements := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if start, ok := token.(xml.StartElement); ok {
			elements[start.Name.Local]++
		}
	}
	want := map[string]int{"table": 1, "caption": 1, "thead": 1, "tbody": 1, "tfoot": 1, "tr": 4, "th": 2, "td": 5}
	if !reflect.DeepEqual(elements, want) {
		t.Errorf("elements %v, want %v", elements, want)
	}
}

func TestCSVReadsBack(t *testing.T) {
	tab := hostile()
	got, err := csv.NewReader(strings.NewReader(tab.CSV())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := append([][]string{tab.Columns}, tab.Rows...); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlainTextIsSafe(t *testing.T) {
	for name, text := range map[string]string{"text": hostile().String(), "markdown": hostile().Markdown()} {
		if strings.ContainsRune(text, '\x1b') || strings.Contains(text, "one\n") {
			t.Errorf("%s keeps an escape sequence or breaks a row: %q", name, text)
		}
	}
	if md := hostile().Markdown(); strings.Contains(md, "<script>") || !strings.Contains(md, `x\|y`) {
		t.Errorf("Markdown is not escaped:\n%s", md)
	}
}

func TestWithout(t *testing.T) {
	tab := New("t", "a", "b", "c")
	tab.Align = []Align{Left, Right}
	tab.Add("1", "2", "3")
	tab.Add("4")
	tab.Note("n")
	got := tab.Without("b")
	if !slices.Equal(got.Columns, []string{"a", "c"}) || !slices.Equal(got.Rows[0], []string{"1", "3"}) || !slices.Equal(got.Rows[1], []string{"4"}) || len(got.Align) != 1 || got.Notes[0] != "n" {
		t.Errorf("%+v", got)
	}
	if len(tab.Columns) != 3 || len(tab.Rows[0]) != 3 || tab.Without("z") != tab {
		t.Error("the table itself was changed, or copied for nothing")
	}
}
