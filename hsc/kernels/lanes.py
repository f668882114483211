"""Eight frames side by side: a tile of their pixels is turned, and added by whole vectors.

The vectors are LLVM's own, so that each processor gets the instructions that it has, and halves of
them where its vectors are shorter. Bounds are the caller's duty.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

LANES = 8
"""Frames that are added at once; also the pixels of a tile."""

# mypy can't know that what is generated is called with other arguments than the generator.
_kernel_part: Any = intrinsic

_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_HALF = LANES // 2
# Zipping the first half of all numbers with the second exchanges rows and columns of eight by
# eight after three times; of four by four, in both halves of a vector at once, after two.
_ZIP_16 = ((0, 8, 1, 9, 2, 10, 3, 11), (4, 12, 5, 13, 6, 14, 7, 15))
_ZIP_32 = ((0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15))


@_kernel_part
def add_tile(
    typing_context: Any,
    sums: Any,
    frames: Any,
    offsets: Any,
    labels: Any,
    pixel: Any,
    limit: Any,
    bins: Any,
) -> Any:
    """Add eight pixels of eight frames to the sums of their bins, unless one is above the limit.

    Parameters
    ----------
    sums
        uint32, shape (bins + 1, 2, 8), at an address that 32 divides: of each bin the counts of
        the frames, then their max(1, counts). The last row is for pixels of no bin, and may
        overflow.
    frames
        Counts, flat, an integer type of at most 32 bits. Negative ones are above any limit.
    offsets
        Where each of the eight frames begins.
    labels
        Bin of each pixel; ``bins`` itself belongs to none.
    pixel
        The first of the eight.
    limit
        Of the frames' type; pixels of no bin may be above it.
    bins
        Number of bins.

    Returns
    -------
    done
        False when nothing was added.
    """
    given = (sums, frames, offsets, labels, types.int64, types.int64, types.int64)
    return types.boolean(*given), _generate_tile


def _generate_tile(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    into, counts, offset, label, first, most, none = arguments

    def place(number: int, array: Any, at: Any) -> Any:
        data = context.make_array(signature.args[number])(context, builder, array).data
        return builder.gep(data, [at])

    rows = [
        place(1, counts, builder.add(builder.extract_value(offset, lane), first))
        for lane in range(LANES)
    ]
    wide = signature.args[1].dtype.bitwidth == 32
    tile = _Wide(builder, rows) if wide else _Narrow(builder, rows)
    bin_place = place(3, label, first)
    held = _load(builder, bin_place, LANES)
    used = builder.icmp_unsigned("!=", held, _splat(builder, none, held.type.element))
    highest = tile.highest()
    above = builder.icmp_unsigned(">", highest, _splat(builder, most, highest.type.element))
    rare = builder.bitcast(builder.and_(above, used), _I8)
    done = builder.icmp_unsigned("==", rare, _I8(0))
    with builder.if_then(done, likely=True):
        base = place(0, into, _I64(0))
        for number, pixels in enumerate(tile.turned()):
            one = builder.load(builder.gep(bin_place, [_I64(number)]), align=1)
            row = builder.mul(builder.zext(one, _I64), _I64(2 * LANES))
            _add(builder, builder.gep(base, [row]), pixels)
    return done


class _Narrow:
    """A tile of numbers of 8 or 16 bits: eight rows."""

    def __init__(self, builder: Any, rows: list[Any]) -> None:
        self._builder = builder
        held = [_load(builder, row, LANES) for row in rows]
        if held[0].type.element == _I8:
            held = [builder.zext(row, ir.VectorType(_I16, LANES)) for row in held]
        self._rows = held

    def highest(self) -> Any:
        return _highest(self._builder, self._rows)

    def turned(self) -> list[Any]:
        """Give pixel by pixel the numbers of eight frames, of 32 bits."""
        turned = _zip(self._builder, self._rows, _ZIP_16, 3)
        return [self._builder.zext(pixel, ir.VectorType(_I32, LANES)) for pixel in turned]


class _Wide:
    """A tile of numbers of 32 bits: twice eight rows of four, that no half of a vector crosses."""

    def __init__(self, builder: Any, rows: list[Any]) -> None:
        self._builder = builder
        self._halves = [
            [_load(builder, builder.gep(row, [_I64(start)]), _HALF) for row in rows]
            for start in (0, _HALF)
        ]

    def highest(self) -> Any:
        first, second = (_highest(self._builder, half) for half in self._halves)
        return _shuffle(self._builder, first, second, range(LANES))

    def turned(self) -> list[Any]:
        """Give pixel by pixel the numbers of eight frames."""
        found: list[Any] = []
        for half in self._halves:
            pairs = zip(half[:_HALF], half[_HALF:], strict=True)
            both = [_shuffle(self._builder, one, other, range(LANES)) for one, other in pairs]
            found += _zip(self._builder, both, _ZIP_32, 2)
        return found


def _add(builder: Any, place: Any, pixels: Any) -> None:
    """Add eight frames' counts of a pixel, and the larger of 1 and each, to a bin."""
    vector = ir.VectorType(_I32, LANES)
    signal = builder.bitcast(place, vector.as_pointer())
    variance = builder.gep(signal, [_I64(1)])
    spread = _larger(builder, pixels, ir.Constant(vector, [1] * LANES))
    for target, more in ((signal, pixels), (variance, spread)):
        builder.store(builder.add(builder.load(target, align=32), more), target, align=32)


def _load(builder: Any, place: Any, count: int) -> Any:
    element = place.type.pointee
    vector = builder.bitcast(place, ir.VectorType(element, count).as_pointer())
    return builder.load(vector, align=element.width // 8)


def _splat(builder: Any, number: Any, element: Any) -> Any:
    """Give a vector of one number, which is cut to the element type."""
    nothing = ir.Constant(ir.VectorType(element, LANES), ir.Undefined)
    narrow = builder.trunc(number, element)
    first = builder.insert_element(nothing, narrow, _I32(0))
    return _shuffle(builder, first, nothing, [0] * LANES)


def _shuffle(builder: Any, one: Any, other: Any, order: Iterable[int]) -> Any:
    places = list(order)
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(_I32, len(places)), places))


def _zip(builder: Any, rows: list[Any], orders: Any, times: int) -> list[Any]:
    middle = len(rows) // 2
    for _ in range(times):
        pairs = zip(rows[:middle], rows[middle:], strict=True)
        rows = [_shuffle(builder, *pair, order) for pair in pairs for order in orders]
    return rows


def _highest(builder: Any, rows: list[Any]) -> Any:
    while len(rows) > 1:
        pairs = zip(rows[::2], rows[1::2], strict=True)
        rows = [_larger(builder, *pair) for pair in pairs]
    return rows[0]


def _larger(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.icmp_unsigned(">", one, other), one, other)
