"""A cluster whose workers are killed: what they held is done again, or an error says what."""

from __future__ import annotations

import operator
import os
import pickle
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from hsc.errors import ConfigurationError, WorkersLostError
from hsc.workers import Bounds, ClusterWorkers, Isolation, isolated, open_workers

pytestmark = [
    pytest.mark.timeout(115),
    pytest.mark.skipif(os.name != "posix", reason="kills as POSIX has them"),
]


def spend(folder: str, number: int) -> int:
    """Leave a trace of every run, and take a while."""
    (Path(folder) / f"{number}.{os.getpid()}.{time.monotonic_ns()}").touch()
    time.sleep(0.15)
    return number * number


def kill_self(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_worker_killed_in_the_middle_costs_no_more_than_it_held(tmp_path: Path):
    with open_workers("processes", 2) as workers:
        assert workers.processes == 2
        task = partial(spend, str(tmp_path))

        def strike() -> None:
            while len(list(tmp_path.iterdir())) < 8:
                time.sleep(0.02)
            victim = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)[-1]
            os.kill(int(victim.name.split(".")[1]), signal.SIGKILL)

        killer = threading.Thread(target=strike)
        killer.start()
        assert workers.map(task, range(30)) == [n * n for n in range(30)]
        killer.join()
    runs = [path.name.split(".")[0] for path in tmp_path.iterdir()]
    assert set(runs) == set(map(str, range(30)))
    # Two in flight for each worker, and what it gave back at that very moment.
    assert len(runs) - 30 <= 3


def test_a_task_that_kills_its_workers_is_an_error_of_its_own():
    with open_workers("processes", 1) as workers, pytest.raises(WorkersLostError) as caught:
        workers.map(kill_self, [1])
    assert "workers died one after another" in caught.value.message
    assert caught.value.next_step


def test_two_clusters_on_one_machine_do_not_warn_of_each_other():
    with open_workers("processes", 1) as first, open_workers("processes", 1) as second:
        assert first.map(abs, [-1]) == second.map(abs, [-1]) == [1]


def test_a_cluster_without_workers_is_given_up():
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0", processes=True
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
        pytest.raises(WorkersLostError, match="no worker"),
    ):
        ClusterWorkers(client, 1, patience_s=1).map(abs, [-1])


def test_bounds_hold_on_a_cluster_too_and_its_workers_have_children_of_their_own():
    file = Isolation("/data/scan.h5")
    with open_workers("processes", 2, Bounds(memory=100, max_rate=10**9)) as workers:
        tasks = list(range(12))
        assert workers.map(operator.neg, tasks, needs=[60] * 12) == [-n for n in tasks]
        with pytest.raises(ConfigurationError, match="too little"):
            workers.map(operator.neg, tasks, needs=[101] * 12)
        heard = workers.everywhere(isolated(str, file, doing="counting"), 3)
        assert list(heard.values()) == ["3", "3"]
        failed = workers.everywhere(operator.neg, "x")
        assert [type(error) for error in failed.values()] == [TypeError, TypeError]


def test_what_travels_to_workers_holds_no_secret(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t-key")
    bounded = Bounds(max_rate=10).pace(2)
    travels = pickle.dumps([isolated(abs, Isolation("/data/scan.h5"), doing="x"), bounded])
    assert b"s3cr3t" not in travels
