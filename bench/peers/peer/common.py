"""What the peers of `go run ./bench/peers` have in common: one process is one
measurement.

The job is argv[1] as JSON. A process builds its work from the weights of the
job, runs job["warm"] steps and prints what it found as one line of JSON; then
for every line with a number of seconds on standard input it runs steps for that
long, at least one, and prints their times. It ends with its input.
"""
import json
import sys
import time

import numpy as np


def status(key):
    """A size of this process in bytes, as Linux knows it; 0 elsewhere."""
    try:
        with open("/proc/self/status") as f:
            for line in f:
                if line.startswith(key + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def forget_peak():
    """Lets VmHWM start again from what the process has now, where Linux allows it."""
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        pass


def load(path):
    """Parameters (float32) and their groups by name, as the Go side wrote them."""
    with open(path + ".json") as f:
        index = json.load(f)
    data = np.fromfile(path, dtype=np.float32)
    p, groups, at = {}, {}, 0
    for entry in index:
        n = int(np.prod(entry["shape"]))
        p[entry["name"]], groups[entry["name"]] = data[at:at + n].reshape(entry["shape"]).copy(), entry["group"]
        at += n
    assert at == len(data), (at, len(data))
    return p, groups


def draw_tokens(n, vocab):
    """The same numbers as drawTokens of the Go side."""
    x, out = 1, []
    for _ in range(n):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append((x >> 16) % vocab)
    return out


def waves(n):
    """n numbers without a pattern that matters, mean 0 and variance 1, the same as
    waves of the Go side."""
    i = np.arange(n, dtype=np.int64)
    return (np.sqrt(2) * np.cos((i * i % 65521).astype(np.float64))).astype(np.float32)


def serve(job, work, base, **versions):
    """Warms work up, says what it found, and runs a turn for every line of input.
    work has warm(n), step() and params, the number of trained scalars."""
    start = time.perf_counter()
    found = work.warm(job["warm"])
    say({"params": work.params, "found": found, "base": base, "variant": job["variant"],
         "warmed": time.perf_counter() - start, **versions})
    for line in sys.stdin:
        say({"seconds": measure(work, float(line)), "peak": status("VmHWM")})


def measure(work, seconds):
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        work.step()
        times.append(time.perf_counter() - start)
    return times


def say(reply):
    print(json.dumps(reply), flush=True)
