"""What streams will take, told from a few rows: near what is written, and nothing is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hsc.ingestion import forecast_streams, write_tree
from hsc.store import NewTree, Stream, StreamedArray
from hsc.workers import ThreadWorkers

ROWS = 41
FRAMES = StreamedArray(
    "/entry/frames", (ROWS, 64, 48), np.dtype("f4"), ("frame", "y", "x"), chunks=(2, 64, 48)
)
MASKS = StreamedArray(
    "/entry/mask", (ROWS, 64, 48), np.dtype("u1"), ("frame", "y", "x"), chunks=(2, 64, 48)
)


@dataclass(frozen=True)
class Noise:
    """Makes rows of noise that no codec makes smaller, and of zeros; each by its number alone."""

    folder: str

    def __call__(self, start, stop):
        (Path(self.folder) / f"{start}-{stop}").touch()
        rows = [np.random.default_rng(n).integers(0, 2**32, (64, 48), "u4") for n in range(ROWS)]
        frames = np.array(rows[start:stop]).view("f4")
        return {FRAMES.path: frames, MASKS.path: np.zeros((stop - start, 64, 48), "u1")}, None


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    folder = tmp_path / "made"
    folder.mkdir()
    return Stream("noise", (FRAMES, MASKS), Noise(str(folder)), rows_per_block=10)


def test_what_is_told_is_near_what_is_written(stream: Stream, tmp_path: Path) -> None:
    told = forecast_streams([stream])
    assert told.decoded == ROWS * 64 * 48 * 5
    assert not list((tmp_path / "made").iterdir())  # so far nothing was made
    sampled = told.sampled(ThreadWorkers(1))
    (made,) = (tmp_path / "made").iterdir()
    assert made.name.startswith("20-")  # in the middle
    written = write_tree(NewTree(), tmp_path.as_uri(), "v1", streams=[stream])
    stored = sum(each.nbytes for each in written.manifest.entries if "/c/" in each.key)
    assert stored < 0.9 * told.decoded
    assert sampled == pytest.approx(stored, rel=0.05)


def test_streams_without_rows_take_nothing() -> None:
    empty = Stream("none", (StreamedArray("/a", (0, 3), np.dtype("u2"), ("n", "x")),), Noise(""))
    assert forecast_streams([empty]).sampled(ThreadWorkers(1)) == 0
    assert forecast_streams([]).decoded == 0
