"""Reading a run's array at the source: raw chunks by position, decoded regions through HDF5."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from hsc.errors import DamagedSourceError, SourceMissingError, UnsupportedObjectError
from hsc.hdf5 import Part, decode_text, encode_name, open_hdf5


@dataclass(frozen=True, slots=True)
class SourcePiece:
    """A dataset in a file, as rows of an array."""

    path: str
    """The file."""
    file: int
    """Index into the manifest's files."""
    dataset: str
    """HDF5 path in the file."""
    start: int
    """First row of the array that it holds."""
    rows: int
    """How many rows it holds; 1 for a scalar, 0 for a file that only lends its bytes."""
    part: Part | None = None
    """Which part of the dataset's elements; None for the elements as they are."""


class ArraySource:
    """An open array of a run; use it in a ``with`` block, in one thread.

    Parameters
    ----------
    pieces
        Its datasets, in order.
    text
        Whether its elements are text.
    """

    def __init__(self, pieces: Sequence[SourcePiece], *, text: bool) -> None:
        self._pieces = pieces
        self._text = text
        self._stack = ExitStack()
        self._descriptors: dict[str, int] = {}
        self._datasets: dict[int, h5py.Dataset] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def raw(self, piece: int, offset: int, nbytes: int) -> bytes:
        """Read a chunk's bytes as they lie in the file, without entering HDF5."""
        path = self._pieces[piece].path
        if path not in self._descriptors:
            descriptor = _open(path)
            self._stack.callback(os.close, descriptor)
            self._descriptors[path] = descriptor
        data = os.pread(self._descriptors[path], nbytes, offset)
        if len(data) != nbytes:
            raise self.damaged(piece, f"the file ends {nbytes - len(data)} bytes too early")
        return data

    def region(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Read and decode a region of the array through HDF5."""
        if not start:
            return self._read(0, ())
        parts = []
        for number, piece in enumerate(self._pieces):
            first = max(start[0], piece.start)
            last = min(stop[0], piece.start + piece.rows)
            if first < last:
                rows = slice(first - piece.start, last - piece.start)
                rest = (slice(a, b) for a, b in zip(start[1:], stop[1:], strict=True))
                parts.append(self._read(number, (rows, *rest)))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def damaged(self, piece: int, what: str) -> DamagedSourceError:
        """Word an error about a place in a file."""
        return DamagedSourceError(
            what,
            where=f"{self._pieces[piece].path}, {self._pieces[piece].dataset}",
            next_step="copy the file again from where it was written",
        )

    def _read(self, piece: int, region: tuple[slice, ...]) -> NDArray[Any]:
        try:
            values = self._dataset(piece)[region]
        except (OSError, KeyError, RuntimeError) as error:
            raise self.damaged(piece, f"its data can't be read: {error}") from error
        array = np.asarray(values, object) if self._text else np.asarray(values)
        return self._decoded(piece, array) if self._text else array

    def _dataset(self, piece: int) -> h5py.Dataset:
        if piece not in self._datasets:
            source = self._pieces[piece]
            file = self._stack.enter_context(open_hdf5(Path(source.path)))
            self._datasets[piece] = file[encode_name(source.dataset)]
        return self._datasets[piece]

    def _decoded(self, piece: int, array: NDArray[Any]) -> NDArray[Any]:
        texts = np.empty(array.shape, object)
        for place, value in _items(array):
            text = decode_text(value)
            if text is None:
                raise UnsupportedObjectError(
                    "a text that is no UTF-8",
                    where=f"{self._pieces[piece].path}, {self._pieces[piece].dataset}, "
                    f"element {place}",
                    next_step="this release carries UTF-8 and ASCII text only",
                )
            texts[place] = text
        return texts


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY)
    except OSError as error:
        raise SourceMissingError(
            f"the file can't be read any more: {error.strerror}",
            where=path,
            next_step="look where it went, then ingest again",
        ) from error


def _items(array: NDArray[Any]) -> Iterator[tuple[tuple[int, ...], Any]]:
    yield from np.ndenumerate(array)
