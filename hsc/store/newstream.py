"""Arrays too large for memory: made and written block by block, wherever the workers are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.store.tree import NewArray

Make = Callable[[int, int], tuple[Mapping[str, NDArray[Any]], Any]]
"""Makes rows [start, stop) of all arrays of a stream, by path, and a note about them."""

Finish = Callable[[Sequence[Any]], tuple[Sequence[NewArray], Mapping[str, Any]]]
"""Makes the last arrays, and numbers for people, of all notes in the order of the rows."""


@dataclass(frozen=True, slots=True)
class StreamedArray:
    """An array that is made block by block along its first axis."""

    path: str
    """Where, with a leading slash."""
    shape: tuple[int, ...]
    """Elements along each dimension; the first is the same for all arrays of a stream."""
    dtype: np.dtype[Any]
    """Element type: numbers or booleans."""
    dimension_names: tuple[str, ...]
    """One name for each dimension; the same name means the same axis."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Attributes that JSON can hold; ``units`` among them where there is a unit."""
    chunks: tuple[int, ...] | None = None
    """Shape of an inner chunk; None: chosen by size, for images one of them."""
    fill_value: float | int | bool = 0
    """What stands in the edge chunks beyond the array, and is its Zarr fill value."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Arrays that share their first axis, and what makes them.

    A task is a block of rows that covers whole shards of every array: the worker that makes the
    rows writes them itself, and only the small note comes back. A task may run twice (its worker
    died), so that ``make`` must give the same for the same rows and change nothing elsewhere.
    """

    name: str
    """What people see while it runs, as in ``correct``."""
    arrays: tuple[StreamedArray, ...]
    """What is written."""
    make: Make
    """Runs on the workers, and so must be picklable: a function of a module, or an instance of a
    frozen dataclass with ``__call__``. Gives all arrays' rows, and a small picklable note."""
    finish: Finish | None = None
    """Runs where the reduction runs, when all is written; None: the notes are dropped."""
    rows_per_block: int | None = None
    """At most so many rows in one task; None: as fit in memory. Rounded to whole chunks; it
    decides how shards are cut, and so stands in the root: no number of workers may enter it."""
    rows_per_part: int | None = None
    """So many rows are made and encoded at once, with a note of their own, perhaps in the threads
    of a worker that have no block left; None: a block as a whole. Rounded up to whole chunks; it
    decides nothing of what is written."""
    unit: str = "frames"
    """What a row is, for progress."""

    @property
    def rows(self) -> int:
        """Length of the first axis."""
        return self.arrays[0].shape[0]
