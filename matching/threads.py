"""Chains side by side in threads: the compiled code needs no interpreter, so each takes a core."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

LOOK_SECONDS = 0.05

Job = Callable[[Event], None]


def together(jobs: Sequence[Job], look: Callable[[], None]) -> None:
    """Run every job in a thread of its own until all have ended; `look` is called now and then.

    Each job gets an event that is set when it is to end soon: `look` has raised (which is passed on, once
    all have ended), or another job has failed.
    """
    enough = Event()
    with ThreadPoolExecutor(len(jobs)) as pool:
        running = {pool.submit(job, enough) for job in jobs}
        try:
            while running:
                done, running = wait(running, LOOK_SECONDS)
                for one in done:
                    one.result()
                look()
        finally:
            enough.set()
