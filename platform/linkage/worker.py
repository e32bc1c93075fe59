"""The worker: carries out jobs and, every minute, what is due.

The job's row in our database is the truth (`linkage.core.jobs`); Huey's queue only wakes a worker, and a
lost wake-up costs at most a minute. Jobs run in threads, since a solver must be able to start child
processes. A worker that is killed leaves its claim behind: the next one on the same machine sees at once
that the process is gone, one elsewhere when the lease has run out.
"""

from __future__ import annotations

import os
import platform
import threading
import uuid
from collections.abc import Callable
from typing import Any

import psutil
import structlog
from flask import Flask
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer

from linkage.core import clock, jobs
from linkage.core.errors import DomainError
from linkage.core.transactions import unit_of_work
from linkage.jobs import run_due

log = structlog.get_logger("linkage.worker")
JOB_SLOTS = 2
"""Jobs at a time. One more thread than that, so that what is due each minute never waits for a solver."""

BEAT_SECONDS = 5
STOP_SECONDS = 10
EXTENSION = "linkage-queue"


def make_queue(url: str, data_dir: Any) -> Huey:
    """Return the queue that `url` names: ``sqlite://`` (a file in the data folder), redis or postgresql.

    Results are never kept: who wants to know reads the job's row.
    """
    if url.startswith(("redis://", "rediss://", "unix://")):
        return RedisHuey("linkage", url=url, results=False)
    if url.startswith("postgresql"):
        return PostgresHuey("linkage", dsn=url.replace("+psycopg", ""), results=False)
    return SqliteHuey("linkage", filename=str(data_dir / "queue.db"), fsync=True, results=False)


def worker_name() -> str:
    """This process, so that another on the same machine can tell whether it still lives."""
    return f"{platform.node()[:40]}/{os.getpid()}/{int(psutil.Process().create_time())}"


def is_gone(name: str) -> bool:
    """Whether `name` is a process of this machine that no longer runs."""
    try:
        host, pid, created = name.rsplit("/", 2)
        if host != platform.node()[:40]:
            return False
        return int(psutil.Process(int(pid)).create_time()) != int(created)
    except psutil.NoSuchProcess:
        return True
    except ValueError:
        return False


class Runner:
    """Carries out jobs of one application in this process."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.name = worker_name()
        self._slots = threading.Semaphore(JOB_SLOTS)
        self._wanted = threading.Event()
        self._ticking = threading.Lock()

    def work(self) -> None:
        """Carry out waiting jobs until none is left; returns at once when all slots are busy."""
        self._wanted.set()
        while self._wanted.is_set() and self._slots.acquire(blocking=False):
            try:
                self._wanted.clear()
                while self.run_one():
                    pass
            finally:
                self._slots.release()

    def run_one(self) -> bool:
        """Claim one job and carry it out; False if none was waiting."""
        with self.app.app_context():
            job = unit_of_work(lambda: jobs.claim(self.name, now=clock.now()))
            if job is None:
                return False
            with Heartbeat(self.app, job.id, self.name), jobs.held_by(self.name):
                self._carry_out(job.id, job.kind, final=job.attempts >= jobs.MAX_ATTEMPTS)
        return True

    def _carry_out(self, job_id: uuid.UUID, kind: str, *, final: bool) -> None:
        log.info("job started", job=str(job_id), kind=kind)
        try:
            result = jobs.handler_for(kind)(job_id)
        except jobs.JobCancelled:
            end = self._ending(jobs.end_cancelled, job_id)
        except DomainError as error:
            end = self._ending(jobs.fail, job_id, failure=str(error.message), final=True)
        except Exception as error:
            log.exception("job failed", job=str(job_id), kind=kind)
            end = self._ending(jobs.fail, job_id, failure=type(error).__name__, final=final)
        else:
            end = self._ending(jobs.finish, job_id, result=result)
        if not unit_of_work(end):
            log.warning("job was taken by another worker", job=str(job_id), kind=kind)

    def _ending(self, how: Callable[..., bool], job_id: uuid.UUID, **values: Any) -> Callable[[], bool]:
        return lambda: how(job_id, self.name, now=clock.now(), **values)

    def tick(self) -> None:
        """Do what is due now, give back what dead workers held, then work."""
        if self._ticking.acquire(blocking=False):
            try:
                with self.app.app_context():
                    unit_of_work(lambda: jobs.release(is_gone))
                    run_due(clock.now())
            finally:
                self._ticking.release()
        self.work()


class Heartbeat:
    """While in the block, prolongs a job's lease every few seconds."""

    def __init__(self, app: Flask, job_id: uuid.UUID, name: str) -> None:
        self.app, self.job_id, self.name = app, job_id, name
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{job_id}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(BEAT_SECONDS)

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with self.app.app_context():
                try:
                    unit_of_work(lambda: jobs.beat(self.job_id, self.name))
                except Exception:  # the next beat may succeed; the lease is twelve beats long
                    log.exception("heartbeat", job=str(self.job_id))


def init_app(app: Flask) -> None:
    """Let the application wake workers. Unit tests carry jobs out themselves and wake nobody."""
    settings = app.config["SETTINGS"]
    if settings.mode == "test" and settings.queue_url == "sqlite://":
        return
    queue = make_queue(settings.queue_url, settings.data_dir)
    runner = Runner(app)
    work = queue.task(name="work")(runner.work)
    tick = queue.task(name="tick")(runner.tick)
    queue.periodic_task(crontab(), name="tick-every-minute")(runner.tick)
    app.extensions[EXTENSION] = {"queue": queue, "tick": tick}
    jobs.on_enqueue(lambda: wake(work))


def wake(task: Callable[[], Any]) -> None:
    """Put a wake-up into the queue. A queue that is away costs a minute, never the request that asked."""
    try:
        task()
    except Exception:
        log.exception("could not wake a worker")


def wake_for_due(app: Flask) -> None:
    """Ask the worker to do what is due at once."""
    if EXTENSION in app.extensions:
        wake(app.extensions[EXTENSION]["tick"])


def run(app: Flask) -> None:
    """Work until SIGTERM (jobs in hand get a few seconds; what is left is taken up by the next worker)."""
    wake_for_due(app)
    consumer = Consumer(
        app.extensions[EXTENSION]["queue"],
        workers=JOB_SLOTS + 1,
        max_delay=1.0,
        shutdown_timeout=STOP_SECONDS,
        graceful_signal="TERM",
    )
    consumer.run()
