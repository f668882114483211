"""Reading a region: few requests, each one's chunks checked and decoded by the thread that got it.

Bounded memory: each thread holds one request's bytes (8 MiB, or a chunk that is larger) beside the
result, and in a single thread a few requests are under way ahead of the decoding.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsc import settings
from hsc.reading.chunk_codec import ChunkCodec, undecodable
from hsc.reading.grid import ChunkGrid, Piece
from hsc.store import CheckedVersion, ChunkState, Part, Span, end_waits_with, read_ahead
from hsc.workers import available_cpus

Gaps = Literal["raise", "mask", "fill"]
"""What a gap reads as: an error, or the fill value (with or without a mask beside it)."""

_MOST_THREADS = 32
_LEAST_REQUEST = 2**20
_REQUESTS_PER_THREAD = 4


def reading_threads() -> int:
    """Give how many threads a read uses that is nobody's task.

    A read in the main thread is alone, and fans out. One in any other thread is a part of
    somebody's parallel work, Dask's for instance, and decodes there: threads of threads would
    only be in each other's way.
    """
    if threading.current_thread() is not threading.main_thread():
        return 1
    return settings.read_threads() or min(_MOST_THREADS, max(4, 2 * available_cpus()))


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, and what becomes of the chunks that it brings."""

    key: str
    numbers: Sequence[int]
    pieces: Sequence[Piece]
    span: Span

    @property
    def nbytes(self) -> int:
        return self.span.stop - self.span.start


class RegionReader:
    """Reads regions of one array.

    Parameters
    ----------
    version
        The version that the array belongs to.
    grid
        How the array is divided.
    codec
        How its chunks are decoded.
    key
        Gives the key of a shard by its place.
    """

    def __init__(
        self,
        version: CheckedVersion,
        grid: ChunkGrid,
        codec: ChunkCodec,
        key: Callable[[tuple[int, ...]], str],
    ) -> None:
        self._version = version
        self._grid = grid
        self._codec = codec
        self._key = key

    def read(
        self, start: Sequence[int], stop: Sequence[int], gaps: Gaps, threads: int
    ) -> NDArray[Any]:
        """Read a region, checked and decoded.

        Parameters
        ----------
        start, stop
            First element along each dimension, and the one after the last.
        gaps
            What gaps read as.
        threads
            How many threads ask, check and decode.
        """
        shape = [high - low for low, high in zip(start, stop, strict=True)]
        result = np.empty(shape, self._codec.dtype)
        if result.size:
            requests = self._requests(result, start, stop, gaps, threads)
            if threads > 1:
                self._fan_out(result, requests, threads)
            else:
                for request, payloads in read_ahead(self._ask, requests, lambda r: r.nbytes):
                    for n, payload in zip(request.span.wanted, payloads, strict=True):
                        self._place(result, request, n, payload)
        return result

    def gap_mask(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[np.bool_]:
        """Tell which elements of a region lie in gaps, by the manifest; no chunk is read."""
        shape = [high - low for low, high in zip(start, stop, strict=True)]
        mask = np.zeros(shape, np.bool_)
        if mask.size:
            for shard, pieces in self._grid.touched(start, stop):
                states = self._states(shard, pieces)
                for n in np.flatnonzero(states == ChunkState.GAP):
                    mask[(*pieces[n].into, ...)] = True
        return mask

    def _states(self, shard: tuple[int, ...], pieces: Sequence[Piece]) -> NDArray[np.uint8]:
        states = self._version.chunk_states(self._key(shard), self._grid.chunks_per_shard)
        return states[[piece.number for piece in pieces]]

    def _requests(
        self,
        result: NDArray[Any],
        start: Sequence[int],
        stop: Sequence[int],
        gaps: Gaps,
        threads: int,
    ) -> Iterator[_Request]:
        """Go through the requests that are needed; what needs none is filled on the way."""
        for shard, pieces in self._grid.touched(start, stop):
            key, states = self._key(shard), self._states(shard, pieces)
            asked = states == ChunkState.DATA
            if gaps == "raise":
                asked |= states == ChunkState.GAP  # the version raises
            for n in np.flatnonzero(~asked):
                result[(*pieces[n].into, ...)] = self._codec.fill
            there = [pieces[n] for n in np.flatnonzero(asked)]
            numbers = [piece.number for piece in there]
            most = self._version.stored_nbytes(key, numbers) // (threads * _REQUESTS_PER_THREAD)
            for span in self._version.chunk_spans(key, numbers, max(_LEAST_REQUEST, most)):
                yield _Request(key, numbers, there, span)

    def _fan_out(self, result: NDArray[Any], requests: Iterator[_Request], threads: int) -> None:
        first = list(islice(requests, 2))
        if len(first) < 2:  # nothing to share
            for request in first:
                self._ask_and_place(result, request)
            return
        left, turn, over = chain(first, requests), threading.Lock(), threading.Event()

        def work() -> None:
            while not over.is_set():
                with turn:
                    request = next(left, None)
                if request is None:
                    return
                self._ask_and_place(result, request)

        with ThreadPoolExecutor(
            threads, thread_name_prefix="hsc-read", initializer=end_waits_with, initargs=(over,)
        ) as pool:
            running = [pool.submit(work) for _ in range(threads)]
            try:
                wait(running, return_when=FIRST_EXCEPTION)
            finally:
                over.set()
            for each in running:
                each.result()

    def _ask(self, request: _Request) -> list[Part]:
        return self._version.read_span(request.key, request.numbers, request.span)

    def _ask_and_place(self, result: NDArray[Any], request: _Request) -> None:
        """Decode each chunk as soon as it was checked."""
        take = partial(self._place, result, request)
        self._version.read_span(request.key, request.numbers, request.span, take)

    def _place(self, result: NDArray[Any], request: _Request, n: int, payload: Part) -> None:
        try:
            self._codec.place(payload, result, request.pieces[n])
        except (RuntimeError, ValueError) as error:
            where = f"{self._version.objects.url}/{request.key}, chunk {request.numbers[n]}"
            raise undecodable(error, where) from error
