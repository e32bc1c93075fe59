"""Start the web server and the worker together, and start again whichever dies (`make run`).

Both are children of this process; it knows nothing of Flask, so it is up at once and little can go wrong.
A stop (Ctrl-C or SIGTERM) is passed on; the children finish what they are doing. Should this process itself
be killed, the children notice and stop (`follow_parent`).
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field

from linkage.server import listen

FLASK = (sys.executable, "-m", "flask", "--app", "app")
STOP_SECONDS = 30
READY_SECONDS = 60
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STABLE_SECONDS = 60
PARENT_VARIABLE = "LINKAGE_SUPERVISOR_PID"


def complain(text: str) -> None:
    """Write a line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


@dataclass
class Child:
    """One supervised process."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause_seconds: float = FIRST_PAUSE_SECONDS
    not_before: float = field(default=0.0)

    def start(self) -> None:
        """Start the process in its own session: Ctrl-C reaches the supervisor alone, which stops in order."""
        env = {**os.environ, PARENT_VARIABLE: str(os.getpid())}
        self.process = subprocess.Popen(self.command, env=env, start_new_session=True, stdin=subprocess.DEVNULL)
        self.started = time.monotonic()

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def look_after(self) -> None:
        """Start the process if it does not run, after a pause that doubles while it keeps dying."""
        now = time.monotonic()
        if self.alive():
            if now - self.started > STABLE_SECONDS:
                self.pause_seconds = FIRST_PAUSE_SECONDS
            return
        if self.process is not None:
            complain(f"{self.name} ended with code {self.process.returncode}; starting it again")
            self.process = None
            self.not_before = now + self.pause_seconds
            self.pause_seconds = min(2 * self.pause_seconds, LONGEST_PAUSE_SECONDS)
        if now >= self.not_before:
            self.start()

    def stop(self) -> None:
        """Ask the process to finish."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def join(self, deadline: float) -> None:
        """Wait for the end until `deadline` (monotonic seconds), then end it."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def supervise(children: Sequence[Child], stopping: threading.Event) -> None:
    """Keep the children running until `stopping` is set, then stop them all."""
    try:
        while not stopping.is_set():
            for child in children:
                child.look_after()
            stopping.wait(0.25)
    finally:
        for child in children:
            child.stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in children:
            child.join(deadline)


def follow_parent() -> None:
    """In a child: stop when the supervisor is gone. Does nothing where there is none."""
    parent = int(os.environ.get(PARENT_VARIABLE, "0"))
    if not parent:
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()


def wait_until_ready(address: str, stopping: threading.Event) -> bool:
    """Ask /readyz until it says yes; False when it did not within a minute."""
    deadline = time.monotonic() + READY_SECONDS
    while not stopping.is_set() and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            pass
        stopping.wait(0.2)
    return False


def _free(host: str, port: int) -> bool:
    try:
        listen(host, port).close()
    except OSError:
        return False
    return True


def _announce(address: str, stopping: threading.Event) -> None:
    if wait_until_ready(address, stopping):
        print(f"\n  Linkage 邻联 is ready: {address}\n  Stop it with Ctrl-C.\n", flush=True)
    elif not stopping.is_set():
        complain(f"The server at {address} did not get ready; see the messages above.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run server and worker until stopped; 2 when the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m linkage.supervisor", description=__doc__.splitlines()[0])
    parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    options = parser.parse_args(arguments)
    if not _free(options.host, options.port):
        complain(f"Port {options.port} is in use. Choose another: PORT={options.port + 1} make run")
        return 2
    where = ("--host", options.host, "--port", str(options.port))
    children = [Child("server", (*FLASK, "web", *where)), Child("worker", (*FLASK, "worker"))]
    stopping = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stopping.set())
    shown = "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{options.port}"
    threading.Thread(target=_announce, args=(address, stopping), daemon=True).start()
    supervise(children, stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
