"""What kernels need of the machine and NumPy does not give: unaligned words, copies, CRC-32C steps.

Bounds are the caller's duty: these reach wherever they are told.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import intrinsic

# mypy can't know that what is generated is called with other arguments than the generator.
_kernel_part: Any = intrinsic


def _features() -> Any:
    try:
        return binding.get_host_cpu_features()
    except RuntimeError:  # not known on this platform
        return {}


_FEATURES = _features()
CRC_X86 = bool(_FEATURES.get("sse4.2"))
"""Whether the processor has CRC-32C steps as x86 words them."""
CRC_ARM = bool(_FEATURES.get("crc"))
"""Whether the processor has CRC-32C steps as ARM words them."""


def _pointer(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(builder.bitcast(data, ir.IntType(8).as_pointer()), [at])


@_kernel_part
def load_u64(typing_context: Any, source: Any, at: Any) -> Any:
    """Give eight bytes of an array of bytes as a number, little-endian."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointer(context, builder, signature.args[0], *arguments)
        word = builder.bitcast(place, ir.IntType(64).as_pointer())
        return builder.load(word, align=1)

    return types.uint64(source, types.int64), generate


@_kernel_part
def load_u32(typing_context: Any, source: Any, at: Any) -> Any:
    """Give four bytes of an array of bytes as a number, little-endian."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointer(context, builder, signature.args[0], *arguments)
        word = builder.bitcast(place, ir.IntType(32).as_pointer())
        return builder.load(word, align=1)

    return types.uint32(source, types.int64), generate


@_kernel_part
def store_u32(typing_context: Any, target: Any, at: Any, value: Any) -> Any:
    """Put a number into four bytes of an array of bytes, little-endian."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        word = builder.bitcast(place, ir.IntType(32).as_pointer())
        builder.store(arguments[2], word, align=1)
        return context.get_dummy_value()

    return types.void(target, types.int64, types.uint32), generate


@_kernel_part
def copy_bytes(
    typing_context: Any, target: Any, at: Any, source: Any, start: Any, count: Any
) -> Any:
    """Copy bytes from one array to another that does not overlap it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        there = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        here = _pointer(context, builder, signature.args[2], arguments[2], arguments[3])
        cgutils.raw_memcpy(builder, there, here, arguments[4], 1)
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64, types.int64), generate


@_kernel_part
def call_lz4(
    typing_context: Any, function: Any, source: Any, start: Any, size: Any, target: Any, room: Any
) -> Any:
    """Call LZ4's ``LZ4_decompress_safe`` by its address; give the bytes written to the target.

    It reads ``size`` bytes from ``start`` on and no others, and writes no more than ``room`` bytes
    at the beginning of the target; a negative number says that they are no LZ4 block.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, given, begin, count, into, most = arguments
        here = _pointer(context, builder, signature.args[1], given, begin)
        there = _pointer(context, builder, signature.args[4], into, ir.IntType(64)(0))
        number, text = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(number, [text, text, number, number])
        called = builder.inttoptr(address, kind.as_pointer())
        sizes = [builder.trunc(each, number) for each in (count, most)]
        return builder.sext(builder.call(called, [here, there, *sizes]), ir.IntType(64))

    signature = types.int64(types.int64, source, types.int64, types.int64, target, types.int64)
    return signature, generate


@_kernel_part
def crc_step(typing_context: Any, state: Any, word: Any) -> Any:
    """Take eight bytes into a CRC-32C; only where the processor has it."""
    name = "llvm.x86.sse42.crc32.64.64" if CRC_X86 else "llvm.aarch64.crc32cx"

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide, narrow = ir.IntType(64), ir.IntType(32)
        if CRC_X86:
            step = ir.FunctionType(wide, [wide, wide])
            function = cgutils.get_or_insert_function(builder.module, step, name)
            return builder.call(function, arguments)
        step = ir.FunctionType(narrow, [narrow, wide])
        function = cgutils.get_or_insert_function(builder.module, step, name)
        taken = builder.call(function, [builder.trunc(arguments[0], narrow), arguments[1]])
        return builder.zext(taken, wide)

    return types.uint64(types.uint64, types.uint64), generate


@numba.njit(nogil=True, cache=True)
def big_u32(source: Any, at: int) -> Any:
    """Give four bytes of an array of bytes as a number, big-endian."""
    word = np.uint32(load_u32(source, at))
    return (
        (np.int64(word & 0xFF) << 24)
        | (np.int64((word >> 8) & 0xFF) << 16)
        | (np.int64((word >> 16) & 0xFF) << 8)
        | np.int64(word >> 24)
    )
