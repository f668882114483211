"""Frames that people name: ``1-100,120``, counted from one."""

from __future__ import annotations

import re
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator

from hsc.errors import ParameterError

_RANGE = re.compile(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?")


def _plain(value: Any) -> Any:
    """Take a number, or a list of them as a recipe holds it, for its text."""
    if isinstance(value, list | tuple):
        return ",".join(str(one) for one in value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _checked(value: Any) -> Any:
    text = _plain(value)
    if isinstance(text, str) and text not in {"all", "similar"}:
        frame_ranges(text)
    return text


def _ranges(value: Any) -> Any:
    text = _plain(value)
    if isinstance(text, str):
        frame_ranges(text)
    return text


FrameChoice = Annotated[str, BeforeValidator(_checked)]
"""``all``, ``similar``, or frames by number, counted from one: ``1-100,120``."""


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"{value} frames have no middle one; give {value + 1}, or {value - 1}")
    return value


OddFrames = Annotated[int, AfterValidator(_odd)]
"""So many frames around a middle one."""

FrameRanges = Annotated[str, BeforeValidator(_ranges)]
"""Frames by number, counted from one: ``1-100,120``."""


def frame_ranges(text: str) -> list[tuple[int, int]]:
    """Read ranges of frames: first frame, counted from zero, and one past the last.

    Raises
    ------
    ValueError
        It is no list of numbers and ranges, or a range ends before it begins.

    Examples
    --------
    >>> frame_ranges("1-100, 120")
    [(0, 100), (119, 120)]
    """
    found = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        first = int(match[1]) if match else 0
        last = int(match[2] or match[1]) if match else 0
        if not 1 <= first <= last:
            raise ValueError(f"{text!r} names no frames; say 1-100,120, counted from one")
        found.append((first - 1, last))
    return found


def named_frames(text: str, frames: int, where: str) -> NDArray[np.bool_]:
    """Mark the frames that are named.

    Raises
    ------
    ParameterError
        There are fewer frames than a number named.
    """
    kept = np.zeros(frames, dtype=np.bool_)
    for start, stop in frame_ranges(text):
        if stop > frames:
            raise ParameterError(
                f"frame {stop} is named, but there are {frames} frames",
                where=where,
                next_step="name frames from 1 on",
            )
        kept[start:stop] = True
    return kept


def spell_frames(kept: NDArray[np.bool_]) -> str:
    """Write marked frames as ranges, counted from one.

    Examples
    --------
    >>> spell_frames(np.array([True, True, False, True]))
    '1-2,4'
    """
    steps = np.flatnonzero(np.diff(np.concatenate([[0], kept.astype(np.int8), [0]])))
    pairs = steps.reshape(-1, 2)
    return ",".join(
        f"{start + 1}-{stop}" if stop > start + 1 else f"{stop}" for start, stop in pairs
    )
