"""How many bytes streams will have in a store, told from a few of their rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hsc.ingestion.blocks import BlockTask, make_part, stream_spec
from hsc.store import Stream
from hsc.workers import Workers

# Of a chunk in its shard's index.
_INDEX_BYTES = 16


@dataclass(frozen=True, slots=True)
class StreamForecast:
    """What streams will take."""

    decoded: int
    """Bytes of all values: no codec makes it more, but for a few bytes of each chunk."""
    streams: tuple[Stream, ...]
    """The streams."""

    def sampled(self, workers: Workers) -> int:
        """Give about how many bytes are stored, as the rows in the middle of each are.

        They are made and encoded, and thrown away: the work of one chunk of rows.
        """
        tasks = [_sample(stream) for stream in self.streams]
        stored = workers.map(_encode, tasks)
        return sum(
            math.ceil(nbytes * stream.rows / (task.stop - task.start))
            for nbytes, stream, task in zip(stored, self.streams, tasks, strict=True)
        )


def forecast_streams(streams: Sequence[Stream]) -> StreamForecast:
    """Tell what streams will take; nothing is made yet."""
    decoded = sum(
        math.prod(array.shape) * array.dtype.itemsize
        for stream in streams
        for array in stream.arrays
    )
    return StreamForecast(decoded, tuple(stream for stream in streams if stream.rows))


def _sample(stream: Stream) -> BlockTask:
    """Give the chunk of rows in the middle of a stream, to be made and not written."""
    laid = stream_spec(stream, {array.path: array.path.strip("/") for array in stream.arrays})
    specs = tuple(replace(spec, attributes={}) for spec in laid.specs)
    step = math.lcm(*(spec.chunks[0] for spec in specs))
    start = stream.rows // 2 // step * step
    return BlockTask("", "", stream.make, specs, start, min(start + step, stream.rows), step)


def _encode(task: BlockTask) -> int:
    payloads, _ = make_part(task, (task.start, task.stop))
    return sum(len(data) + _INDEX_BYTES for data in payloads.values())
