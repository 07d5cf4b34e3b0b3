package live

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/gophersnake/gophersnake/tracker"
)

var (
	faint    = lipgloss.NewStyle().Faint(true)
	strong   = lipgloss.NewStyle().Bold(true)
	reversed = lipgloss.NewStyle().Reverse(true)
	colours  = map[tracker.Status]string{tracker.StatusRunning: "4", tracker.StatusFinished: "2", tracker.StatusFailed: "1",
		tracker.StatusCrashed: "1", tracker.StatusDiverged: "5", tracker.StatusInterrupted: "3"}
)

// View draws the list or a run's page.
func (m *model) View() tea.View {
	lines := m.listPage()
	if m.open != 0 {
		lines = m.runPage()
	}
	v := tea.NewView(strings.Join(lines, "\n"))
	v.AltScreen = true
	return v
}

// listPage is the list around the chosen run, as high as the terminal.
func (m *model) listPage() []string {
	running := 0
	for _, r := range m.rows {
		running += b2i(r.run.Status == tracker.StatusRunning)
	}
	lines := []string{strong.Render(fmt.Sprintf("%s: %d running", m.store.Path(), running)), faint.Render(header(m.width))}
	room := max(1, m.height-4)
	from := max(0, min(m.chosen-room/2, len(m.rows)-room))
	for i := from; i < min(len(m.rows), from+room); i++ {
		line := m.rows[i].line(m.width, true)
		if i == m.chosen {
			line = reversed.Render(m.rows[i].line(m.width, false))
		}
		lines = append(lines, line)
	}
	if len(m.rows) == 0 {
		lines = append(lines, "no runs yet")
	}
	return append(lines, "", faint.Render("↑ ↓ choose   enter open   q leave"))
}

// columns of the list, in characters; the curve takes what is left.
const (
	idWidth, nameWidth, statusWidth, stepWidth, valueWidth, rateWidth = 10, 26, 11, 15, 10, 9
)

func header(width int) string {
	return clip(fmt.Sprintf("%-*s  %-*s  %-*s  %*s  %*s  %*s  %s", idWidth, "run", nameWidth, "name", statusWidth, "status", stepWidth, "step",
		valueWidth, "value", rateWidth, "steps/s", "curve"), width)
}

// line is a run in the list.
func (r row) line(width int, colour bool) string {
	status := fmt.Sprintf("%-*s", statusWidth, r.run.Status)
	if colour {
		status = lipgloss.NewStyle().Foreground(lipgloss.Color(colours[r.run.Status])).Render(status)
	}
	value := ""
	if v, ok := r.last(r.key); ok {
		value = fmt.Sprintf("%.5g", v)
	}
	rate := ""
	if r.run.Status == tracker.StatusRunning && r.rate > 0 {
		rate = fmt.Sprintf("%.3g", r.rate)
	}
	left := fmt.Sprintf("%-*s  %s  ", idWidth, r.run.ID, pad(r.run.Name, nameWidth))
	right := fmt.Sprintf("  %*s  %*s  %*s  ", stepWidth, r.progress(), valueWidth, value, rateWidth, rate)
	used := idWidth + nameWidth + statusWidth + stepWidth + valueWidth + rateWidth + 12
	return left + status + right + Spark(r.values(), min(40, width-used))
}

// progress is "120/400 30%", or the step alone.
func (r row) progress() string {
	step := max(0, r.run.LastStep)
	if r.steps <= 0 {
		return fmt.Sprint(step)
	}
	return fmt.Sprintf("%d/%d %3d%%", step, r.steps, min(100, 100*step/r.steps))
}

// remaining is how long the run will still take at its present speed.
func (r row) remaining() string {
	if r.run.Status != tracker.StatusRunning || r.rate <= 0 || r.steps <= 0 {
		return ""
	}
	left := time.Duration(float64(r.steps-r.run.LastStep) / r.rate * float64(time.Second))
	return ", about " + left.Round(time.Second).String() + " to go"
}

// runPage is one run: what it is, its metrics, the curve of the chosen one.
func (m *model) runPage() []string {
	r := m.detail.row
	status := string(r.run.Status)
	if r.run.StatusDetail != "" {
		status += ", " + r.run.StatusDetail
	}
	lines := []string{
		strong.Render(fmt.Sprintf("%s  %s", r.run.ID, r.run.Name)) + "  " + faint.Render(r.run.Experiment),
		lipgloss.NewStyle().Foreground(lipgloss.Color(colours[r.run.Status])).Render(status) + fmt.Sprintf("  step %s%s", r.progress(), r.remaining()),
		"",
	}
	chart := max(4, m.height/2-2)
	if len(r.metrics) > 0 {
		metric := r.metrics[m.detail.metric]
		lines = append(lines, strong.Render(shown(metric)))
		lines = append(lines, Chart(m.detail.points, m.width, chart)...)
	}
	room := max(1, m.height-len(lines)-3)
	from := max(0, min(m.detail.metric-room/2, len(r.metrics)-room))
	lines = append(lines, "")
	for i := from; i < min(len(r.metrics), from+room); i++ {
		s := r.metrics[i]
		line := clip(fmt.Sprintf("%s  last %-11.5g min %-11.5g max %-11.5g %d values", pad(shown(s), 30), s.Last, s.Min, s.Max, s.Count), m.width)
		if i == m.detail.metric {
			line = reversed.Render(line)
		}
		lines = append(lines, line)
	}
	return append(lines, faint.Render("↑ ↓ metric   esc back to the list   q leave"))
}

// shown is a metric's key with its context.
func shown(s tracker.Summary) string {
	if s.Context == "" {
		return s.Key
	}
	return s.Key + "@" + s.Context
}

func indexOf(metrics []tracker.Summary, key string) int {
	return slices.IndexFunc(metrics, func(s tracker.Summary) bool { return s.Key == key && s.Context == "" })
}

// rowRef is the reference of a run by its integer id.
func rowRef(id int64) string { return fmt.Sprintf("#%d", id) }

// pad makes a text n columns wide.
func pad(text string, n int) string {
	text = clip(text, n)
	return text + strings.Repeat(" ", n-lipgloss.Width(text))
}

// clip cuts a text to n columns.
func clip(text string, n int) string {
	r := []rune(text)
	for len(r) > 0 && lipgloss.Width(string(r)) > n {
		r = r[:len(r)-1]
	}
	if len(r) < len([]rune(text)) && len(r) > 1 {
		r[len(r)-1] = '…'
	}
	return string(r)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
