"""Arrays too large for memory: workers make and write them, whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from hsc.errors import ReductionError
from hsc.ingestion import write_tree
from hsc.store import (
    NewArray,
    NewTree,
    Stream,
    StreamedArray,
    find_remains,
    open_objects,
    open_version,
)
from hsc.workers import ThreadWorkers, open_workers

ROWS = 23
FRAMES = StreamedArray(
    "/entry/frames", (ROWS, 6, 5), np.dtype("f4"), ("frame", "y", "x"), {"units": "1"}, (2, 6, 5),
    fill_value=np.nan,
)  # fmt: skip
MASKS = StreamedArray("/entry/mask", (ROWS, 6), np.dtype("u1"), ("frame", "y"), chunks=(3, 4))


@dataclass(frozen=True)
class Ramp:
    """Makes rows that are known by their number."""

    folder: str
    pause_s: float = 0.0

    def __call__(self, start, stop):
        trace = Path(self.folder) / f"{start}.{os.getpid()}.{time.monotonic_ns()}"
        trace.touch()
        time.sleep(self.pause_s)
        rows = np.arange(start, stop)
        return {FRAMES.path: frames(rows), MASKS.path: masks(rows)}, (start, int(rows.sum()))


def frames(rows):
    return (rows[:, None, None] * 100 + np.arange(30).reshape(6, 5)).astype("f4")


def masks(rows):
    return (rows[:, None] + np.arange(6)).astype("u1")


def total(notes):
    first = np.array([start for start, _ in notes])
    return [NewArray("/entry/starts", first, ("block",))], {"total": sum(n for _, n in notes)}


def stream(folder, rows_per_block=6, pause_s=0.0):
    made = Path(folder) / "traces"
    made.mkdir(exist_ok=True)
    return Stream(
        "ramp", (FRAMES, MASKS), Ramp(str(made), pause_s), total, rows_per_block=rows_per_block
    )


def write(folder, workers=None, version="v1", progress=None, **asked):
    return write_tree(
        NewTree(arrays=(NewArray("/entry/q", np.arange(4.0), ("q",)),)),
        folder.as_uri(),
        version,
        files={"report.html": b"<p>", "tables/empty.dat": b""},
        streams=[stream(folder, **asked)],
        workers=workers,
        progress=progress,
    )


def check(folder, written, version="v1"):
    opened = zarr.open_group(folder / version / "data.zarr", mode="r")
    assert np.array_equal(opened["entry/frames"][...], frames(np.arange(ROWS)))
    assert np.array_equal(opened["entry/mask"][...], masks(np.arange(ROWS)))
    assert opened["entry/frames"].attrs["units"] == "1"
    assert opened["entry/starts"][...].tolist() == [0, 6, 12, 18]
    assert opened["entry/q"].shape == (4,)
    assert written.results == {"total": sum(range(ROWS))}
    open_version(f"{folder.as_uri()}/{version}").check_present()
    assert not find_remains(open_objects(folder.as_uri()), version)


class Shuffled(ThreadWorkers):
    """Runs tasks in another order, and gives their results in theirs."""

    def map(self, function, tasks, *, progress=None, weights=None, needs=None, waiting=False):
        order = np.random.default_rng(len(tasks)).permutation(len(tasks)).tolist()
        done = super().map(function, [tasks[n] for n in order], progress=progress)
        return [done[order.index(n)] for n in range(len(tasks))]


def test_a_stream_is_written_alike_by_any_threads_in_any_order(tmp_path):
    roots = set()
    for workers in (None, ThreadWorkers(1), ThreadWorkers(3), Shuffled(2)):
        version = f"v{len(roots)}-{id(workers)}"
        written = write(tmp_path, workers, version)
        check(tmp_path, written, version)
        roots.add(written.manifest.root)
    assert len(roots) == 1


@pytest.mark.parametrize("rows", [1, 7, 12, 1000])
def test_a_block_made_part_by_part_has_the_same_bytes(tmp_path, rows):
    whole, shared = (
        write_tree(
            NewTree(),
            tmp_path.as_uri(),
            f"v{number}",
            streams=[replace(stream(tmp_path, 18), finish=None, rows_per_part=each)],
            workers=ThreadWorkers(2),
        )
        for number, each in enumerate((None, rows))
    )
    assert shared.manifest.root == whole.manifest.root
    starts = sorted(int(each.name.partition(".")[0]) for each in (tmp_path / "traces").iterdir())
    parts = {1: 6, 7: 12, 12: 12, 1000: 18}[rows]
    assert starts == sorted([0, 18, *range(0, 18, parts), 18])


def test_notes_of_parts_come_in_the_order_of_their_rows(tmp_path):
    asked = replace(stream(tmp_path, 18), rows_per_part=6)
    written = write_tree(NewTree(), tmp_path.as_uri(), "v1", streams=[asked])
    check_starts = zarr.open_group(tmp_path / "v1" / "data.zarr", mode="r")["entry/starts"]
    assert check_starts[...].tolist() == [0, 6, 12, 18]
    assert written.results == {"total": sum(range(ROWS))}


def test_a_block_is_whole_shards_of_every_array(tmp_path):
    by_path = {each.path: each for each in write(tmp_path).arrays}
    assert by_path["/entry/frames"].shards == (6, 6, 5)
    assert by_path["/entry/mask"].shards == (6, 8)
    assert len(list((tmp_path / "traces").iterdir())) == 4


def test_what_lies_beyond_the_last_row_is_the_fill_value(tmp_path):
    write(tmp_path)
    array = zarr.open_group(tmp_path / "v1/data.zarr", mode="r")["entry/frames"]
    assert np.isnan(array.fill_value)
    assert not np.isnan(array[...]).any()


def test_files_stand_in_the_root_under_their_names(tmp_path):
    written = write(tmp_path)
    assert (tmp_path / "v1/files/report.html").read_bytes() == b"<p>"
    assert (tmp_path / "v1/files/tables/empty.dat").read_bytes() == b""
    keys = {entry.key for entry in written.manifest.entries}
    assert {"files/report.html", "files/tables/empty.dat"} <= keys
    other = write_tree(NewTree(), tmp_path.as_uri(), "v2", files={"report.html": b"<p/>"})
    same = write_tree(NewTree(), tmp_path.as_uri(), "v3", files={"report.html": b"<p>"})
    assert other.manifest.root != same.manifest.root


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "", "x" * 300])
def test_a_file_never_leaves_its_folder(tmp_path, name):
    with pytest.raises(ReductionError, match="below files/"):
        write_tree(NewTree(), tmp_path.as_uri(), "v1", files={name: b"1"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "made",
    [
        {FRAMES.path: np.zeros((6, 6, 5), "f4")},
        {FRAMES.path: np.zeros((6, 6, 5)), MASKS.path: np.zeros((6, 6), "u1")},
        {FRAMES.path: np.zeros((5, 6, 5), "f4"), MASKS.path: np.zeros((6, 6), "u1")},
    ],
    ids=["missing", "type", "shape"],
)
def test_what_a_stream_did_not_promise_is_an_error(tmp_path, made):
    wrong = replace(stream(tmp_path), make=lambda start, stop: (made, None))
    with pytest.raises(ReductionError, match=r"is due|no array"):
        write_tree(NewTree(), tmp_path.as_uri(), "v1", streams=[wrong])
    assert not (tmp_path / "v1/manifest").exists()


def test_arrays_of_a_stream_share_their_first_axis(tmp_path):
    wrong = replace(stream(tmp_path), arrays=(FRAMES, replace(MASKS, shape=(ROWS + 1, 6))))
    with pytest.raises(ReductionError, match="first axis"):
        write_tree(NewTree(), tmp_path.as_uri(), "v1", streams=[wrong])


def test_progress_is_told_in_rows(tmp_path):
    class Heard:
        stages, amount = [], 0

        def start(self, stage, total, unit):
            self.stages.append((stage, total, unit))

        def advance(self, amount):
            self.amount += amount

        def finish(self):
            self.stages.append("end")

    heard = Heard()
    write(tmp_path, ThreadWorkers(2), progress=heard)
    assert (heard.stages, heard.amount) == ([("ramp", ROWS, "frames"), "end"], ROWS)


@pytest.mark.timeout(115)
@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX has them")
def test_a_worker_killed_in_the_middle_costs_its_blocks_only(tmp_path):
    alone = write(tmp_path, version="v0").manifest.root
    traces = tmp_path / "traces"
    before = len(list(traces.iterdir()))

    def strike():
        while len(found := sorted(traces.iterdir(), key=lambda path: path.stat().st_mtime_ns)) < (
            before + 2
        ):
            time.sleep(0.01)
        os.kill(int(found[-1].name.split(".")[1]), signal.SIGKILL)

    with open_workers("processes", 2) as workers:
        killer = threading.Thread(target=strike)
        killer.start()
        written = write(tmp_path, workers, pause_s=0.3)
        killer.join()
    check(tmp_path, written)
    assert written.manifest.root == alone
    runs = [path.name.split(".")[0] for path in traces.iterdir()]
    # Two in flight for each worker, and what it gave back at that very moment.
    assert 4 < len(runs) - before <= 7
