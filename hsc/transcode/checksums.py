"""Checksums of chunks: CRC-32C as Zarr appends it, Fletcher's as HDF5 does; in numba, no lock held.

Three lanes of CRC-32C run beside each other, since one step waits for the one before; they are
joined by a table that moves a sum over the bytes of a lane. Without such steps in the processor
eight tables do (Intel's slicing by 8).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.transcode.machine import CRC_ARM, CRC_X86, crc_step, load_u64

_POLYNOMIAL = 0x82F63B78
_LANE = 2048
_HARDWARE = CRC_X86 or CRC_ARM


def _slices() -> NDArray[np.uint32]:
    table = np.zeros((8, 256), np.uint32)
    sums = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        sums = np.where(sums & 1, (sums >> 1) ^ np.uint32(_POLYNOMIAL), sums >> 1)
    table[0] = sums
    for row in range(1, 8):
        sums = table[0][sums & 0xFF] ^ (sums >> 8)
        table[row] = sums
    return table


def _moves(nbytes: int) -> NDArray[np.uint32]:
    """Give what each byte of a sum becomes after ``nbytes`` of zeros."""
    first = _slices()[0]
    sums = np.arange(256, dtype=np.uint32)[None, :] << np.array([[0], [8], [16], [24]], np.uint32)
    for _ in range(nbytes):
        sums = first[sums & 0xFF] ^ (sums >> 8)
    return sums


_SLICES = _slices()
_MOVES = _moves(_LANE)


@numba.njit(nogil=True, cache=True)
def _moved(crc: int) -> int:
    return (
        _MOVES[0, crc & 0xFF]
        ^ _MOVES[1, (crc >> 8) & 0xFF]
        ^ _MOVES[2, (crc >> 16) & 0xFF]
        ^ _MOVES[3, (crc >> 24) & 0xFF]
    )


@numba.njit(nogil=True, cache=True)
def _crc_by_steps(data: NDArray[np.uint8], start: int, stop: int) -> int:
    crc = np.uint64(0xFFFFFFFF)
    at = start
    while stop - at >= 3 * _LANE:
        one, two = np.uint64(0), np.uint64(0)
        for step in range(at, at + _LANE, 8):
            crc = crc_step(crc, load_u64(data, step))
            one = crc_step(one, load_u64(data, step + _LANE))
            two = crc_step(two, load_u64(data, step + 2 * _LANE))
        crc = np.uint64(_moved(np.int64(crc))) ^ one
        crc = np.uint64(_moved(np.int64(crc))) ^ two
        at += 3 * _LANE
    while stop - at >= 8:
        crc = crc_step(crc, load_u64(data, at))
        at += 8
    rest = np.uint32(crc)
    for place in range(at, stop):
        rest = _SLICES[0, (rest ^ data[place]) & np.uint32(0xFF)] ^ (rest >> np.uint32(8))
    return np.int64(rest ^ np.uint32(0xFFFFFFFF))


@numba.njit(nogil=True, cache=True)
def _crc_by_tables(data: NDArray[np.uint8], start: int, stop: int) -> int:
    crc = np.uint32(0xFFFFFFFF)
    at = start
    while stop - at >= 8:
        word = load_u64(data, at) ^ np.uint64(crc)
        crc = np.uint32(0)
        for byte in range(8):
            part = np.int64((word >> np.uint64(8 * byte)) & np.uint64(0xFF))
            crc ^= _SLICES[7 - byte, part]
        at += 8
    for place in range(at, stop):
        crc = _SLICES[0, (crc ^ data[place]) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
    return np.int64(crc ^ np.uint32(0xFFFFFFFF))


crc32c = _crc_by_steps if _HARDWARE else _crc_by_tables
"""Give the CRC-32C of a part of an array of bytes, in kernels and outside of them."""


@numba.njit(nogil=True, cache=True)
def fletcher32(data: NDArray[np.uint8], start: int, stop: int) -> int:
    """Give the sum that HDF5's filter 3 appends (``H5_checksum_fletcher32``)."""
    low, high = np.int64(0), np.int64(0)
    at = start
    while stop - at >= 2:
        words = min((stop - at) // 2, 360)
        for _ in range(words):
            low += (np.int64(data[at]) << 8) | np.int64(data[at + 1])
            high += low
            at += 2
        low = (low & 0xFFFF) + (low >> 16)
        high = (high & 0xFFFF) + (high >> 16)
    if at < stop:
        low += np.int64(data[at]) << 8
        high += low
        low = (low & 0xFFFF) + (low >> 16)
        high = (high & 0xFFFF) + (high >> 16)
    low = (low & 0xFFFF) + (low >> 16)
    high = (high & 0xFFFF) + (high >> 16)
    return (high << 16) | low


@numba.njit(nogil=True, cache=True)
def right_sum(data: NDArray[np.uint8], start: int, stop: int, told: int) -> bool:
    """Tell whether HDF5 takes a sum as that of some bytes (``H5Z__filter_fletcher32``).

    HDF5 before 1.6.3 wrote the bytes of each half the other way round on little-endian machines.
    """
    found = fletcher32(data, start, stop)
    turned = ((found & 0x00FF00FF) << 8) | ((found >> 8) & 0x00FF00FF)
    return told in (found, turned)
