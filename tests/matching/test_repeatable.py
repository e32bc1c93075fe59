"""An iteration budget gives the same plan, whoever else uses the machine: other threads, or a process that is held."""

import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from matching.feasibility import check
from matching.generate import generate_street
from matching.instance import Instance
from matching.instance_io import plan_to_json
from matching.lookup import Lookup
from matching.routing import polish_days
from matching.search import Search
from matching.solve import solve
from matching.stop import MaxIterations

HELD_SECONDS, RUNS_SECONDS, TIMES = 0.11, 0.003, 20


def test_searches_in_several_threads_of_one_process_find_the_same_plan():
    street = generate_street(7, visits_per_day=20, days=1, carers=8, volunteers=4)
    with ThreadPoolExecutor(4) as threads:
        plans = list(threads.map(lambda _: solve(street, MaxIterations(15), seed=3), range(4)))
    assert check(street, plans[0]) == []
    assert len({plan_to_json(plan) for plan in plans}) == 1


def test_a_process_that_is_held_now_and_then_polishes_to_the_same_routes():
    street = generate_street(7, visits_per_day=35, days=2, carers=10, volunteers=6)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_polish_and_tell, args=(street, theirs))
    process.start()
    assert ours.recv() == "begins"
    for _ in range(TIMES):
        time.sleep(RUNS_SECONDS)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(HELD_SECONDS)
        os.kill(process.pid, signal.SIGCONT)
    held = ours.recv()
    process.join()
    assert held == _polished(_constructed(street))


def _polish_and_tell(street: Instance, connection: Connection) -> None:
    search = _constructed(street)
    connection.send("begins")
    connection.send(_polished(search))


def _constructed(street: Instance) -> Search:
    search = Search(Lookup(street), 3)
    for _ in search.construct():
        pass
    return search


def _polished(search: Search) -> bytes:
    plans = [plan for plan, _ in polish_days(search, MaxIterations(0))]
    return b"".join(plan.route.tobytes() for plan in plans)
