"""Regions of interest: rectangles of a frame by name, which may overlap."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError

_FORM = re.compile(r"\s*([\w-]+)\s*=\s*(\d+):(\d+)\s*,\s*(\d+):(\d+)\s*")


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle; upper bounds are not part of it."""

    name: str
    """What it is called."""
    rows: tuple[int, int]
    """First row, and the one after the last."""
    columns: tuple[int, int]
    """First column, and the one after the last."""

    def within(self, low: int, high: int) -> Region:
        """Give what lies in a band of rows, counted from its first; it may be nothing.

        Examples
        --------
        >>> Region("a", (2, 9), (0, 1)).within(5, 8).rows
        (0, 3)
        """
        first, last = (min(max(row, low), high) - low for row in self.rows)
        return replace(self, rows=(first, last))


def parse_regions(text: str, shape: tuple[int, int]) -> tuple[Region, ...]:
    """Read ``name=row:row,column:column``, several of them with semicolons between.

    Raises
    ------
    ParameterError
        It can't be read, names a region twice, or one that is empty or leaves the frame.

    Examples
    --------
    >>> parse_regions("peak=0:2,1:3; ring=4:5,0:9", (10, 10))[1]
    Region(name='ring', rows=(4, 5), columns=(0, 9))
    """
    found: list[Region] = []
    for part in filter(str.strip, text.split(";")):
        match = _FORM.fullmatch(part)
        if match is None:
            raise _complaint(f"{part.strip()!r} is no region")
        top, bottom, left, right = (int(each) for each in match.groups()[1:])
        if not (top < bottom <= shape[0] and left < right <= shape[1]):
            raise _complaint(
                f"region {part.strip()!r} is empty, or not within {shape[0]} rows and "
                f"{shape[1]} columns"
            )
        found.append(Region(match[1], (top, bottom), (left, right)))
    names = [region.name for region in found]
    if len(set(names)) < len(names):
        raise _complaint(f"two regions bear the same name: {', '.join(names)}")
    return tuple(found)


def region_pixels(
    regions: tuple[Region, ...], shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the flat indices of all regions' pixels, one after the other, and where each begins.

    Examples
    --------
    >>> pixels, starts = region_pixels((Region("a", (0, 2), (1, 2)),), (2, 3))
    >>> pixels.tolist(), starts.tolist()
    ([1, 4], [0, 2])
    """
    parts = [
        (np.arange(*one.rows)[:, None] * shape[1] + np.arange(*one.columns)).ravel()
        for one in regions
    ]
    starts = np.cumsum([0, *(len(part) for part in parts)])
    pixels = np.concatenate(parts) if parts else np.empty(0)
    return pixels.astype(np.int64), starts.astype(np.int64)


def _complaint(what: str) -> ParameterError:
    return ParameterError(
        f"regions: {what}", next_step="give them as -p 'regions=peak=100:120,200:220; ...'"
    )
