package live

import (
	"context"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gophersnake/gophersnake/tracker"
)

// Options of the live view.
type Options struct {
	In    io.Reader
	Out   io.Writer
	Every time.Duration // between looks at the database; 0 means a second
	Run   string        // reference of the run to open at once; empty opens the list
	Limit int           // runs in the list; 0 means 50

	size []tea.ProgramOption // of an Out that is no terminal
}

func (o Options) every() time.Duration {
	if o.Every <= 0 {
		return time.Second
	}
	return o.Every
}

func (o Options) limit() int {
	if o.Limit <= 0 {
		return 50
	}
	return o.Limit
}

// Watch shows the live view until the user leaves it, ctx ends or, when it was
// opened on one run, that run has ended and the user leaves. Keys: arrows or j
// and k choose, enter opens, escape goes back, q leaves.
func Watch(ctx context.Context, s *tracker.Store, o Options) error {
	m := &model{ctx: ctx, store: s, options: o, width: 80, height: 24}
	if o.Run != "" {
		info, err := s.Run(ctx, o.Run)
		if err != nil {
			return err
		}
		m.open = info.RowID
	}
	if err := m.look(time.Now()); err != nil {
		return err
	}
	options := append([]tea.ProgramOption{tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithoutSignalHandler()}, o.size...)
	program := tea.NewProgram(m, options...)
	if _, err := program.Run(); err != nil && ctx.Err() == nil {
		return err
	}
	return m.err
}

// model is the state of the program. Its methods run one at a time.
type model struct {
	ctx           context.Context
	store         *tracker.Store
	options       Options
	rows          []row
	chosen        int   // in rows
	open          int64 // RowID of the run whose page is open, 0 for the list
	detail        detail
	width, height int
	err           error
}

// detail is the page of one run.
type detail struct {
	row    row
	metric int // of row.metrics, whose curve is drawn
	points []tracker.Point
}

// tick asks for the next look at the database.
type tick time.Time

func (m *model) Init() tea.Cmd { return m.next() }

func (m *model) next() tea.Cmd {
	return tea.Tick(m.options.every(), func(t time.Time) tea.Msg { return tick(t) })
}

// look reads what is shown.
func (m *model) look(now time.Time) error {
	rows, err := gather(m.ctx, m.store, m.options.limit(), now, m.rows)
	if err != nil {
		return err
	}
	id := m.chosenID()
	m.rows = rows
	for i, r := range rows { // the choice stays with its run when the order changes
		if r.run.RowID == id {
			m.chosen = i
		}
	}
	m.chosen = max(0, min(m.chosen, len(rows)-1))
	if m.open != 0 {
		return m.lookAtOpen(now)
	}
	return nil
}

func (m *model) chosenID() int64 {
	if m.chosen < len(m.rows) {
		return m.rows[m.chosen].run.RowID
	}
	return 0
}

// Update reacts to keys, the size of the terminal and time.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tick:
		if m.err = m.look(time.Time(msg)); m.err != nil {
			return m, tea.Quit
		}
		return m, m.next()
	case tea.KeyPressMsg:
		return m, m.key(msg.String())
	}
	return m, nil
}

func (m *model) key(key string) tea.Cmd {
	switch key {
	case "q", "ctrl+c":
		return tea.Quit
	case "up", "k":
		m.move(-1)
	case "down", "j":
		m.move(1)
	case "enter":
		if m.open == 0 && len(m.rows) > 0 {
			m.open, m.detail = m.chosenID(), detail{}
		}
	case "esc", "backspace":
		m.open = 0
	}
	if m.open != 0 {
		if m.err = m.lookAtOpen(time.Now()); m.err != nil {
			return tea.Quit
		}
	}
	return nil
}

// move changes the chosen run, or on a run's page the chosen metric.
func (m *model) move(by int) {
	if m.open != 0 {
		m.detail.metric = max(0, min(m.detail.metric+by, len(m.detail.row.metrics)-1))
		return
	}
	m.chosen = max(0, min(m.chosen+by, len(m.rows)-1))
}

// lookAtOpen reads the run whose page is open, with the curve that it shows.
func (m *model) lookAtOpen(now time.Time) error {
	var before []row
	fresh := m.detail.row.run.RowID != m.open
	if !fresh {
		before = []row{m.detail.row}
	}
	info, err := m.store.Run(m.ctx, rowRef(m.open))
	if err != nil {
		return err
	}
	r, err := look(m.ctx, m.store, info, now, before)
	if err != nil {
		return err
	}
	m.detail.row = r
	if fresh {
		m.detail.metric = max(0, indexOf(r.metrics, r.key))
	}
	if len(r.metrics) == 0 {
		m.detail.points = nil
		return nil
	}
	metric := r.metrics[m.detail.metric]
	m.detail.points, err = m.store.History(m.ctx, info.ID, metric.Key, metric.Context)
	return err
}
