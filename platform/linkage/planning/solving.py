"""A planning run: short read snapshot → solve in a child process → check → short write.

No transaction is open while the child works. The old plan stays until the new one is stored, a plan that the
checker refuses is never stored, and a worker that dies leaves nothing half done: the job is taken up again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import structlog
from flask import current_app

from linkage.areas.models import Area
from linkage.core import audit, clock, jobs
from linkage.core.config import ROOT
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.rulesets import rule
from linkage.core.transactions import failpoint, unit_of_work
from linkage.planning.horizon import Horizon
from linkage.planning.models import Plan, PlanningLock
from linkage.planning.repairing import Standing, standing_for
from linkage.planning.snapshot import Snapshot, take
from linkage.planning.storing import store
from matching.instance_io import instance_to_json

log = structlog.get_logger("linkage.planning")
KIND = "planning.solve"
REPORT_SECONDS = 1.0
GRACE_SECONDS = 120  # beyond the search itself: reading, building, checking, explaining
CURVE_POINTS = 60


class SolverFailed(Exception):
    """The child ended without an answer, was too large, took too long, or its plan was refused."""


@dataclass
class Run:
    """What is known of a run while it lasts."""

    job_id: uuid.UUID
    area_id: int
    horizon: Horizon
    seconds: float
    seed: int
    repair: bool = False
    curve: list[list[float]] = field(default_factory=list)


@jobs.handler(KIND)
def solve_week(job_id: uuid.UUID) -> dict[str, Any]:
    """Carry out one planning run; returns {"plan_id", "number"}."""
    run = _read_run(job_id)
    earlier = _already_stored(job_id)
    if earlier is not None:
        return earlier
    snapshot, standing = _snapshot(run)
    jobs.report(job_id, {"percent": 1, "phase": "solving", "visits": len(snapshot.instance.visits)})
    failpoint("planning.after_snapshot")
    started = time.monotonic()
    answer = _solve(run, snapshot, standing)
    seconds = time.monotonic() - started
    failpoint("planning.before_store")

    def write() -> dict[str, Any]:
        plan = store(run.area_id, snapshot, answer, job_id=job_id, seconds=seconds, curve=run.curve, now=clock.now())
        plan.cause = "repair" if run.repair else None
        plan.requested_by = db.session.get_one(Job, job_id).requested_by
        _unlock(run.area_id)
        audit.record("planning.solve", plan, by=plan.requested_by, now=clock.now(), number=plan.number)
        return {"plan_id": str(plan.id), "number": plan.number}

    return unit_of_work(write)


def _read_run(job_id: uuid.UUID) -> Run:
    params = db.session.get_one(Job, job_id, populate_existing=True).params
    now = clock.now()
    horizon = Horizon(date.fromisoformat(params["first_day"]), date.fromisoformat(params["last_day"]), now)
    seed, repair = int(params.get("seed", 0)), bool(params.get("repair", False))
    return Run(job_id, params["area_id"], horizon, float(params["seconds"]), seed, repair)


def _already_stored(job_id: uuid.UUID) -> dict[str, Any] | None:
    """A worker that died between storing the plan and ending the job has left the plan: that is the answer."""
    plan = db.session.query(Plan).filter_by(job_id=job_id).one_or_none()
    return None if plan is None else {"plan_id": str(plan.id), "number": plan.number}


def _snapshot(run: Run) -> tuple[Snapshot, Standing | None]:
    """The instance; for a repair also what stands, read in the same moment."""
    try:
        area = db.session.get_one(Area, run.area_id)
        snapshot = take(area, run.horizon)
        return snapshot, standing_for(area, run.horizon, snapshot) if run.repair else None
    finally:
        db.session.rollback()


def _solve(run: Run, snapshot: Snapshot, standing: Standing | None) -> dict[str, Any]:
    memory = rule("planning.memory_megabytes", run.horizon.first)
    db.session.rollback()
    with work_folder(current_app.config["SETTINGS"].data_dir) as folder:
        (folder / "instance.json").write_text(instance_to_json(snapshot.instance))
        if standing is not None:
            (folder / "standing.json").write_text(instance_to_json(standing.instance))
            (folder / "first.json").write_text(json.dumps(standing.first))
        with _child(folder, run) as child:
            _watch(child, run, memory)
        path = folder / "answer.json"
        if not path.exists():
            raise SolverFailed(f"solver ended with {child.returncode}")
        answer: dict[str, Any] = json.loads(path.read_text())
    if answer["violations"]:
        log.error("plan refused by the checker", job=str(run.job_id), violations=answer["violations"][:20])
        raise SolverFailed("the checker refused the plan")
    return answer


@contextmanager
def work_folder(data_dir: Path) -> Iterator[Path]:
    """A folder for one run, readable by us alone; what an earlier crash left is removed."""
    base = data_dir / "solving"
    base.mkdir(mode=0o700, exist_ok=True)
    for left in base.iterdir():
        if time.time() - left.stat().st_mtime > 3600:
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _child(folder: Path, run: Run) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "linkage.planning.child", str(folder)]
    command += ["--seconds", str(run.seconds), "--seed", str(run.seed)]
    environment = {**_clean_environment(), "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for stream in (child.stdout, child.stderr):
            if stream is not None:
                stream.close()


def _clean_environment() -> dict[str, str]:
    """The child gets no secret: it needs none."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LINKAGE_")}


def _watch(child: subprocess.Popen[str], run: Run, memory_megabytes: int) -> None:
    """Report progress until the child ends; kill it when it is cancelled, too large or too slow."""
    process, latest = psutil.Process(child.pid), _Latest(child)
    ends = time.monotonic() + run.seconds + GRACE_SECONDS
    while child.poll() is None:
        time.sleep(REPORT_SECONDS / 4)
        try:
            size = process.memory_info().rss / 2**20
        except psutil.NoSuchProcess:
            break
        if size > memory_megabytes:
            raise SolverFailed("memory")
        if time.monotonic() > ends:
            raise SolverFailed("time")
        _report(run, latest)
    latest.join()
    _report(run, latest)
    if child.returncode:
        log.error("solver failed", job=str(run.job_id), said=latest.errors[-2000:])


def _report(run: Run, latest: _Latest) -> None:
    event = latest.take()
    if event is None and not latest.is_stale():
        return
    if event and "total" in event:
        run.curve.append([event["percent"], event["unserved"], event["total"]])
        if len(run.curve) > CURVE_POINTS:
            del run.curve[1::2]
    jobs.report(run.job_id, {"phase": "solving", **latest.merged, "curve": run.curve[-CURVE_POINTS:]})


class _Latest:
    """Reads the child's output in a thread; keeps the newest event."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.merged: dict[str, Any] = {}
        self.errors = ""
        self._fresh: dict[str, Any] | None = None
        self._reported = 0.0
        self._threads = [
            threading.Thread(target=self._read_events, args=(child,), daemon=True),
            threading.Thread(target=self._read_errors, args=(child,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read_events(self, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        for line in child.stdout:
            event = json.loads(line)
            self.merged = {**self.merged, **event}
            self._fresh = event

    def _read_errors(self, child: subprocess.Popen[str]) -> None:
        assert child.stderr is not None
        for line in child.stderr:
            self.errors = (self.errors + line)[-8000:]

    def take(self) -> dict[str, Any] | None:
        if time.monotonic() - self._reported < REPORT_SECONDS:
            return None
        event, self._fresh = self._fresh, None
        if event is not None:
            self._reported = time.monotonic()
        return event

    def is_stale(self) -> bool:
        """Nothing was reported for a while: report again, so that a cancel is noticed."""
        if time.monotonic() - self._reported < REPORT_SECONDS:
            return False
        self._reported = time.monotonic()
        return True

    def join(self) -> None:
        for thread in self._threads:
            thread.join(2)
        self._reported = 0.0


def _unlock(area_id: int) -> None:
    lock = db.session.get(PlanningLock, area_id)
    if lock is not None:
        lock.job_id = None
