"""Writes the inputs of the import tests with the tools themselves.

    pip install mlflow==3.17.2 tensorboard==2.21.0 tensorboardX==2.6.5
    python make.py

mlruns/ and mlflow.db hold the same runs; known.json says what they hold, as MLflow's own client reads it back.
tb/ holds event files with scalars in the old form (tensorboardX) and in the new one (tensors).
"""
import json, math, os, pathlib, re, shutil, sqlite3, struct, sys

here = pathlib.Path(__file__).resolve().parent
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # newer versions ask for it


def fill(uri):
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.tracking import MlflowClient

    c = MlflowClient(tracking_uri=uri)
    e = c.create_experiment("ladder: Größe", artifact_location="file:///example/artifacts")
    known = []
    parent = None
    for i, status in enumerate(["FINISHED", "FAILED", "KILLED", "RUNNING"]):
        tags = {"team": "it's \"x\": y", "mlflow.note.content": "line 1\nline 2"}
        if parent:
            tags["mlflow.parentRunId"] = parent
        r = c.create_run(e, start_time=1767323045678 + i, tags=tags, run_name=f"run {i}: 'quoted'")
        parent = parent or r.info.run_id
        rid = r.info.run_id
        values = [0.5, math.nan, math.inf, -math.inf, 1e-300, 3.0][: 6 - i]
        c.log_batch(rid, metrics=[Metric("loss", v, 1767323046000 + 10 * k, 2 * k) for k, v in enumerate(values)]
                    + [Metric("eval/acc top", 0.1 * i, 1767323046000, 0)],
                    params=[Param("lr", "0.10"), Param("model.width", "64"), Param("name", "a: b"), Param("on", "true"),
                            Param("py", "True"), Param("big", "18446744073709551615"), Param("list", "[1, 2]")])
        if status != "RUNNING":
            c.set_terminated(rid, status, end_time=1767323050000)
        history = [[m.step, m.timestamp, str(m.value)] for m in sorted(c.get_metric_history(rid, "loss"), key=lambda m: m.step)]
        known.append({"id": rid, "status": status, "loss": history, "params": dict(c.get_run(rid).data.params)})
        if i == 2:
            c.delete_run(rid)
    return known


def mlflow():
    shutil.rmtree(here / "mlruns", ignore_errors=True)
    (here / "mlflow.db").unlink(missing_ok=True)
    known = {"mlruns": fill((here / "mlruns").as_uri()), "mlflow.db": fill(f"sqlite:///{here}/mlflow.db")}
    (here / "known.json").write_text(json.dumps(known, indent=1) + "\n")
    shutil.rmtree(here / "mlruns" / "0", ignore_errors=True)
    shutil.rmtree(here / "mlruns" / ".trash", ignore_errors=True)
    for meta in (here / "mlruns").rglob("meta.yaml"):
        meta.write_text(re.sub(re.escape(here.as_uri()), "file:///example", meta.read_text()))
    run = next((here / "mlruns").glob("*/" + known["mlruns"][0]["id"]))
    (run / "artifacts" / "plots").mkdir(parents=True, exist_ok=True)
    (run / "artifacts" / "plots" / "a.txt").write_text("content")
    shrink(here / "mlflow.db")


def shrink(path):
    """Leaves only the tables that are read, so that the file is small."""
    db = sqlite3.connect(path)
    keep = {"experiments", "runs", "metrics", "params", "tags", "latest_metrics"}
    for (t,) in db.execute("select name from sqlite_master where type = 'table'").fetchall():
        if t not in keep and not t.startswith("sqlite_"):
            db.execute(f'drop table "{t}"')
    db.execute("delete from experiments where experiment_id = 0")
    db.execute("update experiments set artifact_location = 'file:///example'")
    db.commit()
    db.execute("pragma page_size = 1024")
    db.execute("vacuum")
    db.close()


def tensorboard():
    import numpy as np
    from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
    from tensorboard.summary.writer.record_writer import RecordWriter
    from tensorboardX import SummaryWriter

    shutil.rmtree(here / "tb", ignore_errors=True)
    w = SummaryWriter(str(here / "tb" / "old" / "train"), filename_suffix=".x")
    for i, v in enumerate([0.5, math.nan, math.inf, -math.inf, 0.1]):
        w.add_scalar("loss/train", v, 10 * i, walltime=1767323045.678 + i)
    w.add_text("note", "text", 0, walltime=1767323045)
    w.close()
    for f in (here / "tb" / "old" / "train").iterdir():
        f.rename(f.with_name("events.out.tfevents.1767323045.host"))

    (here / "tb" / "new").mkdir()
    with open(here / "tb" / "new" / "events.out.tfevents.1767323045.host.v2", "wb") as f:
        out = RecordWriter(f)
        out.write(event_pb2.Event(wall_time=1767323045, file_version="brain.Event:2").SerializeToString())

        def add(step, tag, tensor):
            v = summary_pb2.Summary.Value(tag=tag, tensor=tensor)
            v.metadata.plugin_data.plugin_name = "scalars"
            out.write(event_pb2.Event(wall_time=1767323046.5, step=step, summary=summary_pb2.Summary(value=[v])).SerializeToString())

        T = tensor_pb2.TensorProto
        add(1, "f", T(dtype=1, tensor_content=np.float32(0.25).tobytes()))
        add(-2, "f", T(dtype=1, float_val=[math.nan]))
        add(3, "d", T(dtype=2, double_val=[0.1]))
        add(4, "d", T(dtype=2, tensor_content=np.float64(math.inf).tobytes()))
        add(5, "i", T(dtype=3, int_val=[-7]))
        add(6, "i", T(dtype=9, int64_val=[1 << 40]))
        add(7, "vector", T(dtype=1, float_val=[1, 2]))


if __name__ == "__main__":
    mlflow()
    tensorboard()
