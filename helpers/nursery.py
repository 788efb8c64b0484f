"""One preloaded process that forks kernels, so that no report pays for imports again.

The scientific stack takes over a second to import. The nursery imports it once, while the main
process is busy importing Papermill and nbconvert, and a kernel is then a fork of the nursery:
ready in milliseconds, its memory shared. The nursery stays free of threads and sockets of its
own, which is what makes forking it safe; it answers requests of one JSON line each, and kills
its kernels and ends when the process that started it is gone.
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What notebooks use, with what it stands on.
PRELOADED = (
    "numpy",
    "pandas",
    "matplotlib.backends.backend_svg",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "helpers.check",
    "helpers.report",
)


class NurseryGone(RuntimeError):
    """The nursery ended; ordinary kernels still work."""


class Nursery:
    """The preloaded process, as seen by the process that asks it for kernels.

    Parameters
    ----------
    environment : dict of str
        Environment variables of the nursery and its kernels.
    """

    def __init__(self, environment):
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "helpers.nursery", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the main process to act on
            )
        self._socket = ours
        self._answers = ours.makefile("r", encoding="utf-8")
        self._lock = threading.Lock()

    def ask(self, what, **details):
        """Send one request and wait for its answer, a dict."""
        try:
            with self._lock:
                self._socket.sendall(json.dumps({"what": what, **details}).encode() + b"\n")
                answer = self._answers.readline()
        except (OSError, ValueError) as error:
            raise NurseryGone(str(error)) from error
        if not answer:
            raise NurseryGone("the preloaded process ended")
        return json.loads(answer)

    def fork(self, argv, *, cwd, env):
        """Fork a kernel with these arguments of ``ipykernel``; returns a `Forked`."""
        return Forked(self, self.ask("fork", argv=argv, cwd=cwd, env=env)["pid"])

    def close(self):
        """End the nursery and every kernel that it forked."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._answers.close()
        self._socket.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Forked:
    """A forked kernel, with the part of `subprocess.Popen` that Jupyter uses."""

    stdin = stdout = stderr = None

    def __init__(self, nursery, pid):
        self.pid = pid
        self.returncode = None
        self._nursery = nursery

    def poll(self):
        """Return the exit status, or None while the kernel runs."""
        if self.returncode is None:
            try:
                self.returncode = self._nursery.ask("poll", pid=self.pid)["status"]
            except NurseryGone:
                self.returncode = -signal.SIGKILL  # the nursery takes its kernels with it
        return self.returncode

    def wait(self):
        """Wait for the end of the kernel and return its exit status."""
        while self.poll() is None:
            time.sleep(0.002)
        return self.returncode

    def send_signal(self, signum):
        """Signal the kernel and whatever it started."""
        if self.poll() is None:
            os.killpg(self.pid, signum)

    def kill(self):
        """Kill the kernel and whatever it started."""
        self.send_signal(signal.SIGKILL)

    terminate = kill


def serve(channel):
    """Answer requests on a socket until its other end closes (runs in the nursery)."""
    import gc

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.modules["debugpy"] = None  # 0.1 s in each kernel, for a debugger that nobody attaches
    for name in PRELOADED:
        # What cannot be imported fails in the notebook that imports it, with a place and a name.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    # A collection in a kernel need not touch, and so copy, what all kernels share; and the few
    # hundred figures of a report are no reason for a hundred collections.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    running = set()
    with channel, channel.makefile("rw", encoding="utf-8") as stream:
        for line in stream:
            answer = _answer(json.loads(line), channel, running)
            stream.write(json.dumps(answer) + "\n")
            stream.flush()
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _answer(request, channel, running):
    if request["what"] == "check":
        return check(request["review"])
    if request["what"] == "poll":
        pid, status = os.waitpid(request["pid"], os.WNOHANG)
        running.discard(pid)
        return {"status": os.waitstatus_to_exitcode(status) if pid else None}
    pid = os.fork()
    if pid == 0:
        os.close(channel.detach())
        _become_kernel(request)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)  # by both sides: whoever comes first, a signal finds the group
    running.add(pid)
    return {"pid": pid}


def _become_kernel(request):
    status = 1
    try:
        os.setpgid(0, 0)
        os.chdir(request["cwd"])
        os.environ.update(request["env"])
        from ipykernel.kernelapp import IPKernelApp

        parent = f"--IPKernelApp.parent_handle={os.getppid()}"  # ends with the nursery
        IPKernelApp.launch_instance(argv=[*request["argv"], parent])
        status = 0
    finally:
        os._exit(status)


def check(review):
    """Check a review folder; faults and warnings as lines of text."""
    from helpers.check import check

    findings = check(review)
    return {
        "faults": [str(finding) for finding in findings.faults],
        "warnings": [str(finding) for finding in findings.warnings],
    }


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
