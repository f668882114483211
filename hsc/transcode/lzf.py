"""Decoding LZF, h5py's own filter 32000 (github.com/h5py/h5py, ``lzf/lzf/lzf_d.c``)."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(nogil=True, cache=True)
def decode_lzf(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> int:
    """Decode into ``target``; give how many bytes it became, or -1 when it is malformed."""
    read, write = np.int64(0), np.int64(0)
    while read < source.size:
        control = np.int64(source[read])
        read += 1
        if control < 32:
            length = control + 1
            if length > source.size - read or length > target.size - write:
                return -1
            for step in range(length):
                target[write + step] = source[read + step]
            read += length
        else:
            length = control >> 5
            if length == 7:
                if read >= source.size:
                    return -1
                length += np.int64(source[read])
                read += 1
            if read >= source.size:
                return -1
            first = write - ((control & 31) << 8) - np.int64(source[read]) - 1
            read += 1
            length += 2
            if first < 0 or length > target.size - write:
                return -1
            for step in range(length):
                target[write + step] = target[first + step]
        write += length
    return write
