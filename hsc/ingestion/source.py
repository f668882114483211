"""Reading a run's array at the source: raw chunks by position, decoded regions through HDF5."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hsc.errors import DamagedSourceError, HscError
from hsc.hdf5 import Part, Read, open_node, read_part, source_of
from hsc.ingestion.files import SourceFiles
from hsc.model import plain_text
from hsc.workers import Isolation


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
    chunks: tuple[int, ...] | None = None
    """Shape of its HDF5 chunks; None when it has none."""
    read: Read | None = None
    """What gives its elements when the file is no HDF5; None: HDF5 does."""


class ArraySource:
    """An open array of a run; use it in a ``with`` block, in one thread.

    Parameters
    ----------
    pieces
        Its datasets, in order.
    files
        Files that stay open for other arrays; None: this one's own.
    isolation
        The child process that enters HDF5; None: this one does.
    """

    def __init__(
        self,
        pieces: Sequence[SourcePiece],
        files: SourceFiles | None = None,
        isolation: Isolation | None = None,
    ) -> None:
        self._pieces = pieces
        self._isolation = isolation
        self._stack = ExitStack()
        self._files = files or self._stack.enter_context(SourceFiles())
        self._nodes: dict[int, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def read_into(self, piece: int, offset: int, place: NDArray[np.uint8]) -> None:
        """Read bytes as they lie in the file, without entering HDF5."""
        path = self._pieces[piece].path
        descriptor, rest = self._files.descriptor(path), place.data
        while rest:
            count = os.preadv(descriptor, [rest[: 2**30]], offset)
            if not count:
                raise self.damaged(piece, f"the file ends {len(rest)} bytes too early")
            rest, offset = rest[count:], offset + count

    def region(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Read and decode a region of the array through HDF5."""
        if not start:
            return self._read(0, (), ())
        parts = []
        for number, piece in enumerate(self._pieces):
            first = max(start[0], piece.start)
            last = min(stop[0], piece.start + piece.rows)
            if first < last:
                low, high = first - piece.start, last - piece.start
                parts.append(self._read(number, (low, *start[1:]), (high, *stop[1:])))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def piece_region(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Read and decode a region of the only piece, counted from that one's beginning."""
        return self._read(0, start, stop)

    def damaged(self, piece: int, what: str) -> DamagedSourceError:
        """Word an error about a place in a file."""
        return DamagedSourceError(
            what,
            where=f"{self._pieces[piece].path}, {self._pieces[piece].dataset}",
            next_step="copy the file again from where it was written",
        )

    def _read(self, number: int, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        if self._isolation is not None:
            return self._read_apart(self._isolation, self._pieces[number], start, stop)
        part = self._pieces[number].part
        try:
            node = self._node(number)
            if part is not None:
                return read_part(source_of(node, part), part, start, stop)
            region = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
            if self._pieces[number].read is not None:
                # The ellipsis keeps a scalar an array of no dimensions.
                return np.asarray(node[(*region, ...)])
            return np.asarray(node[region])
        except HscError:
            raise
        except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise self.damaged(number, f"its data can't be read: {error}") from error

    def _read_apart(
        self, isolation: Isolation, piece: SourcePiece, start: Sequence[int], stop: Sequence[int]
    ) -> NDArray[Any]:
        doing = f"reading {plain_text(piece.dataset)} of {plain_text(piece.path)}"
        child = self._files.child(isolation)
        return child.call(read_piece, piece, tuple(start), tuple(stop), doing=doing)

    def _node(self, piece: int) -> Any:
        if piece not in self._nodes:
            source = self._pieces[piece]
            if source.read is not None:
                return self._nodes.setdefault(piece, source.read(source.path, source.dataset))
            file = self._files.hdf5(source.path)
            self._nodes[piece] = open_node(file, source.dataset)
        return self._nodes[piece]


def read_piece(piece: SourcePiece, start: tuple[int, ...], stop: tuple[int, ...]) -> NDArray[Any]:
    """Read a region of one piece in a child process, which keeps the last one open."""
    known = _KEPT_OPEN.get("piece")
    if known is None or known[0] != piece:
        if known is not None:
            known[1].__exit__()
        known = _KEPT_OPEN["piece"] = piece, ArraySource((piece,))
    return known[1].piece_region(start, stop)


# Of a child process, which has one thread and reads one run.
_KEPT_OPEN: dict[str, tuple[SourcePiece, ArraySource]] = {}
