"""Which inner chunks of which shards a region of an array touches, and where they go in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any


@dataclass(frozen=True, slots=True)
class Piece:
    """What one inner chunk gives to a region."""

    number: int
    """Number of the chunk in its shard, in C order."""
    into: tuple[Any, ...]
    """Where it goes in the region: slices."""
    out: tuple[Any, ...]
    """What is taken out of the chunk: slices."""


@dataclass(frozen=True, slots=True)
class ChunkGrid:
    """How an array is divided into shards, and those into inner chunks."""

    shape: tuple[int, ...]
    """Elements along each dimension."""
    chunks: tuple[int, ...]
    """Shape of an inner chunk."""
    shards: tuple[int, ...]
    """Shape of a shard."""

    @property
    def per_shard(self) -> tuple[int, ...]:
        """Chunks of a shard along each dimension."""
        return tuple(s // c for s, c in zip(self.shards, self.chunks, strict=True))

    @property
    def chunks_per_shard(self) -> int:
        """Chunks of a shard."""
        return math.prod(self.per_shard)

    def touched(
        self, start: Sequence[int], stop: Sequence[int]
    ) -> Iterator[tuple[tuple[int, ...], list[Piece]]]:
        """Go through the shards that a region touches, each with its pieces.

        Parameters
        ----------
        start, stop
            First element along each dimension, and the one after the last.
        """
        per_shard = self.per_shard
        strides = [math.prod(per_shard[axis + 1 :]) for axis in range(len(per_shard))]
        axes = [
            _axis(low, high, chunk, count, stride)
            for low, high, chunk, count, stride in zip(
                start, stop, self.chunks, per_shard, strides, strict=True
            )
        ]
        for shard in product(*axes):
            rows = product(*(axis[at] for axis, at in zip(axes, shard, strict=True)))
            yield (
                shard,
                [
                    Piece(
                        sum(part[0] for part in row),
                        tuple(part[1] for part in row),
                        tuple(part[2] for part in row),
                    )
                    for row in rows
                ],
            )


def _axis(
    low: int, high: int, chunk: int, count: int, stride: int
) -> dict[int, list[tuple[int, slice, slice]]]:
    """Give, by shard, what each chunk along one dimension gives to the bounds there."""
    found: dict[int, list[tuple[int, slice, slice]]] = {}
    for place in range(low // chunk, -(-high // chunk)) if high > low else ():
        origin = place * chunk
        begin, finish = max(origin, low), min(origin + chunk, high)
        part = (
            place % count * stride,
            slice(begin - low, finish - low),
            slice(begin - origin, finish - origin),
        )
        found.setdefault(place // count, []).append(part)
    return found
