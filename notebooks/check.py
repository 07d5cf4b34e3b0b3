#!/usr/bin/env python3
"""Execute every notebook of this folder and check what came out.

    check.py [--kernel gophersnake] [--keep FOLDER] [--shared] [NAME ...]

Each notebook is executed top to bottom by nbclient, in a kernel of its own and
in an empty temporary folder, so that no earlier run's database is found. It
passes if no cell fails and its outputs hold what checks/NAME.json asks for:

    {"figures": 2,                            at least so many images
     "match":   ["finished after [0-9]+"],    each is found in the text
     "ranges":  [{"regex": "accuracy ([-0-9.e+]+)", "min": 0.9, "max": 1}],
     "orders":  [["fast: ([0-9.]+)", "slow: ([0-9.]+)"]],
     "seconds": 60}                           at most so long

A range's regex has one group, which is read as a number; every occurrence must
lie between min and max, and there must be one. The numbers of an order ascend:
every occurrence of a regex is less than all of the next one.

What is measured with a clock depends on what else the machine does. With
--shared, for machines that others use too, nothing that a clock decides fails:
a range has "shared" beside min and max, the [min, max] that holds there; orders
hold as they are; "seconds" is not looked at, and five times as much only ends a
notebook that hangs. All other numbers are held as tightly as ever.

A notebook without a check, a
check without a notebook and a check that asks for nothing are
failures: something must be claimed, or nothing is tested.

One line a notebook, then "N passed, N failed"; the exit status is 1 if one
failed, 2 if nothing could be run. The notebooks themselves are not changed.
"""

import argparse
import json
import math
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

HERE = Path(__file__).resolve().parent
CHECKS = HERE / "checks"
FIELDS = {"figures": int, "match": list, "ranges": list, "orders": list, "seconds": (int, float)}
HANG = 5  # times "seconds": nothing else ends a notebook on a shared machine
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def load_check(path):
    """Return the check and what is wrong with it."""
    if not path.exists():
        return None, [f"there is no checks/{path.name}"]
    try:
        check = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as err:
        return None, [f"checks/{path.name}: {err}"]
    if not isinstance(check, dict):
        return None, [f"checks/{path.name}: want an object"]
    bad = [f"checks/{path.name}: unknown field {k!r}" for k in check if k not in FIELDS]
    for key, kind in FIELDS.items():
        if key in check and (not isinstance(check[key], kind) or isinstance(check[key], bool)):
            bad.append(f"checks/{path.name}: {key} is {check[key]!r}")
    if bad:
        return None, bad
    if not any(check.get(k) for k in ("figures", "match", "ranges", "orders")):
        return None, [f"checks/{path.name} asks for nothing"]
    return check, check_patterns(path.name, check)


def check_patterns(name, check):
    bad = []
    for r in check.get("match", []):
        try:
            re.compile(r)
        except (re.error, TypeError) as err:
            bad.append(f"checks/{name}: match {r!r}: {err}")
    for r in check.get("ranges", []):
        try:
            if re.compile(r["regex"]).groups != 1:
                bad.append(f"checks/{name}: {r['regex']!r} needs exactly one group")
            if not ("min" in r or "max" in r) or set(r) - {"regex", "min", "max", "shared"}:
                bad.append(f"checks/{name}: {r['regex']!r} needs regex and min or max, and no other field than shared")
            shared = r.get("shared", [0, 0])
            if not (isinstance(shared, list) and len(shared) == 2):
                bad.append(f"checks/{name}: {r['regex']!r}: shared is {shared!r}, want [min, max]")
                shared = []
            for end, v in [(k, r[k]) for k in ("min", "max") if k in r] + [("shared", v) for v in shared]:
                if isinstance(v, bool) or not isinstance(v, (int, float)):
                    bad.append(f"checks/{name}: {r['regex']!r}: {end} is {v!r}, want a number")
        except (re.error, TypeError, KeyError) as err:
            bad.append(f"checks/{name}: range {r!r}: {err!r}")
    for order in check.get("orders", []):
        try:
            if len(order) < 2 or any(re.compile(r).groups != 1 for r in order):
                bad.append(f"checks/{name}: order {order!r} needs two regexes or more with one group each")
        except (re.error, TypeError) as err:
            bad.append(f"checks/{name}: order {order!r}: {err!r}")
    return bad


def text_of(nb):
    """The text of all outputs, what a reader sees without pictures."""
    parts = []
    for cell in nb.cells:
        for out in cell.get("outputs", []):
            if out.output_type == "stream":
                parts.append(out.text)
            elif out.output_type == "error":
                parts.append("\n".join(out.traceback))
            elif "data" in out:
                for mime in ("text/plain", "text/markdown", "text/latex"):
                    if mime in out.data and not (mime != "text/plain" and out.data[mime] == out.data.get("text/plain")):
                        parts.append(out.data[mime])
    return ESCAPE.sub("", "\n".join(parts))


def figures_of(nb):
    """Outputs that hold a picture, of which an empty one is none."""
    count = 0
    for cell in nb.cells:
        for out in cell.get("outputs", []):
            data = out.get("data", {})
            pictures = [v for k, v in data.items() if k.startswith("image/")]
            if any(pictures) or "<svg" in data.get("text/html", ""):
                count += 1
    return count


def numbers(regex, text):
    """What a regex's group finds; what is no number is NaN, which lies nowhere."""
    found = []
    for number in re.findall(regex, text, re.MULTILINE):
        try:
            found.append(float(number))
        except ValueError:
            found.append(math.nan)
    return found


def verify_range(r, text, shared):
    low, high = r.get("min", -math.inf), r.get("max", math.inf)
    if shared:
        low, high = r.get("shared", (low, high))
    found = numbers(r["regex"], text)
    if not found:
        return [f"nothing matches {r['regex']!r}"]
    return [f"{r['regex']!r} is {v:g}, want {low} to {high}" for v in found if not low <= v <= high]


def verify_order(order, text):
    found = [numbers(regex, text) for regex in order]
    bad = [f"nothing matches {regex!r}" for regex, values in zip(order, found) if not values]
    for i in range(len(order) - 1):
        if found[i] and found[i + 1] and not max(found[i]) < min(found[i + 1]):
            bad.append(f"{order[i]!r} is {max(found[i]):g}, want less than {order[i + 1]!r}, {min(found[i + 1]):g}")
    return bad


def verify(check, nb, seconds, shared):
    """Return what the outputs lack."""
    bad = []
    text, figures = text_of(nb), figures_of(nb)
    if figures < check.get("figures", 0):
        bad.append(f"{figures} figures, want {check['figures']}")
    for regex in check.get("match", []):
        if not re.search(regex, text, re.MULTILINE):
            bad.append(f"nothing matches {regex!r}")
    for r in check.get("ranges", []):
        bad += verify_range(r, text, shared)
    for order in check.get("orders", []):
        bad += verify_order(order, text)
    limit = check.get("seconds", 60)
    if seconds > limit and not shared:
        bad.append(f"took {seconds:.1f} s, at most {limit} s are allowed")
    return bad


def trim(text, lines=12):
    kept = ESCAPE.sub("", str(text)).strip().splitlines()
    return "\n".join(kept if len(kept) <= lines else ["…"] + kept[-lines:])


def execute(path, kernel, timeout):
    """Return the executed notebook, the seconds, and what went wrong."""
    nb = nbformat.read(path, as_version=4)
    nbformat.validate(nb)
    bad = []
    spec = nb.metadata.get("kernelspec", {}).get("name")
    if spec != "gophersnake":
        bad.append(f"its kernelspec is {spec!r}, want 'gophersnake'")
    if any(c.get("outputs") or c.get("execution_count") for c in nb.cells if c.cell_type == "code"):
        bad.append("its outputs are not cleared")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="notebook-") as folder:
        client = NotebookClient(nb, timeout=timeout, kernel_name=kernel, resources={"metadata": {"path": folder}})
        try:
            client.execute()
        except CellExecutionError as err:
            bad.append(trim(err))
        except CellTimeoutError as err:
            bad.append(f"a cell took more than {timeout:.0f} s: {trim(err, 4)}")
        except (DeadKernelError, RuntimeError) as err:
            bad.append(f"the kernel died: {trim(err, 4)}")
    return nb, time.monotonic() - start, bad


def run_one(path, kernel, keep, shared):
    """Return seconds, figures and problems of one notebook."""
    check, bad = load_check(CHECKS / f"{path.stem}.json")
    timeout = HANG * (check or {}).get("seconds", 60)  # so that a slow one is told by its time, not by a cell
    nb, seconds, failed = execute(path, kernel, timeout)
    if keep:
        nbformat.write(nb, Path(keep) / path.name)
    bad += failed
    if check and not bad:
        bad += verify(check, nb, seconds, shared)
    return seconds, figures_of(nb), bad


def main():
    about = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    about.add_argument("--kernel", default="gophersnake", help="name of the installed kernel")
    about.add_argument("--keep", metavar="FOLDER", help="write the executed notebooks there")
    about.add_argument("--shared", action="store_true", help="on a machine that others use too: no clock decides")
    about.add_argument("names", nargs="*", metavar="NAME", help="beginnings of notebook names; all if there is none")
    args = about.parse_args()
    try:
        KernelSpecManager().get_kernel_spec(args.kernel)
    except NoSuchKernel:
        print(f"there is no kernel {args.kernel!r}: install it with 'gophersnake kernel install'", file=sys.stderr)
        return 2
    if args.keep:
        os.makedirs(args.keep, exist_ok=True)
    wanted = lambda stem: not args.names or any(stem.startswith(n.removesuffix(".ipynb")) for n in args.names)
    notebooks = sorted(p for p in HERE.glob("*.ipynb") if wanted(p.stem))
    if not notebooks:
        print(f"there is no notebook to run in {HERE}", file=sys.stderr)
        return 2
    passed = failed = 0
    for path in notebooks:
        try:
            seconds, figures, bad = run_one(path, args.kernel, args.keep, args.shared)
        except Exception as err:  # a broken notebook must not hide the others
            seconds, figures, bad = 0.0, 0, [f"{type(err).__name__}: {trim(err)}"]
        print(f"{'ok  ' if not bad else 'FAIL'} {path.stem:<24} {seconds:6.1f} s  {figures} figures", flush=True)
        for line in bad:
            print("     " + line.replace("\n", "\n     "), flush=True)
        passed, failed = passed + (not bad), failed + bool(bad)
    for path in sorted(CHECKS.glob("*.json")):
        if wanted(path.stem) and not (HERE / f"{path.stem}.ipynb").exists():
            print(f"FAIL {path.stem:<24} there is no {path.stem}.ipynb", flush=True)
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
