"""Measures the kernel as a reader feels it: how long until it is ready, what
importing costs, how fast the stop button works.

    measure.py [--kernel bin/gophernotes] [--stock GOPHERNOTES] [--times 7]

Every figure is the median of --times runs, each in a kernel of its own, with
the fastest and the slowest. With --stock, another gophernotes is measured
between the runs, as far as it can.
"""
import argparse
import json
import os
import pathlib
import queue
import statistics
import sys
import tempfile
import time

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

ROOT = pathlib.Path(__file__).resolve().parents[3]
OURS = "github.com/gophersnake/gophersnake/"
PLAIN = ["fmt", "math", "os", "sort", "strings", "time"]
LONGEST = 120  # seconds, for an import that builds a plugin


def packages():
    """All paths of packages.txt, which are all that the kernel has tables for."""
    paths = []
    for line in (ROOT / "internal/bindings/packages.txt").read_text().splitlines():
        if line and line[0] not in "#/ \t":  # no comment, and no line about one name of a package
            paths.append(line.split()[0])
    return paths


class Kernel:
    """A kernel process, timed from before it is started."""

    def __init__(self, folder, path):
        kernels = pathlib.Path(folder, "kernels")
        spec = kernels / "measured"
        spec.mkdir(parents=True, exist_ok=True)
        (spec / "kernel.json").write_text(json.dumps({
            "argv": [path, "{connection_file}"], "display_name": "measured", "language": "go", "interrupt_mode": "message"}))
        specs = KernelSpecManager(kernel_dirs=[str(kernels)])
        self.manager = KernelManager(kernel_name="measured", kernel_spec_manager=specs)
        start = time.perf_counter()
        self.manager.start_kernel(stdout=-3, stderr=-3)  # to nowhere
        self.client: BlockingKernelClient = self.manager.blocking_client()
        self.client.start_channels()
        self.client.kernel_info()
        while not self.replied():
            if not self.manager.is_alive():
                self.close()
                raise RuntimeError("the kernel ended before it was ready")
        self.ready = time.perf_counter() - start
        self.client.wait_for_ready(timeout=LONGEST)

    def replied(self):
        try:
            return self.client.get_shell_msg(timeout=1)["msg_type"] == "kernel_info_reply"
        except queue.Empty:
            return False

    def wait(self, sent):
        """Returns the messages of a cell when it is over, and the time."""
        got, end = [], time.perf_counter() + LONGEST
        while time.perf_counter() < end:
            try:
                m = self.client.get_iopub_msg(timeout=1)
            except queue.Empty:
                if not self.manager.is_alive():
                    raise RuntimeError("the kernel died") from None
                continue
            if m["parent_header"].get("msg_id") == sent:
                got.append(m)
                if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle":
                    return got, time.perf_counter()
        raise RuntimeError(f"not over after {LONGEST} s")

    def run(self, code):
        """Returns how long a cell takes; its error, if any, is one of ours."""
        start = time.perf_counter()
        got, end = self.wait(self.client.execute(code))
        for m in got:
            if m["msg_type"] == "error":
                raise RuntimeError(m["content"]["evalue"])
        return end - start

    def interrupt(self, code):
        """Returns how long a running cell goes on after it is interrupted."""
        sent = self.client.execute(code)
        time.sleep(0.5)
        start = time.perf_counter()
        self.manager.interrupt_kernel()
        got, end = self.wait(sent)
        if not any(m["msg_type"] == "error" for m in got):
            raise RuntimeError("the cell ended by itself")
        return end - start

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def imports(paths):
    return "import (\n" + "\n".join(f'\t_ "{p}"' for p in paths) + "\n)"


TRAINING = f"""import ("{OURS}pkg/lab"; "{OURS}pkg/nb"; "{OURS}pkg/task")
e := lab.DefaultExperiment(task.Names()[0])
e.Steps = 1000000"""


def measure_ours(kernel):
    yield "import of all packages", kernel.run(imports(packages()))
    yield "the same again", kernel.run(imports(packages()))
    yield "import of " + ", ".join(PLAIN), kernel.run(imports(PLAIN))
    yield "interrupt of an interpreted loop", kernel.interrupt("for { }")
    kernel.run('import "time"')
    yield "interrupt of a sleep", kernel.interrupt("time.Sleep(time.Minute)")
    kernel.run(TRAINING)
    yield "interrupt of compiled training", kernel.interrupt("lab.Run(nb.Context(), e, lab.Options{})")


def measure_stock(kernel):
    yield "import of " + ", ".join(PLAIN), kernel.run(imports(PLAIN))


def once(label, path, measure, times):
    with tempfile.TemporaryDirectory() as folder:
        kernel = Kernel(folder, path)
        try:
            times.setdefault((label, "ready (spawn to kernel_info_reply)"), []).append(kernel.ready)
            for name, took in measure(kernel):
                times.setdefault((label, name), []).append(took)
        finally:
            kernel.close()


def main():
    about = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    about.add_argument("--kernel", default=str(ROOT / "bin/gophernotes"))
    about.add_argument("--stock", help="another gophernotes to measure in between")
    about.add_argument("--times", type=int, default=7)
    args = about.parse_args()
    times, failed = {}, {}
    for _ in range(args.times):
        once("ours", args.kernel, measure_ours, times)
        if args.stock:
            try:
                once("stock", args.stock, measure_stock, times)
            except (RuntimeError, queue.Empty) as err:
                failed[str(err)] = failed.get(str(err), 0) + 1
    print(f"medians of {args.times} (fastest to slowest), load {os.getloadavg()[0]:.1f}, {os.cpu_count()} CPUs, {len(packages())} packages")
    for (label, name), took in sorted(times.items(), key=lambda item: item[0][0]):
        ms = [1000 * t for t in took]
        print(f"{label:6} {name:50} {statistics.median(ms):8.0f} ms  ({min(ms):.0f} to {max(ms):.0f})")
    for err, n in failed.items():
        print(f"stock  failed {n} times: {err}")


if __name__ == "__main__":
    sys.exit(main())
