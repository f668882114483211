"""Chunks that end HDF5's own process are gaps under quarantine, up to a number of them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from hsc.errors import SourceCrashError
from hsc.ingestion.crashes import Tolerance
from hsc.ingestion.filling import fill_shard
from hsc.ingestion.source import ArraySource, SourcePiece
from hsc.ingestion.tasks import ChunkLook, ShardTask
from hsc.store import ChunkState, ShardStream

PIECE = SourcePiece("/data/a.h5", 0, "/d", 0, 40, None, (1, 8))
LOOK = ChunkLook("/d", "uint8", 1, (40, 8), (1, 8), None, 0, (PIECE,), source_dtype="|u1")


class Crashing(ArraySource):
    """Crashes wherever it is read, but for the first row."""

    def __init__(self) -> None:
        super().__init__((PIECE,))

    def region(self, start, stop):
        if start[0]:
            raise SourceCrashError("HDF5 crashed", where="/data/a.h5")
        return np.zeros((1, 8), "u1")


def fill(rows: int, tolerance: Tolerance | None):
    places = np.column_stack([np.arange(rows), np.zeros(rows, np.int64)])
    task = ShardTask(
        "", "", "", LOOK, True, 40, np.arange(rows), places, None, False, tolerance=tolerance
    )
    with ShardStream(40, indexed=True, sink=lambda *_: None) as stream:
        failures = fill_shard(task, Crashing(), stream)
        return failures, stream.finish()[2]


def test_each_crash_becomes_a_gap_with_its_reason():
    failures, table = fill(4, Tolerance())
    assert [failure.place for failure in failures] == [(1, 0), (2, 0), (3, 0)]
    assert {failure.reason for failure in failures} == {"HDF5 crashed"}
    assert np.flatnonzero(table.states == ChunkState.GAP).tolist() == [1, 2, 3]


def test_nothing_is_borne_under_strict():
    with pytest.raises(SourceCrashError):
        fill(4, None)


def test_one_too_many_stops_the_ingest_whichever_task_meets_it():
    tolerance = Tolerance(most=5)
    fill(4, tolerance)
    with pytest.raises(SourceCrashError, match="HDF5 crashed; 5 other chunks ended so before"):
        fill(4, pickle.loads(pickle.dumps(tolerance)))  # noqa: S301
    fill(4, Tolerance(most=5))


def test_the_next_ingest_begins_anew():
    assert Tolerance() != Tolerance()
