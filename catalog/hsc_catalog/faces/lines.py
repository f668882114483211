"""Lines of a request that is read as it comes, each bounded, the whole not."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One line of a request."""

    number: int
    """Which, from 1."""
    text: bytes | None
    """What stands in it; None: more bytes than a line may have."""


async def split_lines(stream: AsyncIterable[bytes], most_nbytes: int) -> AsyncIterator[Line]:
    """Split what comes into lines; empty ones are counted and left out.

    Of a line that is too long nothing is kept, and no more than ``most_nbytes`` of any.
    """
    number, kept, too_long = 1, bytearray(), False
    async for part in stream:
        *ended, rest = part.split(b"\n")
        for piece in ended:
            too_long |= len(kept) + len(piece) > most_nbytes
            if too_long:
                yield Line(number, None)
            elif text := bytes(kept + piece).strip():
                yield Line(number, text)
            number, too_long = number + 1, False
            kept.clear()
        too_long |= len(kept) + len(rest) > most_nbytes
        kept.clear() if too_long else kept.extend(rest)
    if too_long:
        yield Line(number, None)
    elif text := bytes(kept).strip():
        yield Line(number, text)


async def gather_lines(
    lines: AsyncIterable[Line], most: int, most_nbytes: int
) -> AsyncIterator[list[Line]]:
    """Gather lines to be worked on at once: so many, or so many bytes."""
    gathered: list[Line] = []
    nbytes = 0
    async for line in lines:
        gathered.append(line)
        nbytes += len(line.text or b"")
        if len(gathered) >= most or nbytes >= most_nbytes:
            yield gathered
            gathered, nbytes = [], 0
    if gathered:
        yield gathered
