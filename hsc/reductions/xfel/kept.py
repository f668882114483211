"""Constants of single memory cells, kept while pictures that were taken with them are corrected."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from hsc.kernels import CellConstants

Cell = tuple[int, int]
"""Number of a module, and of one of its memory cells."""


class KeptCells:
    """Keeps constants of cells for all threads of a process; what was asked for last stays.

    Parameters
    ----------
    most_nbytes
        So much is kept, and never less than the cell that was asked for last.
    """

    def __init__(self, most_nbytes: int) -> None:
        self._most_nbytes = most_nbytes
        self._kept: dict[Cell, CellConstants] = {}
        self._turn = threading.Lock()
        # Who needs a cell that another thread reads waits for it, rather than read it too.
        self._reading: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    def constants(self, cell: Cell, read: Callable[[], CellConstants]) -> CellConstants:
        """Give the constants of a cell, read when they are not there."""
        found = self._recalled(cell)
        if found is not None:
            return found
        with self._turn:
            reading = self._reading[cell[0]]
        with reading:
            found = self._recalled(cell)
            if found is None:
                found = read()
                self._keep(cell, found)
        return found

    def _recalled(self, cell: Cell) -> CellConstants | None:
        with self._turn:
            found = self._kept.pop(cell, None)
            if found is not None:
                self._kept[cell] = found  # the last to go
        return found

    def _keep(self, cell: Cell, found: CellConstants) -> None:
        with self._turn:
            self._kept[cell] = found
            while len(self._kept) > 1 and self._nbytes() > self._most_nbytes:
                self._kept.pop(next(iter(self._kept)))

    def _nbytes(self) -> int:
        return sum(each.nbytes for each in self._kept.values())

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers elsewhere read them by themselves.
        return KeptCells, (self._most_nbytes,)
