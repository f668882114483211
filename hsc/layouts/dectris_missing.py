"""What a DECTRIS run lacks: data files, links, numbers, and frames that were never written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hsc.errors import IncompleteRunError
from hsc.hdf5 import SourceDataset
from hsc.layouts.dectris_parts import StackLink, StackPart, name_files
from hsc.model import plain_text

_NAMED_SPANS = 10


def find_missing(
    links: Sequence[StackLink], parts: Sequence[StackPart], absent: Sequence[str], expected: int
) -> tuple[str, ...]:
    """Tell what a complete run would have and this one has not.

    Parameters
    ----------
    links
        The master file's links, in the order of their numbers.
    parts
        The parts of the stack that are there.
    absent
        Names of the data files that are not there.
    expected
        Frames that the detector was told to take; 0 when unknown.

    Raises
    ------
    IncompleteRunError
        The numbers of the frames contradict each other or the frames.
    """
    found = []
    if absent:
        files = len({link.file for link in links})
        found.append(f"{len(absent)} of {files} data files: {name_files(absent)}")
    found += _lacking_links(links)
    found += _lost_numbers(parts)
    within = bool(found)
    found += _never_written(parts)
    frames = sum(part.dataset.shape[0] for part in parts)
    if expected > frames:
        # Only when nothing is missing between the files is it the last frames that are.
        found.append(
            f"{expected - frames} of {expected} frames"
            if within
            else f"frames {frames + 1} to {expected} of {expected}"
        )
    return tuple(found)


def _lacking_links(links: Sequence[StackLink]) -> list[str]:
    numbers = [min(1, links[0].number) - 1, *(link.number for link in links)]
    holes = [(a + 1, b - 1) for a, b in pairwise(numbers) if b - a > 1]
    if not holes:
        return []
    return [f"the master file's links {_spans(holes, lambda number: f'data_{number:06}')}"]


def _lost_numbers(parts: Sequence[StackPart]) -> list[str]:
    """Compare image_nr_low and image_nr_high, where files have them: holes are frames lost."""
    lost, following = [], None
    for part in parts:
        dataset = part.dataset
        low, high = (dataset.attributes.get(f"image_nr_{end}") for end in ("low", "high"))
        if not isinstance(low, int) or not isinstance(high, int):
            following = None
            continue
        if high - low + 1 != dataset.shape[0] or (following is not None and low < following):
            raise IncompleteRunError(
                f"its {dataset.shape[0]} frames are numbered {low} to {high}"
                + (f" where {following} should follow" if following is not None else ""),
                where=str(part.file.path),
                next_step="a data file is cut off or of another run: copy the run again",
            )
        if following is not None and low > following:
            span = _spans([(following, low - 1)])
            lost.append(f"the frames numbered {span}, before {plain_text(part.file.name)}")
        following = high + 1
    return lost


def _never_written(parts: Sequence[StackPart]) -> list[str]:
    rows = np.concatenate([_unwritten(part.dataset) for part in parts])
    count = int(rows.sum())
    if not count:
        return []
    edges = np.flatnonzero(np.diff(rows.astype(np.int8), prepend=0, append=0))
    spans = [(int(a) + 1, int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    said = "frame {} of {} was" if count == 1 else "frames {} of {} were"
    return [said.format(_spans(spans), len(rows)) + " never written"]


def _unwritten(dataset: SourceDataset) -> NDArray[np.bool_]:
    """Tell for each frame whether an HDF5 chunk that it touches was never written."""
    frames, index = dataset.shape[0], dataset.index
    if index.chunks is None:
        return np.full(frames, not len(index))
    grid = [math.ceil(n / c) for n, c in zip(dataset.shape, index.chunks, strict=True)]
    written = np.bincount(index.places[:, 0], minlength=grid[0])[: grid[0]]
    lacking: NDArray[np.bool_] = written < math.prod(grid[1:])
    return np.repeat(lacking, index.chunks[0])[:frames]


def _spans(spans: Sequence[tuple[int, int]], form: Callable[[int], str] = str) -> str:
    """Word spans of numbers, as in ``6 to 10, 13``; of many only the first few."""
    named = [
        form(first) if first == last else f"{form(first)} to {form(last)}"
        for first, last in spans[:_NAMED_SPANS]
    ]
    more = sum(last - first + 1 for first, last in spans[_NAMED_SPANS:])
    return ", ".join(named) + (f" and {more} more" if more else "")
