"""Which frames of a run show the same: a correlation map of all pairs, the longest good block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.kernels import longest_runs, longest_runs_within, run_probability
from hsc.model import Record
from hsc.workers import Progress, Silent, Workers

_TILE = 256


class SimilarityParameters(Record):
    """From which probability on two frames count as the same."""

    fidelity_neighbours: float = Field(default=1e-3, ge=0, le=1)
    """Least probability of two neighbouring frames (``fidelity_rel`` of ESRF's dahu)."""
    fidelity_pairs: float = Field(default=1e-5, ge=0, le=1)
    """Least probability of any two frames of the block that is kept (``fidelity_abs``)."""
    similarity_adjusted: bool = True
    """Whether both are divided by the number of comparisons (Bonferroni), as RAW does: with
    hundreds of frames, some pair falls below any fixed limit by chance. dahu does not."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike all frames of a run are, and which of them are kept for it."""

    longest: NDArray[np.integer]
    """Longest run of one sign in the difference of two frames, shape (frames, frames); 0 on the
    diagonal. Two bytes each, four where curves have more than 32,767 points."""
    chance: NDArray[np.float64]
    """Probability of a longest run of so many points, from 0 to the longest that there is."""
    points: int
    """Points of the curves that were compared."""
    start: int
    """First frame of the longest block of like frames."""
    stop: int
    """One past its last frame."""
    least_neighbours: float
    """Limit for neighbours that was applied."""
    least_pairs: float
    """Limit for all pairs that was applied."""

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which frames are in the block."""
        frames = np.arange(len(self.longest))
        return (frames >= self.start) & (frames < self.stop)

    @property
    def probability(self) -> NDArray[np.float64]:
        """Probability of the longest run of every two frames: eight bytes each, made anew."""
        values: NDArray[np.float64] = self.chance[self.longest]
        return values


@dataclass(frozen=True, slots=True)
class LookedUp:
    """PairRows of pairs, looked up row by row: never all of them at once."""

    longest: NDArray[np.integer]
    chance: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.longest)

    def row(self, frame: int) -> NDArray[np.float64]:
        """Give those of a frame with all frames."""
        values: NDArray[np.float64] = self.chance[self.longest[frame]]
        return values


class PairRows(Protocol):
    """Of every two frames, a frame at a time."""

    def __len__(self) -> int: ...

    def row(self, frame: int) -> NDArray[np.float64]:
        """Give those of a frame with all frames."""
        ...


@dataclass(frozen=True, slots=True)
class _Tile:
    first: NDArray[np.float64]
    second: NDArray[np.float64] | None
    """None: the pairs within ``first``."""


def compare_pairs(
    curves: NDArray[np.float64], workers: Workers, progress: Progress | None = None
) -> NDArray[np.integer]:
    """Give the longest run of one sign in the difference of every two curves.

    Parameters
    ----------
    curves
        Intensities, shape (frames, points), all on the same points.
    workers
        What does it, tile by tile of the map.
    progress
        Hears how many pairs are done.

    Returns
    -------
    Runs, shape (frames, frames), symmetric, 0 on the diagonal; of 16 bits where that is enough.
    """
    progress = progress or Silent()
    frames = len(curves)
    starts = range(0, frames, _TILE)
    corners = [(row, column) for row in starts for column in starts if column >= row]
    blocks = {start: np.ascontiguousarray(curves[start : start + _TILE]) for start in starts}
    weights = [
        len(blocks[row]) * (len(blocks[row]) - 1) // 2
        if row == column
        else len(blocks[row]) * len(blocks[column])
        for row, column in corners
    ]
    progress.start("compare", sum(weights), "pairs")
    tiles = [
        _Tile(blocks[row], None if row == column else blocks[column]) for row, column in corners
    ]
    parts = workers.map(_compare_tile, tiles, progress=progress, weights=weights)
    progress.finish()
    narrow = curves.shape[1] <= np.iinfo(np.int16).max
    longest = np.zeros((frames, frames), dtype=np.int16 if narrow else np.int32)
    for (row, column), part in zip(corners, parts, strict=True):
        longest[row : row + part.shape[0], column : column + part.shape[1]] = part
        longest[column : column + part.shape[1], row : row + part.shape[0]] = part.T
    return longest


def find_similar(
    curves: NDArray[np.float64],
    parameters: SimilarityParameters,
    workers: Workers,
    progress: Progress | None = None,
) -> Similarity:
    """Find the longest block of frames that show the same.

    As ESRF's dahu does for bioSAXS, but stricter: dahu compares each frame of a block with its
    first one, here every two are. Among blocks of one length the earliest is taken.

    Parameters
    ----------
    curves
        Intensities, shape (frames, points).
    parameters
        The limits.
    workers, progress
        As in `compare_pairs`.
    """
    longest = compare_pairs(curves, workers, progress)
    frames, points = curves.shape
    chance = chances(points, int(longest.max(initial=0)))
    neighbours, pairs = parameters.fidelity_neighbours, parameters.fidelity_pairs
    if parameters.similarity_adjusted:
        neighbours /= max(1, frames - 1)
        pairs /= max(1, frames * (frames - 1) // 2)
    start, stop = longest_block(LookedUp(longest, chance), neighbours, pairs)
    return Similarity(longest, chance, points, start, stop, neighbours, pairs)


def chances(points: int, longest: int) -> NDArray[np.float64]:
    """Give the probability of a longest run of 0, 1, 2 ... ``longest`` among so many points."""
    return np.array([run_probability(points, length) for length in range(longest + 1)])


def probabilities(longest: NDArray[np.integer], points: int) -> NDArray[np.float64]:
    """Give the probability of each longest run among so many points, in the same shape."""
    values: NDArray[np.float64] = chances(points, int(longest.max(initial=0)))[longest]
    return values


def longest_block(probability: PairRows, neighbours: float, pairs: float) -> tuple[int, int]:
    """Give the longest block of frames whose neighbours and pairs reach their limits.

    Parameters
    ----------
    probability
        Of every two frames.
    neighbours, pairs
        Limits; a probability equal to its limit is enough.

    Returns
    -------
    First frame, and one past the last.

    Examples
    --------
    >>> longest = np.array([[0, 12, 90], [12, 0, 12], [90, 12, 0]])
    >>> longest_block(LookedUp(longest, chances(100, 90)), 1e-3, 1e-5)
    (0, 2)
    """
    best = (0, 1)
    for last, start in enumerate(earliest_starts(probability, neighbours, pairs)):
        if last + 1 - start > best[1] - best[0]:
            best = (start, last + 1)
    return best


def earliest_starts(probability: PairRows, neighbours: float, pairs: float) -> list[int]:
    """Give for each frame where the longest block of like frames that it ends begins."""
    starts, start = [], 0
    for last in range(len(probability)):
        row = probability.row(last)
        unlike = np.flatnonzero(row[start:last] < pairs)
        if len(unlike):
            start += int(unlike[-1]) + 1
        if last and row[last - 1] < neighbours:
            start = last
        starts.append(start)
    return starts


def between_curves(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the probability that two curves show the same, for every two of a few.

    Parameters
    ----------
    curves
        Intensities, shape (curves, points).

    Returns
    -------
    Shape (curves, curves), 1 on the diagonal.
    """
    return probabilities(longest_runs_within(curves), curves.shape[1])


def _compare_tile(tile: _Tile) -> NDArray[np.int32]:
    if tile.second is None:
        return longest_runs_within(tile.first)
    return longest_runs(tile.first, tile.second)
