package archive

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

const (
	formatName    = "gophersnake"
	formatVersion = 1
	chunkPoints   = 1000 // values of one points line
)

// The lines of a JSON Lines archive; see the package comment.
type (
	headLine struct {
		Type    string `json:"type"`
		Format  string `json:"format"`
		Version int    `json:"version"`
		Runs    int    `json:"runs"`
	}
	runLine struct {
		Type         string            `json:"type"`
		ID           string            `json:"id"`
		Name         string            `json:"name"`
		Experiment   string            `json:"experiment"`
		Group        string            `json:"group"`
		Parent       string            `json:"parent"`
		Status       string            `json:"status"`
		StatusDetail string            `json:"status_detail"`
		Seed         *int64            `json:"seed"`
		Note         string            `json:"note"`
		Host         string            `json:"host"`
		PID          int               `json:"pid"`
		Resumes      int               `json:"resumes"`
		CreatedMS    int64             `json:"created_ms"`
		StartedMS    int64             `json:"started_ms"`
		HeartbeatMS  int64             `json:"heartbeat_ms"`
		FinishedMS   *int64            `json:"finished_ms"`
		DeletedMS    *int64            `json:"deleted_ms"`
		Config       string            `json:"config"`
		ConfigSHA256 string            `json:"config_sha256"`
		Params       []paramItem       `json:"params"`
		Tags         map[string]string `json:"tags"`
		Environment  map[string]string `json:"environment"`
	}
	paramItem struct {
		Key  string `json:"key"`
		Type string `json:"type"`
		Text string `json:"text"`
	}
	pointsLine struct {
		Type    string   `json:"type"`
		Key     string   `json:"key"`
		Context string   `json:"context"`
		Step    []int64  `json:"step"`
		TimeMS  []int64  `json:"time_ms"`
		Value   []number `json:"value"`
	}
	objectLine struct {
		Type    string `json:"type"`
		Key     string `json:"key"`
		Context string `json:"context"`
		Step    int64  `json:"step"`
		TimeMS  int64  `json:"time_ms"`
		Kind    string `json:"kind"`
		Data    []byte `json:"data"`
	}
	artifactLine struct {
		Type      string `json:"type"`
		Name      string `json:"name"`
		Version   int    `json:"version"`
		Kind      string `json:"kind"`
		MediaType string `json:"media_type"`
		Step      *int64 `json:"step"`
		TimeMS    int64  `json:"time_ms"`
		Size      int64  `json:"size"`
		SHA256    string `json:"sha256"`
		Content   []byte `json:"content,omitempty"`
	}
	eventLine struct {
		Type    string `json:"type"`
		TimeMS  int64  `json:"time_ms"`
		Kind    string `json:"kind"`
		Message string `json:"message"`
		Data    string `json:"data"`
	}
	endLine struct {
		Type      string `json:"type"`
		ID        string `json:"id"`
		Points    int64  `json:"points"`
		Objects   int64  `json:"objects"`
		Artifacts int64  `json:"artifacts"`
		Events    int64  `json:"events"`
	}
)

// number is a float64 that JSON writes as a number, or as "NaN", "Infinity" or "-Infinity".
type number float64

// MarshalJSON writes the shortest text that gives the same float64.
func (n number) MarshalJSON() ([]byte, error) { return n.append(nil), nil }

func (n number) append(b []byte) []byte {
	v := float64(n)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.AppendQuote(b, formatValue(v))
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"NaN"`:
		*n = number(math.NaN())
	case `"Infinity"`:
		*n = number(math.Inf(1))
	case `"-Infinity"`:
		*n = number(math.Inf(-1))
	default:
		v, err := strconv.ParseFloat(string(b), 64)
		if err != nil {
			return &Error{Field: "value", Value: string(b), Msg: `is neither a number that a float64 holds nor "NaN", "Infinity" or "-Infinity"`}
		}
		*n = number(v)
	}
	return nil
}

// MarshalJSON writes the line with three arrays; the reflecting encoder would take three times as long.
func (l *pointsLine) MarshalJSON() ([]byte, error) {
	b := append([]byte(nil), `{"type":"points","key":`...)
	b = appendString(b, l.Key)
	b = append(b, `,"context":`...)
	b = appendString(b, l.Context)
	b = appendInts(append(b, `,"step":[`...), l.Step)
	b = appendInts(append(b, `],"time_ms":[`...), l.TimeMS)
	b = append(b, `],"value":[`...)
	for i, v := range l.Value {
		if i > 0 {
			b = append(b, ',')
		}
		b = v.append(b)
	}
	return append(b, "]}"...), nil
}

func appendInts(b []byte, list []int64) []byte {
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, v, 10)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	text, _ := encode(s) // a string always marshals
	return append(b, text...)
}

// encode writes one line without its end. HTML characters stay as they are.
func encode(line any) ([]byte, error) {
	if l, ok := line.(*pointsLine); ok {
		return l.MarshalJSON()
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(line)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func ms(t time.Time) int64 { return t.UnixMilli() }

// optMS is nil for the zero time.
func optMS(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	v := t.UnixMilli()
	return &v
}

func fromMS(v *int64) time.Time {
	if v == nil {
		return time.Time{}
	}
	return time.UnixMilli(*v)
}

func newRunLine(rec tracker.RunRecord) *runLine {
	i := rec.Info
	l := &runLine{Type: "run", ID: i.ID, Name: i.Name, Experiment: i.Experiment, Group: i.Group, Parent: i.Parent,
		Status: string(i.Status), StatusDetail: i.StatusDetail, Note: i.Note, Host: i.Host, PID: i.PID, Resumes: i.Resumes,
		CreatedMS: ms(i.Created), StartedMS: ms(rec.Started), HeartbeatMS: ms(i.Heartbeat), FinishedMS: optMS(i.Finished),
		Config: string(rec.Config), ConfigSHA256: i.ConfigSHA256, Params: []paramItem{}, Tags: rec.Tags, Environment: rec.Environment}
	if i.HasSeed {
		l.Seed = &i.Seed
	}
	if i.Deleted {
		l.DeletedMS = optMS(rec.DeletedAt)
	}
	for _, p := range rec.Params {
		l.Params = append(l.Params, paramItem{p.Key, string(p.Type), p.Text})
	}
	return l
}

// settle turns a run that was running when it was exported into an interrupted one.
func (l *runLine) settle() {
	if l.Status == string(tracker.StatusRunning) {
		l.Status, l.StatusDetail = string(tracker.StatusInterrupted), "was running when it was exported"
		if l.FinishedMS == nil {
			l.FinishedMS = &l.HeartbeatMS
		}
	}
}

func (l *runLine) record() tracker.RunRecord {
	rec := tracker.RunRecord{
		Info: tracker.RunInfo{ID: l.ID, Name: l.Name, Experiment: l.Experiment, Group: l.Group, Parent: l.Parent,
			Status: tracker.Status(l.Status), StatusDetail: l.StatusDetail, Note: l.Note, Host: l.Host, PID: l.PID, Resumes: l.Resumes,
			Created: time.UnixMilli(l.CreatedMS), Heartbeat: time.UnixMilli(l.HeartbeatMS), Finished: fromMS(l.FinishedMS),
			Deleted: l.DeletedMS != nil},
		Started: time.UnixMilli(l.StartedMS), DeletedAt: fromMS(l.DeletedMS), Config: []byte(l.Config), Tags: l.Tags,
		Environment: l.Environment,
	}
	if l.Seed != nil {
		rec.Info.Seed, rec.Info.HasSeed = *l.Seed, true
	}
	for _, p := range l.Params {
		rec.Params = append(rec.Params, tracker.Param{Key: p.Key, Type: tracker.ParamType(p.Type), Text: p.Text})
	}
	return rec
}
