"""Pictures of a module, read one after the other: what was integrated, and what tells the gain."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.reductions.base import SourceArray
from hsc.reductions.xfel.modules import Module, Segment

_AT_ONCE = 8
_ADC_BITS = 14

Picture = tuple[NDArray[Any], NDArray[Any]]
"""Analog and digital words, (rows, columns); they stand there until the next one is asked for."""


def read_pictures(
    module: Module, numbers: NDArray[np.int32], *, bits: bool
) -> Iterator[tuple[int, Picture]]:
    """Read pictures of a module; those that follow each other in the store are read together.

    Parameters
    ----------
    numbers
        Pictures, counted through the module's segments; -1: none.
    bits
        Whether two bits tell the gain: the highest of a word, where they are no array.

    Yields
    ------
    place
        Which of the numbers it is.
    picture
        Its words.
    """
    ends = np.cumsum([0, *(segment.pictures for segment in module.segments)])
    places = np.flatnonzero(numbers >= 0)
    of = np.searchsorted(ends, numbers[places], side="right") - 1
    within = numbers[places] - ends[of]
    new = np.flatnonzero((np.diff(of) != 0) | (np.diff(within) != 1)) + 1
    bounds = [0, *new.tolist(), len(places)] if len(places) else []
    for first, last in pairwise(bounds):
        segment, start = module.segments[of[first]], int(within[first])
        run = _stacked(segment, start, start + int(last - first))
        for place, words in zip(places[first:last].tolist(), run, strict=True):
            yield place, _parted(words, module.shape, bits)


def _stacked(
    segment: Segment, start: int, stop: int
) -> Iterator[tuple[NDArray[Any], NDArray[Any] | None]]:
    """Read pictures [start, stop) of a segment, with their digital words where those are apart."""
    if segment.pictures_per_row == 1:
        arrays = [segment.frames, *([segment.gain] if segment.gain else [])]
        stacks = [
            (one for batch in array.batches(start, stop, rows=_AT_ONCE) for one in batch)
            for array in arrays
        ]
        for parts in zip(*stacks, strict=True):
            yield parts[0], parts[1] if segment.gain else None
        return
    for number in range(start, stop):
        row, place = divmod(number, segment.pictures_per_row)
        words = _one_of(segment.frames, row, place)
        yield words, None if segment.gain is None else _one_of(segment.gain, row, place)


def _one_of(array: SourceArray, row: int, place: int) -> NDArray[Any]:
    """Read one of the pictures in a row, and no more of it than its chunks need."""
    return next(array.batches(row, row + 1, rows=1, band=(place, place + 1)))


def _parted(
    words: tuple[NDArray[Any], NDArray[Any] | None], shape: tuple[int, int], bits: bool
) -> Picture:
    both, gain = words
    if gain is not None:
        return both.reshape(shape), gain.reshape(shape)
    if bits:
        whole = both.reshape(shape)
        return whole & ((1 << _ADC_BITS) - 1), whole >> _ADC_BITS
    return both[0], both[1]
