"""Server and worker are kept running, and stop together."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil
import pytest

from linkage.supervisor import Child, main, supervise

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
# On SIGTERM this one takes half a second to finish its work.
FINISHES = """
import pathlib, signal, sys, time
def stop(*_):
    time.sleep(0.5); pathlib.Path(sys.argv[1]).write_text("finished"); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
pathlib.Path(sys.argv[1]).write_text("started")
time.sleep(60)
"""
SUPERVISOR = """
import sys, threading
from linkage.supervisor import Child, supervise
child = "from linkage.supervisor import follow_parent; import time; follow_parent(); time.sleep(60)"
supervise([Child("child", (sys.executable, "-c", child))], threading.Event())
"""


def eventually(condition: Callable[[], object], seconds: float = 10) -> bool:
    """Whether `condition` becomes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def running():
    """`running(child, …)` supervises the children until the test ends; returns the event that stops them."""
    started = []

    def start(*children: Child) -> tuple[threading.Event, threading.Thread]:
        stopping = threading.Event()
        thread = threading.Thread(target=supervise, args=(children, stopping))
        thread.start()
        started.append((stopping, thread))
        return stopping, thread

    yield start
    for stopping, thread in started:
        stopping.set()
        thread.join(10)


def test_a_killed_child_is_started_again(running):
    child = Child("worker", SLEEP)
    running(child)
    assert eventually(child.alive)
    first = child.process.pid
    child.process.kill()
    assert eventually(lambda: child.alive() and child.process.pid != first)


def test_a_child_that_keeps_dying_is_started_ever_more_slowly(running):
    child = Child("worker", (sys.executable, "-c", "raise SystemExit(1)"))
    running(child)
    assert eventually(lambda: child.pause_seconds >= 2)


def test_a_stop_lets_children_finish(running, tmp_path):
    child = Child("server", (sys.executable, "-c", FINISHES, str(tmp_path / "state")))
    stopping, thread = running(child)
    assert eventually((tmp_path / "state").exists)
    stopping.set()
    thread.join(10)
    assert (tmp_path / "state").read_text() == "finished"


def test_children_stop_when_the_supervisor_is_killed():
    supervisor = psutil.Popen([sys.executable, "-c", SUPERVISOR])
    assert eventually(lambda: supervisor.children())
    child = supervisor.children()[0]
    time.sleep(1)  # the child must have begun to watch
    supervisor.kill()
    supervisor.wait(5)
    assert eventually(lambda: not child.is_running())


def test_a_taken_port_is_said_with_another_to_use(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    assert f"PORT={port + 1} make run" in capsys.readouterr().err


def test_the_supervisor_is_up_without_the_application():
    code = "import sys, linkage.supervisor; print('flask' in sys.modules, 'sqlalchemy' in sys.modules)"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.split() == ["False", "False"]
