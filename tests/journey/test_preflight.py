"""Workers that would fail are named before the first byte."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from hsc.errors import WorkerUnfitError
from hsc.jobs.preflight import Expectations, check_workers, look_around
from hsc.layouts import RunFile, read_run
from hsc.workers import ThreadWorkers, Workers, open_workers

pytestmark = pytest.mark.timeout(115)
LOCATION = "local/u/2026/p/x/v1"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Workers]:
    with open_workers("processes", 2) as workers:
        yield workers


@pytest.fixture
def source(tree_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy2(tree_file, tmp_path / "tree.h5"))


def _sources(path: Path) -> Sequence[RunFile]:
    return read_run(path, layout=None, time_zone="UTC").sources


def test_fit_workers_leave_no_trace(cluster: Workers, source: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    check_workers(cluster, _sources(source), store.as_uri(), LOCATION)
    check_workers(ThreadWorkers(2), _sources(source), store.as_uri(), LOCATION)
    assert [path for path in store.rglob("*") if path.is_file()] == []


def test_a_source_that_workers_see_otherwise_is_told(
    cluster: Workers, source: Path, tmp_path: Path
) -> None:
    sources, store = _sources(source), (tmp_path / "store").as_uri()
    os.utime(source, ns=(1, 1))
    with pytest.raises(WorkerUnfitError, match="it sees another file as") as caught:
        check_workers(cluster, sources, store, LOCATION)
    assert "2 of 2 workers can't do it" in caught.value.message
    assert caught.value.message.count("tcp://127.0.0.1") == 2
    source.unlink()
    with pytest.raises(WorkerUnfitError, match="No such file or directory"):
        check_workers(cluster, sources, store, LOCATION)


def test_a_store_that_workers_do_not_reach_is_told(cluster: Workers, source: Path) -> None:
    with pytest.raises(WorkerUnfitError, match="it can't use the store: the store takes no writes"):
        check_workers(cluster, _sources(source), f"{source.as_uri()}/store", LOCATION)


def test_a_worker_of_another_version_is_told(tmp_path: Path) -> None:
    versions = (("zarr", "0.0.1"), ("no-such-package", "1.0"))
    probes = (f"{LOCATION}/probe",)
    expected = Expectations(versions, (), (tmp_path / "store").as_uri(), probes)
    first, second = look_around(expected)
    assert first.startswith("it has zarr 3")
    assert first.endswith("and not 0.0.1")
    assert second == "it has no-such-package not at all and not 1.0"


def test_a_whole_ingest_runs_isolated_on_a_cluster(hsc, tree_file: Path) -> None:
    env = {"HSC_DASK": "processes"}
    made = hsc.json(
        "ingest", tree_file, "--isolate", "--workers", "2", "--max-rate", "1GB/s", env=env
    )
    plain = hsc.json("ingest", tree_file, env={"HSC_HOME": str(hsc.home / "other")})
    assert made["datasets"][0]["root"] == plain["datasets"][0]["root"]
