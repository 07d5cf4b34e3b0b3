package tracker

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReferences(t *testing.T) {
	s := openTest(t)
	a := startRun(t, s, RunConfig{Name: "lru-1"})
	startRun(t, s, RunConfig{Name: "twin"})
	startRun(t, s, RunConfig{Name: "twin"})
	for _, ref := range []string{a.ID(), strings.ToUpper(a.ID()), a.ID()[:8], "lru-1", fmt.Sprintf("#%d", a.RowID())} {
		info, err := s.Run(ctx, ref)
		if err != nil || info.ID != a.ID() {
			t.Errorf("%q gives %+v, %v", ref, info, err)
		}
	}
	if info, err := s.Run(ctx, fmt.Sprint(a.RowID())); err != nil || info.ID != a.ID() {
		t.Errorf("a bare number gives %+v, %v", info, err)
	}
	_, err := s.Run(ctx, "twin")
	wantError(t, err, ErrAmbiguous, `"twin" fits 2 runs`, "test/twin")
	_, err = s.Run(ctx, "lru-2")
	wantError(t, err, ErrNotFound, `no run "lru-2"`, `did you mean "lru-1"`)
	_, err = s.Run(ctx, "")
	wantError(t, err, ErrNotFound)
	_, err = s.Run(ctx, "#99")
	wantError(t, err, ErrNotFound)
	// A prefix that fits several ids: with 30 runs two share a first character (22 letters).
	for range 30 {
		startRun(t, s, RunConfig{})
	}
	all, err := s.Runs(ctx, Filter{})
	must(t, err)
	first := map[byte]int{}
	for _, r := range all {
		first[r.ID[0]]++
	}
	for c, n := range first {
		_, err := s.Run(ctx, string(c))
		if n > 1 {
			wantError(t, err, ErrAmbiguous, fmt.Sprintf("fits %d runs", n))
		} else {
			must(t, err)
		}
	}
	must(t, a.LogSync("loss", 1, 1))
	must(t, a.LogContext("eval", "accuracy", 1, 1))
	_, err = s.History(ctx, a.ID(), "los", "")
	wantError(t, err, ErrNotFound, `no metric "los"`, `did you mean "loss"`)
	_, err = s.History(ctx, a.ID(), "accuracy", "")
	wantError(t, err, ErrNotFound, "accuracy in context eval")
}

func TestFilters(t *testing.T) {
	clock := newFakeClock()
	s := openTest(t, WithClock(clock.now))
	for i, name := range []string{"a", "b", "c", "d"} {
		clock.move(time.Second)
		r := startRun(t, s, RunConfig{Experiment: []string{"odd", "even"}[i%2], Name: name, Group: []string{"", "g"}[i/2], Seed: int64(i),
			Config: []byte(fmt.Sprintf(`{"seed":%d,"lr":1}`, i)), Tags: map[string]string{"i": fmt.Sprint(i), "all": "x"}})
		if i != 3 {
			must(t, r.Finish([]Status{StatusFinished, StatusDiverged, StatusFailed}[i]))
		}
	}
	must(t, s.DeleteRun(ctx, "a"))
	infoB, err := s.Run(ctx, "b")
	must(t, err)
	for want, f := range map[string]Filter{
		"d c b":  {},
		"b c d":  {Order: OrderOldest},
		"c d":    {Order: OrderName, Offset: 1},
		"d b":    {Experiment: "even"},
		"d c":    {Group: "g"},
		"c b":    {Statuses: []Status{StatusFailed, StatusDiverged}},
		"c":      {Tags: map[string]string{"i": "2", "all": "x"}},
		"d":      {Limit: 1},
		"a":      {Deleted: true},
		"b":      {Name: "b"},
		"":       {Tags: map[string]string{"none": ""}},
		"b c d ": {Arm: infoB.ArmSHA256, Order: OrderName},
	} {
		runs, err := s.Runs(ctx, f)
		must(t, err)
		var names []string
		for _, r := range runs {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, " "); got != strings.TrimSpace(want) {
			t.Errorf("%+v: got %q, want %q", f, got, want)
		}
	}
	must(t, s.RestoreRun(ctx, infoID(t, s, Filter{Deleted: true})))
	_, err = s.Runs(ctx, Filter{Experiment: "evn"})
	wantError(t, err, ErrNotFound, `no experiment "evn"`, `"even"`)
	_, err = s.Runs(ctx, Filter{Order: "size"})
	wantError(t, err, ErrInvalid, "size", "newest")
	_, err = s.Runs(ctx, Filter{Statuses: []Status{"done"}})
	wantError(t, err, ErrInvalid, "done")
	_, err = s.Runs(ctx, Filter{Limit: -1})
	wantError(t, err, ErrInvalid, "-1")
	child := startRun(t, s, RunConfig{Name: "child", Parent: "b"})
	runs, err := s.Runs(ctx, Filter{Parent: "b"})
	must(t, err)
	if len(runs) != 1 || runs[0].ID != child.ID() || runs[0].Parent != infoB.ID {
		t.Errorf("children of b: %+v", runs)
	}
}

func infoID(t *testing.T, s *Store, f Filter) string {
	t.Helper()
	runs, err := s.Runs(ctx, f)
	must(t, err)
	return runs[0].ID
}

func TestParamTypes(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Config: []byte(`{"i":-7,"f":1.50,"e":1e3,"b":true,"s":"x","n":null,"l":[1,{"a":2}],"o":{},
		"big":18446744073709551615,"max":9223372036854775807,"deep":{"er":{"still":1}}}`)})
	params, err := s.Params(ctx, r.ID())
	must(t, err)
	want := "[{b bool true 1} {big int 18446744073709551615 1.8446744073709552e+19} {deep.er.still int 1 1} {e float 1000 1000} " +
		"{f float 1.5 1.5} {i int -7 -7} {l json [1,{\"a\":2}] 0} {max int 9223372036854775807 9.223372036854775807e+18} " +
		"{n null null 0} {o json {} 0} {s string x 0}]"
	want = strings.ReplaceAll(want, "9.223372036854775807e+18", "9.223372036854776e+18")
	if got := fmt.Sprint(params); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var n int
	must(t, s.rdb.QueryRow("SELECT count(*) FROM v_params WHERE (key = 'e' AND value > 999) OR (key = 'i' AND value = -7.0)").Scan(&n))
	if n != 2 {
		t.Errorf("%d numeric comparisons hold, want 2", n)
	}
}

// TestClockGoesBack: the last value logged at a step stays the last one.
func TestClockGoesBack(t *testing.T) {
	clock := newFakeClock()
	s := openTest(t, WithClock(clock.now))
	r := startRun(t, s, RunConfig{})
	must(t, r.Log("x", 1, 1))
	clock.move(-time.Hour)
	must(t, r.Log("x", 1, 2))
	must(t, r.Flush())
	latest, err := s.Latest(ctx, r.ID())
	must(t, err)
	if latest[0].Last != 2 {
		t.Errorf("last is %v", latest[0].Last)
	}
	must(t, r.Finish(StatusFinished))
}

func TestNetworkFS(t *testing.T) {
	h := defaultHooks()
	h.networkFS = func(string) (string, bool) { return "nfs", true }
	cfg := Config{Path: testPath(t)}
	_, err := openWith(cfg, h)
	wantError(t, err, ErrNetworkFS, cfg.Path, "nfs", "AllowNetworkFS")
	cfg.AllowNetworkFS = true
	s, err := openWith(cfg, h)
	must(t, err)
	must(t, s.Close())
}

func TestCloseInterrupts(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	r := startRun(t, s, RunConfig{Name: "r"})
	must(t, r.Log("x", 1, 1))
	must(t, s.Close())
	s = openAt(t, path)
	if got := statusOf(t, s, "r"); got != StatusInterrupted {
		t.Errorf("status %s", got)
	}
	if got := history(t, s, "r", "x", ""); len(got) != 1 {
		t.Errorf("history %v", got)
	}
}

func TestCancelledContext(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{})
	must(t, r.LogSync("x", 1, 1))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.History(cancelled, r.ID(), "x", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := s.Flush(cancelled); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	must(t, r.Log("x", 2, 1))
}

func TestEditDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{{"", ""}: 0, {"a", ""}: 1, {"loss", "los"}: 1, {"loss", "lsos"}: 1, {"kitten", "sitting"}: 3,
		{"abc", "abc"}: 0} {
		if got := editDistance(pair[0], pair[1]); got != want || editDistance(pair[1], pair[0]) != want {
			t.Errorf("%v: %d, want %d", pair, got, want)
		}
	}
	if got := fmt.Sprint(nearest("accuracy", []string{"loss", "eval/accuracy", "acuracy", "Accuracy"})); got != "[Accuracy acuracy eval/accuracy]" {
		t.Error(got)
	}
}

func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	random := seeded(3)
	for range 1000 {
		id, err := newID(random)
		must(t, err)
		if !validID(id) || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
	for _, bad := range []string{"", "0123456789", "abc", "abcdefghil", "abcdefghj.", "../../../x"} {
		if validID(bad) {
			t.Errorf("%q is taken for an id", bad)
		}
	}
}

func TestMountKind(t *testing.T) {
	info := "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n" +
		"90 22 0:50 / /mnt/remote rw - fuse.sshfs host:/x rw\n" +
		`91 22 0:51 / /mnt/a\040b rw - fuse.ntfs-3g /dev/sdb rw` + "\n"
	for dir, want := range map[string]string{"/": "ext4", "/mnt/remote": "fuse.sshfs", "/mnt/remote/x": "fuse.sshfs", "/mnt/remoter": "ext4",
		"/mnt/a b/c": "fuse.ntfs-3g"} {
		if got := mountKind(info, dir); got != want {
			t.Errorf("%s: %s, want %s", dir, got, want)
		}
	}
	if kind, bad := networkFS(filepath.Dir(t.TempDir())); bad {
		t.Errorf("the test folder is on %s", kind)
	}
}
