package query

// Kind is the type of an expression.
type Kind string

// The types of expressions. A param has the type that its run's config gave it, so KindParam is known only row by row.
const (
	KindNumber   Kind = "number"
	KindInt      Kind = "int" // of an attribute that is an integer
	KindText     Kind = "text"
	KindTime     Kind = "time"     // Unix milliseconds
	KindDuration Kind = "duration" // seconds
	KindBool     Kind = "bool"
	KindStatus   Kind = "status"
	KindParam    Kind = "param"
)

// attribute is a field of a run.
type attribute struct {
	name    string
	aliases []string // of the views (SCHEMA.md) and of MLflow
	kind    Kind
	sql     string // NULL if missing
	join    string // table that sql needs besides runs r: "" or a key of joins
}

// joins are the tables beside runs, in the order in which they are joined.
var joins = []struct{ name, sql string }{
	{"e", "JOIN experiments e ON e.id = r.experiment_id"},
	{"g", "LEFT JOIN run_groups g ON g.id = r.group_id"},
	{"p", "LEFT JOIN runs p ON p.id = r.parent_id"},
	{"h", "LEFT JOIN heartbeats h ON h.run_id = r.id"},
	{"c", "LEFT JOIN configs c ON c.id = r.config_id"},
	{"n", "LEFT JOIN environments n ON n.id = r.environment_id"},
}

// attributes of a run: those of the view v_runs, under their names there and shorter ones.
var attributes = []attribute{
	{"run", nil, KindInt, "r.id", ""},
	{"id", []string{"uid", "run_id", "run_uuid"}, KindText, "r.uid", ""},
	{"name", []string{"run_name"}, KindText, "r.name", ""},
	{"experiment", []string{"experiment_name"}, KindText, "e.name", "e"},
	{"experiment_id", nil, KindInt, "r.experiment_id", ""},
	{"group", []string{"run_group"}, KindText, "g.name", "g"},
	{"parent", []string{"parent_uid", "parent_run_id"}, KindText, "p.uid", "p"},
	{"status", nil, KindStatus, "r.status", ""},
	{"status_detail", nil, KindText, "r.status_detail", ""},
	{"seed", nil, KindInt, "r.seed", ""},
	{"created", []string{"created_at", "start_time"}, KindTime, "r.created_ms", ""},
	{"started", []string{"started_at"}, KindTime, "r.started_ms", ""},
	{"finished", []string{"finished_at", "end_time"}, KindTime, "r.finished_ms", ""},
	{"duration", []string{"elapsed", "elapsed_s"}, KindDuration,
		"((coalesce(r.finished_ms, h.beat_ms) - r.created_ms) / 1000.0)", "h"},
	{"last_step", nil, KindInt, "h.last_step", "h"},
	{"updated", []string{"heartbeat", "heartbeat_at"}, KindTime, "h.beat_ms", "h"},
	{"host", nil, KindText, "h.host", "h"},
	{"pid", nil, KindInt, "h.pid", "h"},
	{"resumes", nil, KindInt, "r.resumes", ""},
	{"config", nil, KindText, "c.json", "c"},
	{"config_sha256", nil, KindText, "c.sha256", "c"},
	{"arm", []string{"arm_sha256"}, KindText, "c.arm_sha256", "c"},
	{"environment_sha256", nil, KindText, "n.sha256", "n"},
	{"note", nil, KindText, "r.note", ""},
	{"deleted", nil, KindBool, "(r.deleted_ms IS NOT NULL)", ""},
}

func findAttribute(name string) (attribute, bool) {
	for _, a := range attributes {
		if a.name == name {
			return a, true
		}
		for _, alias := range a.aliases {
			if alias == name {
				return a, true
			}
		}
	}
	return attribute{}, false
}

// AttributeNames returns the names of the fields of a run, aliases included.
func AttributeNames() []string {
	var names []string
	for _, a := range attributes {
		names = append(append(names, a.name), a.aliases...)
	}
	return names
}

// prefixes are what may stand before the dot of a name; MLflow has several spellings.
var prefixes = map[string]RefKind{
	"metrics": RefMetric, "metric": RefMetric,
	"params": RefParam, "param": RefParam, "parameters": RefParam, "parameter": RefParam,
	"tags": RefTag, "tag": RefTag,
	"env": RefEnv, "environment": RefEnv,
	"attributes": RefAttribute, "attribute": RefAttribute, "attr": RefAttribute, "run": RefAttribute,
}

// statuses that a run can have, and MLflow's words in capitals with what they stand for here.
var (
	statuses     = []string{"running", "finished", "failed", "diverged", "interrupted", "crashed"}
	mlflowStatus = map[string][]string{
		"RUNNING": {"running"}, "SCHEDULED": {}, "FINISHED": {"finished"},
		"FAILED": {"failed", "diverged", "crashed"}, "KILLED": {"interrupted"},
	}
)
