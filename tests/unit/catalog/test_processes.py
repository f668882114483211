"""Several processes on one catalog, and one that is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hsc.client import connect
from hsc.model import Pid, Query
from hsc_catalog import tables
from hsc_catalog.checking import check_catalog
from hsc_catalog.sql import open_sql

PROGRAM = Path(__file__).with_name("registering_program.py")
BUSY = Path(__file__).with_name("busy_program.py")
# Two, or ten where more is asked of all tests that kill something.
ROUNDS = 10 if int(os.environ.get("HSC_KILLS") or 0) > 8 else 2
TOLD = 6


def start(url: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROGRAM), url, str(count)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def begin(program: subprocess.Popen[str]) -> None:
    assert program.stdin is not None
    program.stdin.write("\n")
    program.stdin.flush()


def line(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a catalog that nobody has made yet."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("database"))
    return f"sqlite:///{tmp_path}/new/folder/catalog.sqlite"


def test_four_processes_make_one_catalog_and_lose_nothing(url: str) -> None:
    # None of them finds it: they also race to make it.
    programs = [start(url, 25) for _ in range(4)]
    assert [line(program) for program in programs] == ["ready\n"] * 4
    for program in programs:
        begin(program)
    told: list[str] = []
    for program in programs:
        output, errors = program.communicate()
        assert (program.returncode, errors) == (0, "")
        told += output.split()
    with connect(url) as catalog:
        found = catalog.search(Query(limit=1000))
    assert found.total == 100
    assert {str(dataset.pid) for dataset in found.datasets} == set(told)


def test_a_killed_writer_loses_nothing_it_was_told_is_kept(url: str) -> None:
    program = start(url, 100_000)
    assert line(program) == "ready\n"
    begin(program)
    told = [line(program) for _ in range(20)]
    program.kill()
    rest, _ = program.communicate()
    told += rest.splitlines(keepends=True)
    pids = [Pid.parse(text) for text in told if text.endswith("\n")]
    assert len(pids) >= 20
    with connect(url) as catalog:
        for pid in pids:
            walked = catalog.lineage(catalog.get(pid).pid, up=True, down=False, depth=1)
            assert {node.kind for node in walked.nodes} == {
                "dataset",
                "activity",
                "agent",
                "source",
            }
        total = catalog.search(Query(limit=0)).total
        assert len(pids) <= total <= len(pids) + 1


def test_many_writers_and_readers_killed_again_and_again_lose_nothing(url: str) -> None:
    told: set[str] = set()
    for _ in range(ROUNDS):
        # 32 at once, in two processes, of which one goes on when the other is killed.
        programs = [start_busy(url) for _ in range(2)]
        assert [line(program) for program in programs] == ["ready\n"] * 2
        for program in programs:
            begin(program)
        for program in programs:
            told |= {line(program).strip() for _ in range(TOLD)}
            program.kill()
            rest, errors = program.communicate()
            assert errors == ""
            told |= {text.strip() for text in rest.splitlines(keepends=True) if text[-1] == "\n"}
    with open_sql(url) as catalog, catalog.database.reading() as connection:
        found = check_catalog(connection)
        row = tables.dataset.c
        there = set(connection.scalars(tables.dataset.select().with_only_columns(row.pid)))
    assert found.faults == []
    assert len(told) >= 2 * TOLD * ROUNDS
    assert told <= there
    # Of each writer the last one may have been kept without its saying so.
    assert len(there - told) <= 2 * 16 * ROUNDS


def start_busy(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(BUSY), url, "8", "8"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
