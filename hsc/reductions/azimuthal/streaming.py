"""Series too long for memory: sums and intensities made and written block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.reductions.azimuthal.integration import block_of, cut, integrate_block
from hsc.reductions.azimuthal.remarks import empty_frames, remarks_of
from hsc.reductions.azimuthal.stack import Stack
from hsc.reductions.azimuthal.sums import FrameSums
from hsc.reductions.azimuthal.tree import frame_arrays, norm_array
from hsc.store import NewArray, NewTree, Stream, StreamedArray

# Some 50 bytes for each frame and bin, and as many while they are made: about 100 MB for a block.
_NUMBERS_PER_BLOCK = 1_000_000


@dataclass(frozen=True, slots=True)
class Note:
    """What is kept in mind of a block of frames."""

    left_out: int
    """Pixels left out for their counts."""
    counts: int | float
    """Sum of all counts."""
    count: NDArray[Any]
    """Largest number of pixels in each bin, of any frame."""
    empty: int
    """Frames in which no pixel counts."""


@dataclass(frozen=True, slots=True)
class MakeFrames:
    """Integrates consecutive frames of a stack, on a worker."""

    stack: Stack
    """The frames, and what decides their sums."""
    batch: int
    """Frames that are decoded at once."""

    def __call__(self, start: int, stop: int) -> tuple[Mapping[str, NDArray[Any]], Note]:
        """Give all arrays' rows [start, stop), and the note of them."""
        sums = integrate_block(block_of(self.stack, start, stop, self.batch))
        made = {one.path: one.values for one in frame_arrays(self.stack, sums)}
        return made, note_of(sums)


@dataclass(frozen=True, slots=True)
class FinishFrames:
    """Makes what hangs on all frames together, of the notes of the blocks."""

    stack: Stack
    """The frames."""

    def __call__(self, notes: Sequence[Note]) -> tuple[list[NewArray], dict[str, Any]]:
        """Give the array of pixels in each bin, and the sums over all frames."""
        count = np.max([note.count for note in notes], axis=0)
        return [norm_array(self.stack.binning, count)], totals_of(self.stack, notes)


def first_frame(stack: Stack) -> FrameSums:
    """Integrate the first frame alone, which shows what all arrays are like."""
    return integrate_block(block_of(stack, 0, 1, 1))


def streamed(stack: Stack, tree: NewTree, first: FrameSums) -> tuple[NewTree, Stream]:
    """Split a tree of the first frame into what is written now, and what is streamed."""
    norm = norm_array(stack.binning, np.zeros(stack.binning.size)).path
    of_frames = {one.path for one in frame_arrays(stack, first)}
    kept = tuple(one for one in tree.arrays if one.path not in {*of_frames, norm})
    frames = stack.frames.shape[0]
    arrays = tuple(
        StreamedArray(
            one.path,
            (frames, *one.values.shape[1:]),
            one.values.dtype,
            one.dimension_names,
            one.attributes,
        )
        for one in tree.arrays
        if one.path in of_frames
    )
    return replace(tree, arrays=kept), Stream(
        "integrate",
        arrays,
        MakeFrames(stack, cut(stack, 1)[0].batch),
        FinishFrames(stack),
        rows_per_block=max(1, _NUMBERS_PER_BLOCK // stack.binning.size),
    )


def note_of(sums: FrameSums) -> Note:
    """Give the note of a block of frames, or of all."""
    total = sums.signal.sum()
    counts = int(total) if sums.signal.dtype.kind == "i" else float(total)
    left_out = int(sums.left_out.sum())
    return Note(left_out, counts, sums.count.max(axis=0), empty_frames(sums))


def totals_of(stack: Stack, notes: Sequence[Note]) -> dict[str, Any]:
    """Give the results that hang on all frames, of the notes of their blocks."""
    return {
        "counts": sum(note.counts for note in notes),
        "pixels_left_out": sum(note.left_out for note in notes),
        "warnings": remarks_of(stack, sum(note.empty for note in notes)),
    }
