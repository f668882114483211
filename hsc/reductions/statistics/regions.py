"""Regions of interest: rectangles, polygons, circles and rings by name, which may overlap."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError

_NAMED = re.compile(r"\s*([\w-]+)\s*=\s*(.+?)\s*")
_RECTANGLE = re.compile(r"(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)")
_SHAPE = re.compile(r"(\w+)\s*\(\s*([^()]*?)\s*\)")
_LEAST_CORNERS = 3
# Numbers of a shape, and what they are.
_ROUND = {"circle": (3, "row, column, radius"), "ring": (4, "row, column, inner, outer radius")}

Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Region:
    """Pixels by a shape: those whose middles lie in it.

    Rows and columns of shapes are counted from the outer corner of the first pixel, whose middle
    is at 0.5, 0.5.
    """

    name: str
    """What it is called."""
    shape: str
    """``rectangle``, ``polygon``, ``circle`` or ``ring``."""
    numbers: tuple[float, ...]
    """Of a rectangle first row, end of rows, first column, end of columns; of a polygon row and
    column of each corner; of others row and column of the middle, and radii."""
    said: str
    """As it was given."""

    def pixels(self, frame: tuple[int, int]) -> NDArray[np.int64]:
        """Give the flat indices of its pixels in a frame of so many rows and columns, ascending.

        Examples
        --------
        >>> Region("a", "polygon", (0, 0, 0, 3, 3, 0), "").pixels((3, 3)).tolist()
        [0, 1, 3]
        >>> Region("b", "ring", (1.5, 1.5, 0.5, 1.2), "").pixels((3, 3)).tolist()
        [1, 3, 5, 7]
        """
        top, bottom, left, right = self.bounds(frame)
        down, across = np.ogrid[top:bottom, left:right]
        inside = _INSIDE[self.shape](self.numbers, down + 0.5, across + 0.5)
        rows, columns = np.nonzero(np.broadcast_to(inside, (bottom - top, right - left)))
        return ((rows + top) * frame[1] + columns + left).astype(np.int64)

    def bounds(self, frame: tuple[int, int]) -> tuple[int, int, int, int]:
        """Give first row, end of rows, first column, end of columns of what holds it all."""
        numbers = np.asarray(self.numbers)
        if self.shape == "rectangle":
            sides = numbers
        elif self.shape == "polygon":
            down, across = numbers[::2], numbers[1::2]
            sides = np.array([down.min(), down.max(), across.min(), across.max()])
        else:
            middle, reach = numbers[:2].repeat(2), numbers[-1]
            sides = middle + np.array([-reach, reach, -reach, reach])
        low, high = np.floor(sides[::2]), np.ceil(sides[1::2])
        ends = np.stack([np.clip(low, 0, frame), np.clip(high, 0, frame)], axis=1)
        top, bottom, left, right = (int(each) for each in ends.reshape(-1))
        return top, max(top, bottom), left, max(left, right)


def parse_regions(text: str, frame: tuple[int, int]) -> tuple[Region, ...]:
    """Read ``name=row:row,column:column`` and ``name=shape(numbers)``, with semicolons between.

    Raises
    ------
    ParameterError
        It can't be read, names a region twice, or one that holds no pixel or leaves the frame.

    Examples
    --------
    >>> [one.shape for one in parse_regions("peak=0:2,1:3; halo=ring(4,4, 1,3)", (10, 10))]
    ['rectangle', 'ring']
    """
    found = tuple(_parse(part.strip(), frame) for part in text.split(";") if part.strip())
    names = [region.name for region in found]
    if len(set(names)) < len(names):
        raise _complaint(f"two regions bear the same name: {', '.join(names)}")
    return found


def region_pixels(
    regions: tuple[Region, ...], frame: tuple[int, int], band: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the flat indices of all regions' pixels, one after the other, and where each begins.

    Parameters
    ----------
    regions, frame
        What is looked for, and rows and columns of a frame.
    band
        Rows that are looked at, the second not included; indices count from the first.

    Examples
    --------
    >>> column = parse_regions("a=0:3,1:2", (3, 3))
    >>> pixels, starts = region_pixels(column, (3, 3), (1, 3))
    >>> pixels.tolist(), starts.tolist()
    ([1, 4], [0, 2])
    """
    low, high = (row * frame[1] for row in band)
    parts = []
    for region in regions:
        pixels = region.pixels(frame)
        first, last = np.searchsorted(pixels, (low, high))
        parts.append(pixels[first:last] - low)
    starts = np.cumsum([0, *(len(part) for part in parts)])
    return np.concatenate([np.empty(0, np.int64), *parts]), starts.astype(np.int64)


def _parse(said: str, frame: tuple[int, int]) -> Region:
    named = _NAMED.fullmatch(said)
    if named is None:
        raise _complaint(f"{said!r} is no region: a name, = and a shape are needed")
    name, form = named.groups()
    rectangle, shape = _RECTANGLE.fullmatch(form), _SHAPE.fullmatch(form)
    if rectangle:
        region = _rectangle(name, form, tuple(int(each) for each in rectangle.groups()), frame)
    elif shape:
        region = _shape(name, form, shape[1], shape[2])
    else:
        raise _complaint(f"{said!r} is no region of a shape that is known")
    if region.shape == "polygon" and not _within(region.numbers, frame):
        raise _complaint(f"region {said!r} is not within {_sized(frame)}")
    if not len(region.pixels(frame)):
        raise _complaint(f"region {said!r} holds no pixel of {_sized(frame)}")
    return region


def _rectangle(name: str, said: str, sides: tuple[int, ...], frame: tuple[int, int]) -> Region:
    top, bottom, left, right = sides
    if not (top < bottom <= frame[0] and left < right <= frame[1]):
        raise _complaint(f"region {f'{name}={said}'!r} is empty, or not within {_sized(frame)}")
    return Region(name, "rectangle", tuple(float(each) for each in sides), said)


def _shape(name: str, said: str, shape: str, inside: str) -> Region:
    try:
        numbers = tuple(float(each) for each in re.split(r"[\s,]+", inside))
    except ValueError:
        raise _complaint(f"region {f'{name}={said}'!r}: {inside!r} are no numbers") from None
    if not np.isfinite(numbers).all():
        raise _complaint(f"region {f'{name}={said}'!r}: a number is not finite")
    if shape == "polygon":
        if len(numbers) % 2 or len(numbers) < 2 * _LEAST_CORNERS:
            raise _complaint(f"region {f'{name}={said}'!r}: {len(numbers)} numbers; a polygon has "
                             "row,column of three corners or more")  # fmt: skip
    elif shape not in _ROUND:
        raise _complaint(f"region {f'{name}={said}'!r}: {shape!r} is no shape that is known")
    elif len(numbers) != _ROUND[shape][0]:
        raise _complaint(f"region {f'{name}={said}'!r}: {len(numbers)} numbers; a {shape} has "
                         f"{_ROUND[shape][1]}")  # fmt: skip
    elif not 0 <= (numbers[2] if shape == "ring" else 0.0) < numbers[-1]:
        raise _complaint(f"region {f'{name}={said}'!r}: radii have to be positive and to rise")
    return Region(name, shape, numbers, said)


def _in_polygon(
    numbers: tuple[float, ...], y: NDArray[np.float64], x: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Count how often a line to the right crosses an edge: odd is inside."""
    corners = list(zip(numbers[::2], numbers[1::2], strict=True))
    inside = np.zeros(np.broadcast_shapes(y.shape, x.shape), np.bool_)
    for (y1, x1), (y2, x2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if y1 == y2:
            continue
        crosses = (y1 <= y) != (y2 <= y)
        inside ^= crosses & (x < x1 + (y - y1) / (y2 - y1) * (x2 - x1))
    return inside


def _in_ring(
    numbers: tuple[float, ...], y: NDArray[np.float64], x: NDArray[np.float64]
) -> NDArray[np.bool_]:
    row, column, *radii = numbers
    inner, outer = radii if len(radii) > 1 else (0.0, radii[0])
    square = (y - row) ** 2 + (x - column) ** 2
    return np.asarray((square >= inner**2) & (square < outer**2))


def _everywhere(
    numbers: tuple[float, ...], y: NDArray[np.float64], x: NDArray[np.float64]
) -> NDArray[np.bool_]:
    return np.ones(np.broadcast_shapes(y.shape, x.shape), np.bool_)


_Inside = Callable[[tuple[float, ...], NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]]
_INSIDE: dict[str, _Inside] = {
    "rectangle": _everywhere,
    "polygon": _in_polygon,
    "circle": _in_ring,
    "ring": _in_ring,
}


def _within(numbers: tuple[float, ...], frame: tuple[int, int]) -> bool:
    return all(0 <= each <= frame[place % 2] for place, each in enumerate(numbers))


def _sized(frame: tuple[int, int]) -> str:
    return f"{frame[0]} rows and {frame[1]} columns"


def _complaint(what: str) -> ParameterError:
    return ParameterError(
        f"regions: {what}",
        next_step="give them as -p 'regions=a=100:120,200:220; b=ring(50.5,60.5, 10,20); "
        "c=circle(50.5,60.5, 8); d=polygon(0,0 0,30 40,30)', row before column",
    )
