"""Decoding through HDF5: a large HDF5 chunk once for a shard, a damaged one named by its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import DamagedSourceError
from hsc.ingestion.failures import LOST, Lost
from hsc.ingestion.source import ArraySource, SourcePiece
from hsc.ingestion.tasks import ChunkLook, ShardTask
from hsc.store import read_fill

# So many damaged HDF5 chunks are looked for in what could not be read at once, and named.
_MOST_FOUND = 16
_NAMED = 4


@dataclass(frozen=True, slots=True)
class _Lost:
    """A part of an array that can't be read: an HDF5 chunk, where that is known."""

    start: tuple[int, ...]
    stop: tuple[int, ...]
    name: str
    error: Lost


def decoded_chunks(
    task: ShardTask, source: ArraySource
) -> Iterator[tuple[int, NDArray[Any] | Lost]]:
    """Read the inner chunks of a task, of full shape; of those that can't be read say why.

    Where HDF5 chunks are larger than inner ones the shard is read at once, for HDF5 decodes such a
    chunk anew each time that some of it is read.
    """
    if not len(task.numbers):
        return
    look = task.look
    groups = (
        [range(len(task.numbers))]
        if look.hdf5_chunk_nbytes
        else [[n] for n in range(len(task.numbers))]
    )
    for rows in groups:
        places = [tuple(map(int, task.places[row])) for row in rows]
        start, stop = _around(look, places)
        search = _Search(look, source)
        search.read(start, stop)
        for row, place in zip(rows, places, strict=True):
            yield row, search.chunk(place, start)


def decoded_chunk(look: ChunkLook, source: ArraySource, place: tuple[int, ...]) -> NDArray[Any]:
    """Read an inner chunk's region of the source, of the chunk's full shape.

    Raises
    ------
    DamagedSourceError, UnsupportedObjectError, SourceCrashError
        It can't be read; naming the HDF5 chunks that are damaged.
    """
    start, stop = map(tuple, look.region(place))
    search = _Search(look, source)
    search.read(start, stop)
    found = search.chunk(place, start)
    if isinstance(found, LOST):
        raise found
    return found


class Regions:
    """Regions of inner chunks as the source has them, read at once where that is quicker.

    Parameters
    ----------
    places
        Places, in the grid of inner chunks, of those that will be asked for.
    """

    def __init__(
        self, look: ChunkLook, source: ArraySource, places: Sequence[tuple[int, ...]]
    ) -> None:
        self._look = look
        self._source = source
        self._bounds = _around(look, places) if look.hdf5_chunk_nbytes and places else None
        self._whole: NDArray[Any] | None = None

    def region(self, place: tuple[int, ...]) -> NDArray[Any]:
        """Give the region of one, cut at the array's edge."""
        start, stop = self._look.region(place)
        if self._bounds is None:
            return self._source.region(start, stop)
        if self._whole is None:
            self._whole = self._source.region(*self._bounds)
        region: NDArray[Any] = self._whole[_within(start, stop, self._bounds[0])]
        return region


class _Search:
    """Reads a region; where it can't be read, its halves, down to single HDF5 chunks."""

    def __init__(self, look: ChunkLook, source: ArraySource) -> None:
        self._look = look
        self._source = source
        self._whole: NDArray[Any] | None = None
        self._lost: list[_Lost] = []

    def read(self, start: tuple[int, ...], stop: tuple[int, ...]) -> None:
        """Read a region."""
        self._corner, self._shape = start, _lengths(start, stop)
        waiting = [(start, stop)]
        while waiting:
            low, high = waiting.pop()
            cut = _cut(self._look, low, high)
            try:
                self._keep(low, high, self._source.region(low, high))
            except DamagedSourceError as error:
                if cut is None or len(self._lost) >= _MOST_FOUND:
                    self._lose(low, high, error)
                    continue
                axis, at = cut
                waiting.append(((*low[:axis], at, *low[axis + 1 :]), high))
                waiting.append((low, (*high[:axis], at, *high[axis + 1 :])))
            except LOST as error:  # what costs a child process, or much time, is not tried again
                self._lose(low, high, error)

    def chunk(self, place: tuple[int, ...], corner: tuple[int, ...]) -> NDArray[Any] | Lost:
        """Give an inner chunk of what was read, or why it can't be given."""
        look = self._look
        start, stop = look.region(place)
        lost = [each for each in self._lost if _meet(each, start, stop)]
        if lost:
            return self._worded(lost, start, stop)
        assert self._whole is not None  # noqa: S101 - what is not lost was read
        # The ellipsis keeps a scalar an array of no dimensions.
        region: NDArray[Any] = self._whole[(*_within(start, stop, corner), ...)]
        if region.shape == look.chunks:
            return region
        dtype = object if look.dtype == "string" else region.dtype
        full = np.full(look.chunks, read_fill(look.fill_value, look.dtype), dtype)
        full[tuple(slice(0, length) for length in region.shape)] = region
        return full

    def _keep(self, low: tuple[int, ...], high: tuple[int, ...], part: NDArray[Any]) -> None:
        if (low, _lengths(low, high)) == (self._corner, self._shape):
            self._whole = part
            return
        if self._whole is None:
            self._whole = np.empty(self._shape, part.dtype)
        self._whole[_within(low, high, self._corner)] = part

    def _lose(self, low: tuple[int, ...], high: tuple[int, ...], error: Lost) -> None:
        self._lost.append(_Lost(low, high, _name(self._look, low, high), error))

    def _worded(self, lost: list[_Lost], start: Sequence[int], stop: Sequence[int]) -> Lost:
        """Name the HDF5 chunks and what the gap covers, where that is not one and the same."""
        first = lost[0]
        if not first.name or (list(first.start), list(first.stop)) == (start, stop):
            return first.error
        names = ", ".join(each.name for each in lost[:_NAMED])
        more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        covered = ", ".join(f"{a}:{b}" for a, b in zip(start, stop, strict=True))
        return type(first.error)(
            f"HDF5 chunk {names}{more}: {first.error.message}; the gap covers [{covered}]",
            where=first.error.where,
            next_step=first.error.next_step,
        )


def _around(
    look: ChunkLook, places: Sequence[tuple[int, ...]]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give the smallest region around some inner chunks."""
    regions = [look.region(place) for place in places]
    start = tuple(map(min, zip(*(low for low, _ in regions), strict=True)))
    return start, tuple(map(max, zip(*(high for _, high in regions), strict=True)))


def _within(start: Sequence[int], stop: Sequence[int], corner: Sequence[int]) -> tuple[Any, ...]:
    return tuple(slice(a - c, b - c) for a, b, c in zip(start, stop, corner, strict=True))


def _lengths(start: Sequence[int], stop: Sequence[int]) -> tuple[int, ...]:
    return tuple(b - a for a, b in zip(start, stop, strict=True))


def _meet(lost: _Lost, start: Sequence[int], stop: Sequence[int]) -> bool:
    sides = zip(lost.start, lost.stop, start, stop, strict=True)
    return all(a < d and c < b for a, b, c, d in sides)


def _piece(look: ChunkLook, row: int) -> SourcePiece:
    return next(each for each in look.pieces if each.start <= row < each.start + each.rows)


def _cut(look: ChunkLook, low: tuple[int, ...], high: tuple[int, ...]) -> tuple[int, int] | None:
    """Give axis and place of the middle bound between HDF5 chunks; None within a single one."""
    if not low:
        return None
    piece = _piece(look, low[0])
    if high[0] > piece.start + piece.rows:
        return 0, piece.start + piece.rows
    if piece.chunks is None:
        return None
    begins = (piece.start, *[0] * (len(low) - 1))
    found = []
    for axis, (a, b, begin, chunk) in enumerate(zip(low, high, begins, piece.chunks, strict=True)):
        first, last = (a - begin) // chunk, (b - 1 - begin) // chunk
        found.append((last - first, axis, begin + chunk * ((first + last + 1) // 2)))
    count, axis, at = max(found)
    return (axis, at) if count else None


def _name(look: ChunkLook, low: tuple[int, ...], high: tuple[int, ...]) -> str:
    """Name the HDF5 chunk that a region lies in; empty where it is not one, or not known."""
    if not low:
        return ""
    piece = _piece(look, low[0])
    if piece.chunks is None or high[0] > piece.start + piece.rows:
        return ""
    begins = (piece.start, *[0] * (len(low) - 1))
    first = [(a - o) // c for a, o, c in zip(low, begins, piece.chunks, strict=True)]
    last = [(b - 1 - o) // c for b, o, c in zip(high, begins, piece.chunks, strict=True)]
    several = len([each for each in look.pieces if each.rows]) > 1
    of = f" of {PurePath(piece.path).name}" if several else ""
    return f"{tuple(first)}{of}" if first == last else f"{tuple(first)} to {tuple(last)}{of}"
