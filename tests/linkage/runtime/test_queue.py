"""The queue that wakes workers, on each kind of store that is configured without another server."""

import pytest
from huey import PostgresHuey, RedisHuey, SqliteHuey

from linkage.worker import make_queue


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def queue(request, tmp_path):
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("empty_postgres")
    made = make_queue(url, tmp_path)
    yield made
    made.storage.close()


def test_a_wake_up_comes_out_again_once(queue):
    done = []
    work = queue.task(name="work")(lambda: done.append("work"))
    work()
    queue.execute(queue.dequeue())
    assert done == ["work"]
    assert queue.pending_count() == 0


def test_a_wake_up_leaves_no_result_behind(queue):
    work = queue.task(name="work")(lambda: 42)
    work()
    queue.execute(queue.dequeue())
    assert queue.result_count() == 0


@pytest.mark.parametrize(("url", "kind"), [("sqlite://", SqliteHuey), ("redis://127.0.0.1:6379/1", RedisHuey)])
def test_the_address_chooses_the_kind(url, kind, tmp_path):
    assert isinstance(make_queue(url, tmp_path), kind)


@pytest.mark.postgres
def test_the_databases_address_serves_for_the_queue(empty_postgres, tmp_path):
    assert isinstance(make_queue(empty_postgres, tmp_path), PostgresHuey)


def test_the_queue_on_disk_survives_a_power_cut(tmp_path):
    synchronous = make_queue("sqlite://", tmp_path).storage.conn.execute("pragma synchronous").fetchone()
    assert synchronous == (2,)
