"""Ranges: which bytes a request wants of a file, and those bytes in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_PIECE_NBYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes of an object."""

    start: int
    """The first."""
    stop: int
    """The one after the last."""

    @classmethod
    def asked(cls, header: str | None, nbytes: int) -> ByteRange | None:
        """Read a Range header (RFC 9110); None: the whole, also where it asks for several parts.

        Raises
        ------
        ValueError
            It begins behind the object's end.

        Examples
        --------
        >>> ByteRange.asked("bytes=2-5", 10), ByteRange.asked("bytes=-3", 10)
        (ByteRange(start=2, stop=6), ByteRange(start=7, stop=10))
        >>> ByteRange.asked("bytes=8-99", 10), ByteRange.asked("bytes=0-1,4-5", 10)
        (ByteRange(start=8, stop=10), None)
        """
        match = _ONE.fullmatch((header or "").strip())
        if match is None or not any(match.groups()):
            return None
        if not match[1]:
            last = int(match[2])
            if not last:
                raise ValueError("no bytes from the end")
            return cls(max(nbytes - last, 0), nbytes)
        start, stop = int(match[1]), int(match[2]) + 1 if match[2] else nbytes
        if stop <= start and match[2]:
            return None  # an impossible range counts as none
        if start >= nbytes:
            raise ValueError("behind the end")
        return cls(start, min(stop, nbytes))


def read_range(path: Path, part: ByteRange) -> Iterator[bytes]:
    """Give bytes of a file in pieces of at most 1 MiB."""
    left = part.stop - part.start
    with path.open("rb", buffering=0) as file:
        file.seek(part.start)
        while left > 0:
            piece = file.read(min(left, _PIECE_NBYTES))
            if not piece:  # cut short since: the answer then breaks off, which the client sees
                raise OSError("the file ends before its object does")
            left -= len(piece)
            yield piece
