"""Does one piece of work with one tracker through its Python client, in this process, and prints what it cost.

    python peers.py TOOL WORK DIR N

WORK is as in ours.go: log, batch, history, search. Time and CPU are taken around the work alone, without imports and
preparation; CPU is this process and its children. At the end of log and batch everything has been handed to the
database, and the tool's own way of finishing a run has returned.
"""

import json, os, resource, sqlite3, statistics, sys, time

KEYS = ["loss", "accuracy", "norm", "lr", "time"]


def value(i):
    return (i * 7919 % 10007) / 10007


def cpu():
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def measure(work, repeats=1):
    """Returns the median wall time and the mean CPU time of some calls, in seconds."""
    walls, before = [], cpu()
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        walls.append(time.perf_counter() - began)
    return {"wall": statistics.median(walls), "cpu": (cpu() - before) / repeats}


def size(path):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(path) for f in files)


class MLflow:
    """MlflowClient on MLflow's SQLite store, without a server."""

    def __init__(self, path):
        import mlflow
        from mlflow.entities import Metric
        from mlflow.tracking import MlflowClient

        self.version, self.Metric, self.path = mlflow.__version__, Metric, path
        self.client = MlflowClient(tracking_uri=f"sqlite:///{path}/mlflow.db")
        found = self.client.get_experiment_by_name("bench")
        self.experiment = found.experiment_id if found else self.client.create_experiment("bench", artifact_location="file:///nowhere")
        self.runs = []

    def start(self):
        self.runs.append(self.client.create_run(self.experiment).info.run_id)

    def log(self, step):
        self.client.log_metric(self.runs[-1], "loss", value(step), step=step)

    def steps(self, n):
        """n steps of all keys, in batches of 1,000 values."""
        now = int(time.time() * 1000)
        for first in range(0, n, 200):
            self.client.log_batch(self.runs[-1], metrics=[
                self.Metric(k, value(i + j), now, i) for i in range(first, min(first + 200, n)) for j, k in enumerate(KEYS)])

    def finish(self):
        self.client.set_terminated(self.runs[-1])

    def history(self):
        return [m.value for m in self.client.get_metric_history(self.runs[0], "loss")]

    def fill(self, n):
        """Writes the rows of n runs with plain SQL: through the client it would take many minutes."""
        if self.client.search_runs([self.experiment], max_results=1):
            return
        db = sqlite3.connect(self.path + "/mlflow.db")
        e = int(self.experiment)
        for i in range(n):
            r = f"{i:032x}"
            db.execute("insert into runs (run_uuid, name, source_type, source_name, user_id, status, start_time, end_time,"
                       " lifecycle_stage, experiment_id, artifact_uri, entry_point_name, source_version)"
                       " values (?, ?, 'LOCAL', '', '', 'FINISHED', ?, ?, 'active', ?, 'file:///nowhere', '', '')",
                       (r, f"run {i}", 1767323045678 + i, 1767323045678 + i, e))
            db.execute("insert into params (key, value, run_uuid) values ('lr', ?, ?), ('width', ?, ?)",
                       (str(value(i)), r, str(i % 7), r))
            for table in ("metrics", "latest_metrics"):
                db.execute(f"insert into {table} (key, value, timestamp, run_uuid, step, is_nan) values ('loss', ?, 1767323045678, ?, 0, 0)",
                           (value(i), r))
        db.commit()
        db.execute("analyze")
        db.close()

    def search(self):
        found = self.client.search_runs([self.experiment], "metrics.loss < 0.5", order_by=["metrics.loss ASC"], max_results=1000)
        return [r.data.metrics["loss"] for r in found]


class Trackio:
    """trackio.log into its local SQLite file. It commits with synchronous=NORMAL, its default."""

    def __init__(self, path):
        os.environ.update(TRACKIO_DIR=path, HF_HUB_OFFLINE="1")
        import trackio

        self.version, self.trackio, self.n = trackio.__version__, trackio, 0

    def start(self):
        self.n += 1
        self.trackio.init(project="bench", name=f"run {self.n}", auto_log_gpu=False, auto_log_cpu=False)

    def log(self, step):
        self.trackio.log({"loss": value(step)}, step=step)

    def steps(self, n):
        for i in range(n):
            self.trackio.log({k: value(i + j) for j, k in enumerate(KEYS)}, step=i)

    def finish(self):
        self.trackio.finish()

    def history(self):
        from trackio.sqlite_storage import SQLiteStorage

        return [row["loss"] for row in SQLiteStorage.get_logs("bench", "run 1")]


class Aim:
    """aim.Run.track into a local repository (RocksDB)."""

    def __init__(self, path):
        import aim

        from importlib.metadata import version

        self.version, self.aim = version("aim"), aim
        self.repo = aim.Repo.from_path(path, init=True)

    def start(self):
        self.run = self.aim.Run(repo=self.repo, experiment="bench", log_system_params=False, capture_terminal_logs=False,
                                system_tracking_interval=None)

    def log(self, step):
        self.run.track(value(step), name="loss", step=step)

    def steps(self, n):
        for i in range(n):
            for j, k in enumerate(KEYS):
                self.run.track(value(i + j), name=k, step=i)

    def finish(self):
        self.run.close()


def run(tool, work, path, n):
    t = {"mlflow": MLflow, "trackio": Trackio, "aim": Aim}[tool](path)
    if work == "version":
        return {"version": t.version}
    if work == "log":
        def job():
            t.start()
            for i in range(n):
                t.log(i)
            t.finish()
        return measure(job)
    if work == "batch":
        empty = size(path)
        def job():
            for _ in range(10):
                t.start()
                t.steps(n // 10 // len(KEYS))
                t.finish()
        r = measure(job)
        r["bytes"] = size(path) - empty
        return r
    if work == "history":
        t.start()
        t.steps(n)  # the metric read has n values
        t.finish()
        values = []
        r = measure(lambda: values.extend(t.history()))  # once: trackio keeps what was read
        if len(values) != n:
            raise SystemExit(f"{len(values)} values came back, want {n}")
        return r
    if work == "search":
        t.fill(n)
        found = t.search()
        if len(found) != min(1000, sum(value(i) < 0.5 for i in range(n))) or found != sorted(found):
            raise SystemExit(f"search found {len(found)} runs, not those expected")
        return measure(t.search, 5)


if __name__ == "__main__":
    tool, work, path, n = sys.argv[1:]
    out, sys.stdout = sys.stdout, sys.stderr  # the tools chat
    os.makedirs(path, exist_ok=True)
    result = run(tool, work, path, int(n))
    out.write(json.dumps(result) + "\n")
    out.flush()
    os._exit(0)  # without what the tools do at exit
