package nb

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gophersnake/gophersnake/pkg/lab/figure"
)

func TestBarIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := notebook(t)
		bar := Progress("working", 1000)
		for range 1000 {
			bar.Add(1)
			time.Sleep(2 * time.Millisecond)
		}
		groups := f.byID()
		if len(groups) != 1 {
			t.Fatalf("%d outputs, want 1", len(groups))
		}
		ms := groups[0]
		checkLive(t, "bar", ms, liveInterval)
		// Two seconds are ten intervals, and there are the first and last states.
		if n := len(ms); n < 10 || n > 12 {
			t.Errorf("%d messages in two seconds, want 10 to 12", n)
		}
		contains(t, "last state", ms[len(ms)-1].text(), "1000/1000", "after 2s")
		contains(t, "state amid", ms[len(ms)/2].text(), "about 1s to go")
		time.Sleep(time.Second)
		if len(f.messages()) != len(ms) {
			t.Error("a bar that is done was drawn again")
		}
	})
}

func TestLastStateIsShownWithoutDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := notebook(t)
		bar := Progress("working", 10)
		bar.Set(3)
		bar.Set(7)
		curve := Curve("c", "step", "loss")
		curve.Add("a", 1, 2)
		time.Sleep(time.Second)
		groups := f.byID()
		if len(groups) != 2 {
			t.Fatalf("%d outputs, want 2", len(groups))
		}
		contains(t, "bar", groups[0][len(groups[0])-1].text(), "7/10")
		contains(t, "curve", groups[1][0].text(), "nothing yet")
		contains(t, "curve", groups[1][len(groups[1])-1].svg(), "<svg", ">a<")
		if len(groups[0]) != 2 || len(groups[1]) != 2 {
			t.Errorf("%d and %d messages, want 2 each", len(groups[0]), len(groups[1]))
		}
	})
}

func TestDrawingIsASmallShareOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := notebook(t)
		l := newLive(func() output {
			time.Sleep(300 * time.Millisecond)
			return textOutput("slow")
		})
		for range 560 {
			l.changed()
			time.Sleep(10 * time.Millisecond)
		}
		l.finish()
		// A drawing of 0.3 s and 1.2 s of rest: at 0, 1.5, 3 and 4.5 s, and the end
		// at 5.9 s.
		if n := len(f.messages()); n != 5 {
			t.Errorf("%d drawings of 0.3 s within 6 s, want 5", n)
		}
	})
}

func TestBarEdges(t *testing.T) {
	f := notebook(t)
	bar := Progress("a\x1b[2J\n<b>", 4)
	bar.Note(`"x" & <script>`)
	bar.Set(-3)
	bar.Set(99)
	bar.Done()
	ms := f.messages()
	last := ms[len(ms)-1]
	contains(t, "html", last.html(), "a[2J &lt;b&gt;", "&lt;script&gt;", `max="4" value="4"`)
	if strings.ContainsAny(last.text(), "\x1b\n") {
		t.Errorf("control characters in %q", last.text())
	}
	if s := bar.String(); !strings.HasSuffix(s, "4 of 4") {
		t.Errorf("String is %q", s)
	}
	empty := Progress("none", 0)
	empty.Add(1)
	ms = f.messages()
	contains(t, "empty bar", ms[len(ms)-1].text(), "0/0", strings.Repeat("█", barCells))
}

func TestManyWriters(t *testing.T) {
	f := notebook(t)
	bar, curve := Progress("all", 800), CurveWith(figure.Config{Title: "t", LogY: true})
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			for i := range 100 {
				bar.Add(1)
				bar.Note(fmt.Sprint(i))
				curve.Add(fmt.Sprint("line ", k%4), float64(i), float64(i+1))
				if i%50 == 0 {
					curve.Note("n")
					_, _ = curve.Figure()
					_ = curve.String() + bar.String()
				}
			}
			Context()
			Show(fmt.Sprint(k))
		})
	}
	wg.Wait()
	curve.Done()
	curve.Done()
	for _, ms := range f.byID() {
		if ms[0].id != "" {
			checkLive(t, ms[0].text(), ms, liveInterval)
		}
	}
	if s := curve.String(); s != "t: 4 lines, 800 points" {
		t.Errorf("String is %q", s)
	}
	contains(t, "bar", bar.String(), "800 of 800")
}

func TestPanicWhileDrawingIsShown(t *testing.T) {
	f := notebook(t)
	newLive(func() output { panic("no ink") }).finish()
	contains(t, "output", f.messages()[1].text(), "cannot be drawn: no ink")
}

func TestDeadFrontEndDoesNotStopWork(t *testing.T) {
	f := notebook(t)
	f.err = errors.New("gone")
	bar := Progress("a", 2)
	bar.Add(2)
	Show("b")
	if len(f.messages()) != 3 {
		t.Errorf("%d messages", len(f.messages()))
	}
}

func TestPlotThinsAndSaysSo(t *testing.T) {
	f := notebook(t)
	p := Curve("t", "x", "y")
	for i := range 10 * plotPoints {
		p.Add("long", float64(i), float64(i%2))
	}
	p.Add("short", 0, math.Inf(1))
	p.Add("short", 1, 1)
	p.Restart("gone")
	s := p.series()
	if len(s) != 2 || len(s[0].X) != plotPoints || s[0].Y[7] != 0.5 || s[0].X[0] != 4.5 {
		t.Errorf("%d series, %d points, %v, %v", len(s), len(s[0].X), s[0].Y[7], s[0].X[0])
	}
	p.Done()
	ms := f.messages()
	contains(t, "text", ms[len(ms)-1].text(), "long (means of 10)", "short", "×▁")
	if fig, err := p.Figure(); err != nil || fig == nil {
		t.Errorf("Figure: %v", err)
	}
}

func TestSpark(t *testing.T) {
	for _, c := range []struct {
		want string
		y    []float64
	}{
		{"▁▂▃▄▅▆▇█", []float64{0, 1, 2, 3, 4, 5, 6, 7}},
		{"▁▁", []float64{3, 3}},
		{"×", []float64{math.NaN()}},
		{"▁█", []float64{-math.MaxFloat64, math.MaxFloat64}},
	} {
		if got := spark(c.y); got != c.want {
			t.Errorf("spark(%v) = %q, want %q", c.y, got, c.want)
		}
	}
	if n := len([]rune(spark(make([]float64, 1001)))); n > sparkCells {
		t.Errorf("%d cells, want at most %d", n, sparkCells)
	}
}

// TestBarKeepsItsHeight: a bar that moves is as high as it will be, so that the
// page below does not jump; the last note may wrap.
func TestBarKeepsItsHeight(t *testing.T) {
	f := notebook(t)
	bar := Progress("b", 2)
	bar.Note("loss 1")
	bar.Done()
	ms := f.messages()
	contains(t, "first state", ms[0].html(), "min-height", "white-space:nowrap;overflow:hidden")
	last := ms[len(ms)-1].html()
	contains(t, "last state", last, "min-height", "loss 1")
	if strings.Contains(last, "nowrap") {
		t.Errorf("the last note is cut: %s", last)
	}
}
