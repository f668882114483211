"""Turning bits by whole vectors: 32 columns of bit rows become the elements that they belong to.

What a bitshuffle holds of a byte of all elements are eight rows, one for each bit. Three exchanges
of halves turn squares of 8 x 8 bits in all columns at once (Hacker's Delight, 2nd ed., 7-3, with
rows in registers); zipping bytes of two registers then brings those of an element together.

The vectors are LLVM's own, so that each processor gets the instructions that it has, and halves of
them where its vectors are shorter. Bounds are the caller's duty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

COLUMNS = 32
"""Columns that are turned at once: of each, eight elements."""

# mypy can't know that what is generated is called with other arguments than the generator.
_kernel_part: Any = intrinsic

_I8, _I32, _I64 = (ir.IntType(bits) for bits in (8, 32, 64))
_BYTES = ir.VectorType(_I8, COLUMNS)
_WORDS = ir.VectorType(_I64, COLUMNS // 8)
# Zips stay inside of 16 bytes, where each processor has an instruction for them.
_LANE = 16
_LOW = [place for lane in (0, 16) for n in range(8) for place in (lane + n, COLUMNS + lane + n)]
_HIGH = [place + 8 for place in _LOW]
_EXCHANGES = ((1, 0x5555555555555555), (2, 0x3333333333333333), (4, 0x0F0F0F0F0F0F0F0F))
# Registers are numbered by element (bits 1, 2, 4) and byte of it (8, 16, 32). A zip takes one of
# these bits into the place within 16 bytes, and drops that place's highest, a bit of the column.
_ZIPS = {1: (4, 2, 1), 2: (4, 2, 1, 8), 4: (2, 1, 16, 8), 8: (1, 32, 16, 8)}


def _turning(itemsize: int) -> Any:
    def turn(
        typing_context: Any, source: Any, start: Any, row: Any, target: Any, at: Any, column: Any
    ) -> Any:
        """Turn 32 columns, of elements of a size that is known beforehand.

        Parameters
        ----------
        source, start
            Bytes, and where the first row begins.
        row
            Bytes of a row, which is an eighth of the elements.
        target, at
            Bytes, and where the first element goes.
        column
            The first of the columns.
        """
        places = (types.int64, types.int64)
        return types.void(source, *places, target, *places), _generator(itemsize)

    return _kernel_part(turn)


turn_1, turn_2, turn_4, turn_8 = (_turning(itemsize) for itemsize in _ZIPS)


def _generator(itemsize: int) -> Callable[[Any, Any, Any, Any], Any]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, row, target, at, column = arguments

        def place(number: int, array: Any, *steps: Any) -> Any:
            data = context.make_array(signature.args[number])(context, builder, array).data
            found = builder.bitcast(data, _I8.as_pointer())
            for step in steps:
                found = builder.gep(found, [step])
            return found

        first = place(0, source, start, column)
        held: dict[int, Any] = {}
        for byte in range(itemsize):
            rows = [
                _load(builder, builder.gep(first, [builder.mul(row, _I64(8 * byte + bit))]))
                for bit in range(8)
            ]
            for element, turned in enumerate(_turned(builder, rows)):
                held[8 * byte + element] = turned
        into = place(3, target, at, builder.mul(column, _I64(8 * itemsize)))
        for (number, skipped), found in _zipped(builder, held, _ZIPS[itemsize]).items():
            for lane in range(COLUMNS // _LANE):
                # A column is eight elements; what is left of a register's number are elements.
                step = itemsize * (8 * (_LANE * lane + skipped) + number)
                half = _shuffle(builder, found, found, range(_LANE * lane, _LANE * (lane + 1)))
                _store(builder, half, builder.gep(into, [_I64(step)]))
        return context.get_dummy_value()

    return generate


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """Exchange rows and bits of eight vectors of bytes."""
    words = [builder.bitcast(row, _WORDS) for row in rows]
    for step, mask in _EXCHANGES:
        kept = ir.Constant(_WORDS, [mask] * _WORDS.count)
        by = ir.Constant(_WORDS, [step] * _WORDS.count)
        for low in range(8):
            if low & step:
                continue
            one, other = words[low], words[low + step]
            moved = builder.and_(builder.xor(builder.lshr(one, by), other), kept)
            words[low] = builder.xor(one, builder.shl(moved, by))
            words[low + step] = builder.xor(other, moved)
    return [builder.bitcast(word, _BYTES) for word in words]


def _zipped(
    builder: Any, held: dict[int, Any], zips: tuple[int, ...]
) -> dict[tuple[int, int], Any]:
    """Zip registers, bit by bit of their numbers; give them by what is left, and by column."""
    found = {(number, 0): register for number, register in held.items()}
    for times, bit in enumerate(zips):
        zipped: dict[tuple[int, int], Any] = {}
        for (number, column), one in found.items():
            if number & bit:
                continue
            other = found[number | bit, column]
            zipped[number, column] = _shuffle(builder, one, other, _LOW)
            zipped[number, column | 8 >> times] = _shuffle(builder, one, other, _HIGH)
        found = zipped
    return found


def _load(builder: Any, place: Any) -> Any:
    return builder.load(builder.bitcast(place, _BYTES.as_pointer()), align=1)


def _store(builder: Any, vector: Any, place: Any) -> None:
    builder.store(vector, builder.bitcast(place, vector.type.as_pointer()), align=1)


def _shuffle(builder: Any, one: Any, other: Any, order: Any) -> Any:
    places = list(order)
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(_I32, len(places)), places))
