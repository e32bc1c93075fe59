"""A whole installation for a journey: server and worker as processes, on a copy of the demo data."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from linkage.https import free_port

ROOT = Path(__file__).resolve().parents[2]
START = "2026-11-24T08:30"
"""A Tuesday morning in Shanghai; the demo data is generated around it."""


@dataclass
class Site:
    """One running installation.

    Attributes
    ----------
    data_dir : its database, clock, queue and secrets
    port : where it answers on loopback
    environment : settings on top of those of this process
    """

    data_dir: Path
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What server and worker wrote."""
        return self.data_dir / "site.log"

    def env(self) -> dict[str, str]:
        """The environment of its processes and commands."""
        own = {"LINKAGE_MODE": "demo", "LINKAGE_NOW": START, "LINKAGE_DATA_DIR": str(self.data_dir)}
        return {**os.environ, **own, "PORT": str(self.port), **self.environment}

    def flask(self, *arguments: str) -> str:
        """Run a command of the installation; return what it printed.

        Raises
        ------
        AssertionError
            it failed; the message is what it wrote.
        """
        command = [sys.executable, "-m", "flask", "--app", "app", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env(), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"flask {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> Site:
        """Start server and worker and wait until they answer."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "linkage.supervisor"],
                cwd=ROOT,
                env=self.env(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.wait_until_ready()
        return self

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Wait for /readyz.

        Raises
        ------
        AssertionError
            it is not ready in time; the message is the end of the log.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise AssertionError(f"not ready: {self.log.read_text(errors='replace')[-3000:]}")

    def stop(self) -> None:
        """Stop as Ctrl-C does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)
            self.process = None

    def kill(self, name: str) -> None:
        """kill -9 the `web` or the `worker` process; the supervisor starts another."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children()
        victims = [child for child in children if name in _command_line(child)]
        assert victims, f"no process {name}"
        for victim in victims:
            victim.kill()

    def accounts(self) -> list[dict[str, Any]]:
        """The demo accounts."""
        found: list[dict[str, Any]] = json.loads(self.flask("accounts"))
        return found

    def account(self, role: str, index: int = 0) -> dict[str, Any]:
        """The demo account of a role (the first, or the one at `index`)."""
        return [account for account in self.accounts() if account["role"] == role][index]

    def move_clock(self, moment: str) -> None:
        """Set the clock (`2026-11-24T09:30` in Shanghai, or `+2h`) and do what is due."""
        self.flask("clock", moment)


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # just killed
        return []


def make_demo(data_dir: Path) -> Path:
    """Create an installation with the demo data; copy the folder to have another in no time."""
    data_dir.mkdir(parents=True, exist_ok=True)
    Site(data_dir).flask("prepare")
    return data_dir


def copy_demo(source: Path, target: Path) -> Path:
    """A copy of an installation that does not run."""
    shutil.copytree(source, target)
    return target
