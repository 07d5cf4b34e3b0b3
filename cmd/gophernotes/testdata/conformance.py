"""The kernel against Jupyter's own conformance suite and against what
notebooks need beyond it. Needs bin/gophernotes and the packages of
notebooks/requirements.txt; `make test-jupyter` has both. Nothing is timed here:
PATIENCE only finds hangs. measure.py, in this folder, measures.
"""
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
KERNEL = os.environ.get("GOPHERNOTES", str(ROOT / "bin" / "gophernotes"))
PATIENCE = 60  # seconds until what takes milliseconds is called a hang
JUPYTER = tempfile.TemporaryDirectory()
os.environ["JUPYTER_PATH"] = JUPYTER.name
os.environ["JUPYTER_RUNTIME_DIR"] = str(pathlib.Path(JUPYTER.name, "runtime"))

spec = pathlib.Path(JUPYTER.name, "kernels", "gophersnake")
spec.mkdir(parents=True)
(spec / "kernel.json").write_text(json.dumps({
    "argv": [KERNEL, "{connection_file}"], "display_name": "Go (gophersnake)", "language": "go",
    "interrupt_mode": "message",
}))

import jupyter_kernel_test  # noqa: E402
from jupyter_kernel_test.msgspec_v5 import validate_message  # noqa: E402
from jupyter_client.manager import KernelManager, start_new_kernel  # noqa: E402

jupyter_kernel_test.TIMEOUT = PATIENCE


class Conformance(jupyter_kernel_test.KernelTests):
    kernel_name = "gophersnake"
    language_name = "go"
    file_extension = ".go"
    code_hello_world = 'import ("fmt"; "os")\nfmt.Println("hello, world")'
    code_stderr = 'import ("fmt"; "os")\nfmt.Fprintln(os.Stderr, "oops")'
    completion_samples = [
        {"text": "display.Mark", "matches": {"Markdown", "Markdowner"}},
        {"text": "display.HTM", "matches": {"HTML", "HTMLer"}},
    ]
    complete_code_samples = ["x := 1", 'fmt.Println("hi")', "func f() int {\n return 1 }", "for i := range 3 {\n}"]
    incomplete_code_samples = ["func f() int {", "fmt.Println(", "x := `abc"]
    invalid_code_samples = ["x := := 1", "func f() int { return ) }", "1 2"]
    code_page_something = None  # Go has no pager
    code_generate_error = 'panic("boom")'
    code_execute_result = [
        {"code": "6*7", "result": "42"},
        {"code": '"a"+"b"', "result": "ab"},
        {"code": "min(3, 1, 2)", "result": "1"},
    ]
    code_display_data = [
        {"code": 'Display(display.HTML("<b>1</b>"))', "mime": "text/html"},
        {"code": "Display(display.PNG([]byte{1,2}))", "mime": "image/png"},
    ]
    code_history_pattern = "6?7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "display"
    code_clear_output = 'display.ClearOutput(false)'

    def execute_helper(self, code, timeout=PATIENCE, silent=False, store_history=True, stop_on_error=True):
        """The suite's own, without its tenth of a second for a message, which a busy machine may not hold."""
        sent = self.kc.execute(code=code, silent=silent, store_history=store_history, stop_on_error=stop_on_error)
        reply = self.get_non_kernel_info_reply(timeout=timeout)
        validate_message(reply, "execute_reply", sent)
        states, got = [], []
        while "idle" not in states:
            m = self.kc.get_iopub_msg(timeout=timeout)
            if m["parent_header"].get("msg_id") != sent:
                continue
            validate_message(m, m["msg_type"], sent)
            if m["msg_type"] == "status":
                states.append(m["content"]["execution_state"])
            elif m["msg_type"] == "execute_input":
                self.assertEqual(m["content"]["code"], code)
            else:
                got.append(m)
            self.assertEqual(states[:1], ["busy"])
        return reply, got


class Session:
    """One kernel and what its cells put out."""

    heard = ""  # all that was printed, whatever cell it belongs to

    def __init__(self, manager=None, start=True):
        if manager is None:
            self.manager, self.client = start_new_kernel(kernel_name="gophersnake")
            return
        self.manager = manager
        if start:
            self.manager.start_kernel()
        self.client = manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def send(self, code):
        return self.client.execute(code)

    def collect(self, sent, seconds=PATIENCE):
        """Returns the messages that cell `sent` published, up to its idle."""
        got, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                m = self.client.get_iopub_msg(timeout=0.2)
            except queue.Empty:
                continue
            if m["msg_type"] == "stream":
                self.heard += m["content"]["text"]
            if m["parent_header"].get("msg_id") != sent:
                continue
            if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle":
                return got
            got.append(m)
        raise AssertionError(f"the cell was not idle after {seconds} s: {got}")

    def run(self, code):
        return self.collect(self.send(code))

    def ask(self, sent, kind):
        """Returns the content of the reply of a kind to the request `sent`."""
        while True:
            m = self.client.get_shell_msg(timeout=PATIENCE)
            if m["msg_type"] == kind and m["parent_header"].get("msg_id") == sent:
                return m["content"]

    def died(self):
        end = time.monotonic() + PATIENCE
        while self.manager.is_alive() and time.monotonic() < end:
            time.sleep(0.05)
        return not self.manager.is_alive()


def stream(messages, name="stdout"):
    return "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream" and m["content"]["name"] == name)


def result(messages):
    return "".join(m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result")


def error(messages):
    return "\n".join("\n".join(m["content"]["traceback"]) for m in messages if m["msg_type"] == "error")


class Notebook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.session = Session()
        cls.session.run('import ("fmt"; "os"; "time"; "strings")\nkept := 41')

    @classmethod
    def tearDownClass(cls):
        cls.session.close()

    def interrupted(self, code):
        sent = self.session.send(code)
        time.sleep(0.4)
        self.session.manager.interrupt_kernel()
        got = self.session.collect(sent)
        self.assertIn("interrupted", error(got))
        self.assertEqual(result(self.session.run("kept + 1")), "42")

    def test_interrupt_loop(self):
        self.interrupted("for { }")

    def test_interrupt_loop_in_function(self):
        self.interrupted("n := 0\nfunc spin() { for { n++ } }\nspin()")

    def test_interrupt_sleep(self):
        self.interrupted("time.Sleep(20 * time.Second)")

    def test_interrupt_training(self):
        self.session.run('import ("github.com/gophersnake/gophersnake/pkg/lab"; "github.com/gophersnake/gophersnake/pkg/nb"; "github.com/gophersnake/gophersnake/pkg/task")\ne := lab.DefaultExperiment(task.Names()[0])\ne.Steps = 1000000')
        self.interrupted("lab.Run(nb.Context(), e, lab.Options{})")

    def test_interrupt_channel(self):
        self.interrupted("stuck := make(chan int)\n<-stuck")
        self.assertEqual(result(self.session.run("func late() int { return kept }\nlate()")), "41")

    def test_interrupt_after_channel(self):
        self.interrupted("stuck2 := make(chan int)\n<-stuck2\nfmt.Println(\"not reached\")")
        got = self.session.run("stuck2 <- 1\ntime.Sleep(50*time.Millisecond)\nkept = 41; kept")
        self.assertEqual(result(got), "41")
        self.assertNotIn("not reached", stream(got))
        self.interrupted("for { }")

    def test_ordered_output(self):
        got = self.session.run('for i := range 3 { fmt.Println(i); Display(display.HTML(fmt.Sprint(i))) }\n"end"')
        kinds = [m["msg_type"] for m in got if m["msg_type"] in ("stream", "display_data", "execute_result")]
        self.assertEqual(kinds, ["stream", "display_data"] * 3 + ["execute_result"])

    def test_flood(self):
        got = self.session.run('for i := range 200000 { fmt.Println("line", i) }')
        self.assertLess(sum(m["msg_type"] == "stream" for m in got), 2000)
        self.assertIn("is not shown", stream(got)[-200:])

    def test_ten_megabytes(self):
        got = self.session.run('fmt.Print(strings.Repeat("x", 10<<20)); fmt.Fprint(os.Stderr, "heard")')
        self.assertIn("is not shown", stream(got)[-200:])
        self.assertEqual(stream(got, "stderr"), "heard")
        self.assertEqual(stream(self.session.run('fmt.Print("next")')), "next")

    def test_bad_utf8(self):
        got = self.session.run(r'os.Stdout.Write([]byte("a\xffb"))' + "\nkept")
        self.assertEqual(stream(got), "a\ufffdb")

    def test_late_goroutine(self):
        self.session.run('gate, over := make(chan int), make(chan int)\ngo func() { <-gate; fmt.Println("late"); close(over) }()')
        got = self.session.run("close(gate); <-over")
        self.assertEqual(stream(got), "late\n")

    def test_goroutine_panic(self):
        self.session.run('go func() { var m map[string]int; m["a"] = 1 }()')
        end = time.monotonic() + PATIENCE
        while "The goroutine has ended" not in self.session.heard and time.monotonic() < end:
            self.session.run("time.Sleep(50*time.Millisecond)")
        self.assertIn("panic in a goroutine: assignment to entry in nil map", self.session.heard)
        self.assertEqual(result(self.session.run("kept")), "41")

    def test_update(self):
        got = self.session.run('display.Show("here", display.HTML("1"))\ndisplay.Update("here", display.HTML("2"))')
        sent = [(m["msg_type"], m["content"]["transient"], m["content"]["data"]["text/html"]) for m in got if "display_data" in m["msg_type"]]
        self.assertEqual(sent, [("display_data", {"display_id": "here"}, "1"), ("update_display_data", {"display_id": "here"}, "2")])

    def test_clear_output(self):
        got = self.session.run("display.ClearOutput(true)\ndisplay.ClearOutput(false)")
        self.assertEqual([m["content"]["wait"] for m in got if m["msg_type"] == "clear_output"], [True, False])

    def test_comm_info(self):
        self.assertEqual(self.session.ask(self.session.client.comm_info(), "comm_info_reply"), {"status": "ok", "comms": {}})

    def test_completion(self):
        self.session.run("someBuilder := strings.Builder{}")
        for code, match in (("strings.Repl", "ReplaceAll"), ("someBuil", "someBuilder"), ("someBuilder.WriteS", "WriteString"), ("fmt.Sprint(strings.Ind", "IndexByte")):
            reply = self.session.ask(self.session.client.complete(code, len(code)), "complete_reply")
            self.assertIn(match, reply["matches"])
            self.assertTrue(match.startswith(code[reply["cursor_start"]:]), reply)

    def test_history(self):
        self.session.run("777 + 1")
        reply = self.session.ask(self.session.client.history(hist_access_type="search", pattern="777*"), "history_reply")
        self.assertEqual(reply["history"][-1][2], "777 + 1")

    def test_run_again(self):
        code = 'err := fmt.Errorf("a")\nvar again = 1\nfunc ff() int { return 1 }\ntype tt struct{}\nfunc (tt) M() {}\nif err != nil { fmt.Print("x") }'
        for _ in range(3):
            got = self.session.run(code)
            self.assertEqual((stream(got), stream(got, "stderr"), error(got)), ("x", "", ""))

    def test_bad_methods(self):
        self.session.run('type bad struct{}\nfunc (bad) HTML() string { panic("no HTML") }\nfunc (bad) SVG() string { panic("no SVG") }')
        self.assertRegex(error(self.session.run("bad{}")), "no (HTML|SVG)")
        sent = self.session.client.execute("kept", user_expressions={"a": "bad{}", "b": "kept + 1", "c": "nowhere"})
        got = self.session.ask(sent, "execute_reply")["user_expressions"]
        self.assertEqual([got[name]["status"] for name in "abc"], ["error", "ok", "error"])
        self.assertRegex(got["a"]["evalue"], "no (HTML|SVG)")
        self.assertEqual(got["b"]["data"]["text/plain"], "42")
        self.assertRegex(error(self.session.run('Display(display.Any("", bad{}))\nvar never chan int\n')), "unsupported type|no (HTML|SVG)")
        self.assertEqual(result(self.session.run("kept")), "41")

    def test_all_or_nothing(self):
        got = self.session.run('fmt.Println("not reached")\nkept = 7\nnowhere()')
        self.assertIn("undefined identifier: nowhere", error(got))
        self.assertEqual(stream(got), "")
        self.assertEqual(result(self.session.run("kept")), "41")

    def test_front_ends_come_and_go(self):
        for _ in range(5):
            other = self.session.manager.blocking_client()
            other.start_channels()
            other.hb_channel.unpause()
            other.wait_for_ready(timeout=PATIENCE)
            other.stop_channels()
        self.assertEqual(result(self.session.run("kept")), "41")
        self.assertTrue(self.session.manager.is_alive())

    def test_stop_on_error(self):
        first, second = self.session.send('time.Sleep(500*time.Millisecond); panic("no")'), self.session.send("kept = 7")
        self.session.collect(first)
        self.session.collect(second)
        self.assertEqual(result(self.session.run("kept")), "41")

    def test_input_refused(self):
        got = self.session.run("var name string\n_, err := fmt.Scanln(&name)\nerr")
        self.assertIn("EOF", result(got))

    def test_exit_refused(self):
        self.assertIn("would end the kernel", error(self.session.run("os.Exit(3)")))

    def inspect(self, code):
        reply = self.session.ask(self.session.client.inspect(code, len(code)), "inspect_reply")
        return reply["data"].get("text/plain", "")

    def test_inspect(self):
        self.assertIn("func Println(a ...any) (n int, err error)", self.inspect("fmt.Println"))
        self.assertIn("Spaces are always added", self.inspect("fmt.Println("))
        self.assertIn("package strings", self.inspect("strings"))
        self.session.run("var sb strings.Builder")
        self.assertIn("func (b *Builder) Len() int", self.inspect("sb.Len"))
        self.session.run("// half of x\nfunc half(x float64) float64 { return x/2 }")
        self.assertIn("func half(x float64) float64", self.inspect("half"))
        self.session.run('import "github.com/gophersnake/gophersnake/pkg/tensor"')
        self.assertRegex(self.inspect("tensor.From("), r"(?s)func From\(d \*Device, .*\) \*Tensor.+From ")

    def test_unknown_import(self):
        self.assertIn('package "example.com/nowhere" is not compiled', error(self.session.run('import "example.com/nowhere"')))

    def test_errors_name_the_line(self):
        self.assertIn(":2:", error(self.session.run("a := 1\nb := a + nope")))
        self.assertIn("line 2: bad[9]", error(self.session.run("bad := []int{1}\nbad[9]")))
        self.assertTrue(error(self.session.run("x := := 3")))


# Overrides a function of the C library that cells can reach, to print from C.
C_SOURCE = """
#include <stdio.h>
#include <netdb.h>
int getaddrinfo(const char *n, const char *s, const struct addrinfo *h, struct addrinfo **r) {
  printf("from C, no end of line: %s", n);
  return EAI_NONAME;
}
"""


@unittest.skipUnless(sys.platform == "linux" and shutil.which("cc"), "needs Linux and a C compiler")
class FromC(unittest.TestCase):
    def test_output(self):
        with tempfile.TemporaryDirectory() as folder:
            source, library = pathlib.Path(folder, "say.c"), pathlib.Path(folder, "say.so")
            source.write_text(C_SOURCE)
            subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
            manager = KernelManager(kernel_name="gophersnake")
            manager.start_kernel(env={**os.environ, "LD_PRELOAD": str(library), "GODEBUG": "netdns=cgo"})
            session = Session(manager, start=False)
            try:
                got = session.run('import ("net"; "fmt")\nfmt.Print("first, ")\nnet.LookupHost("here")\nfmt.Print(", last")')
                self.assertIn("from C, no end of line: here", stream(got))
                self.assertEqual(stream(session.run('fmt.Print("next")')), "next")
            finally:
                session.close()


CRASH = 'time.AfterFunc(0, func() { panic("gone") }); time.Sleep(time.Minute)'


class Crash(unittest.TestCase):
    def test_restart(self):
        """As Jupyter's server restarts a kernel: the same ports, the same client, which does not wait."""
        session = Session()
        try:
            for i in range(3):
                session.run('import "time"')
                session.send(CRASH)
                self.assertTrue(session.died())
                session.manager.restart_kernel(now=True)
                got = session.run(f"{i} + 1")
                self.assertIn("panic: gone", stream(got, "stderr"))
                self.assertEqual((result(got), error(got)), (str(i + 1), ""))
        finally:
            session.close()

    def test_status_is_repeated(self):
        """A front end that subscribes only after its question was answered hears all the same that the kernel is idle."""
        manager = KernelManager(kernel_name="gophersnake")
        manager.start_kernel()
        client = manager.blocking_client()
        client.start_channels(iopub=False)
        try:
            sent = client.kernel_info()
            self.assertEqual(client.get_shell_msg(timeout=PATIENCE)["parent_header"]["msg_id"], sent)
            m = client.get_iopub_msg(timeout=PATIENCE)  # connects
            self.assertEqual((m["content"].get("execution_state"), m["parent_header"].get("msg_id")), ("idle", sent))
            self.assertTrue(self.idle_after_nothing(client))
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)

    def test_status_after_nothing(self):
        """JupyterLab passes over a status that follows a kernel_info_request: one that follows nothing comes after it."""
        session = Session()
        try:
            for _ in range(3):
                session.client.kernel_info(reply=True, timeout=PATIENCE)
                self.assertTrue(self.idle_after_nothing(session.client))
                self.assertEqual(result(session.run("6 * 7")), "42")
        finally:
            session.close()

    def idle_after_nothing(self, client):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            m = client.get_iopub_msg(timeout=PATIENCE)
            if m["content"].get("execution_state") == "idle" and not m["parent_header"].get("msg_id"):
                return True
        return False

    def test_endless_recursion(self):
        session = Session()
        try:
            got = session.run("func down(n int) int { return down(n+1) + 1 }\nkept := 41\ndown(0)")
            self.assertIn("stack overflow", error(got))
            self.assertEqual(result(session.run("kept")), "41")
        finally:
            session.close()

    def test_trace_is_kept(self):
        session = Session()
        try:
            session.run('import "time"')
            session.send(CRASH)
            self.assertTrue(session.died(), "a panic in a goroutine of the library ends the kernel")
            trace = pathlib.Path(session.manager.connection_file).with_suffix(".crash").read_text()
            self.assertIn("panic: gone", trace)
        finally:
            session.close()

    def test_trace_is_shown(self):
        # With cache_ports Jupyter picks other ports at the start and rewrites the file while the kernel reads it.
        manager = KernelManager(kernel_name="gophersnake", cache_ports=False)
        manager.write_connection_file()
        pathlib.Path(manager.connection_file).with_suffix(".crash").write_text("panic: gone\n\ngoroutine 7 [running]:\n")
        session = Session(manager)
        try:
            got = session.run("1+1")
            self.assertIn("The kernel crashed", stream(got, "stderr"))
            self.assertIn("panic: gone", stream(got, "stderr"))
            self.assertEqual(result(got), "2")
            self.assertNotIn("crashed", stream(session.run("1+1"), "stderr"))
        finally:
            session.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
