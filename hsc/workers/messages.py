"""Whole objects over a pipe: a pickle, and beside it the buffers of its arrays, not copied."""

from __future__ import annotations

import os
import pickle
import struct
from typing import Any

_COUNT = struct.Struct("<I")
_SIZE = struct.Struct("<Q")
_ONCE = 2**30


def packed(content: Any) -> list[memoryview]:
    """Give an object as the parts of a message."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(content, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(body), *(buffer.raw() for buffer in buffers)]
    head = _COUNT.pack(len(parts)) + b"".join(_SIZE.pack(part.nbytes) for part in parts)
    return [memoryview(head), *parts]


def send(descriptor: int, parts: list[memoryview]) -> None:
    """Write a message to a pipe.

    Raises
    ------
    BrokenPipeError
        Nobody reads any more.
    """
    for part in parts:
        rest = part.cast("B") if part.nbytes else memoryview(b"")
        while rest:
            rest = rest[os.write(descriptor, rest[:_ONCE]) :]


def receive(descriptor: int, most_bytes: int) -> Any:
    """Read one object from a pipe.

    Parameters
    ----------
    descriptor
        The pipe.
    most_bytes
        What a message may have; one that promises more comes from a process gone mad.

    Raises
    ------
    EOFError
        The other side is gone.
    ValueError
        The message is too large, or none of ours.
    """
    (count,) = _COUNT.unpack(_read(descriptor, _COUNT.size))
    if not 0 < count <= most_bytes // _SIZE.size:
        raise ValueError(f"a message of {count} parts")
    raw_sizes = _read(descriptor, count * _SIZE.size)
    sizes = [size for (size,) in _SIZE.iter_unpack(raw_sizes)]
    if sum(sizes) > most_bytes:
        raise ValueError(f"a message of {sum(sizes)} bytes")
    body, *buffers = [_read(descriptor, size) for size in sizes]
    # The other side is a program of ours, started by us; see `hsc.workers.isolation` on trust.
    return pickle.loads(body, buffers=buffers)  # noqa: S301


def _read(descriptor: int, size: int) -> bytearray:
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        count = os.readv(descriptor, [rest]) if hasattr(os, "readv") else _copied(descriptor, rest)
        if not count:
            raise EOFError
        rest = rest[count:]
    return data


def _copied(descriptor: int, rest: memoryview) -> int:
    part = os.read(descriptor, min(len(rest), 2**20))
    rest[: len(part)] = part
    return len(part)
