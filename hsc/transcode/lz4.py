"""Decoding one LZ4 block, each step in bounds (github.com/lz4/lz4, ``lz4_Block_format.md``)."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.transcode.machine import copy_bytes


@numba.njit(nogil=True, cache=True)
def decode_lz4(
    source: NDArray[np.uint8], start: int, stop: int, target: NDArray[np.uint8], at: int, end: int
) -> bool:
    """Decode a block into a part of ``target``; tell whether it filled that exactly."""
    read, write = start, at
    while read < stop:
        token = np.int64(source[read])
        read += 1
        literals = token >> 4
        if literals == 15:
            more = np.int64(255)
            while more == 255:
                if read >= stop:
                    return False
                more = np.int64(source[read])
                read += 1
                literals += more
        if literals > stop - read or literals > end - write:
            return False
        copy_bytes(target, write, source, read, literals)
        read += literals
        write += literals
        if read == stop:  # the last sequence has literals only
            return write == end
        if stop - read < 2:
            return False
        distance = np.int64(source[read]) | (np.int64(source[read + 1]) << 8)
        read += 2
        length = (token & 15) + 4
        if length == 19:
            more = np.int64(255)
            while more == 255:
                if read >= stop:
                    return False
                more = np.int64(source[read])
                read += 1
                length += more
        if distance == 0 or distance > write - at or length > end - write:
            return False
        if distance >= length:
            copy_bytes(target, write, target, write - distance, length)
        else:
            for step in range(write, write + length):
                target[step] = target[step - distance]
        write += length
    return False
