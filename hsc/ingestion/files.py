"""Files of a run while they are read: each opened once, however many arrays are read of it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import h5py

from hsc.errors import SourceMissingError
from hsc.hdf5 import open_hdf5
from hsc.workers import Child, Isolation

_MOST_DESCRIPTORS = 128


class SourceFiles:
    """Open files; use it in a ``with`` block, in one thread."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._descriptors: dict[str, int] = {}
        self._files: dict[str, h5py.File] = {}
        self._child: Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        while self._descriptors:
            os.close(self._descriptors.popitem()[1])
        self._stack.close()

    def descriptor(self, path: str) -> int:
        """Give a file to be read as bytes.

        Raises
        ------
        SourceMissingError
            It can't be opened any more.
        """
        descriptor = self._descriptors.pop(path, None)
        if descriptor is None:
            # A virtual dataset may be laid over thousands of files; a process may open a thousand.
            while len(self._descriptors) >= _MOST_DESCRIPTORS:
                os.close(self._descriptors.pop(next(iter(self._descriptors))))
            descriptor = _open(path)
        self._descriptors[path] = descriptor
        return descriptor

    def hdf5(self, path: str) -> h5py.File:
        """Give a file to be read through HDF5.

        Raises
        ------
        SourceError
            It can't be opened any more, or is damaged.
        """
        if path not in self._files:
            self._files[path] = self._stack.enter_context(open_hdf5(Path(path)))
        return self._files[path]

    def child(self, isolation: Isolation) -> Child:
        """Give the child process that reads through HDF5 in place of this one."""
        if self._child is None or not self._child.alive:
            self._child = self._stack.enter_context(isolation.child())
        return self._child


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY)
    except OSError as error:
        raise SourceMissingError(
            f"the file can't be read any more: {error.strerror}",
            where=path,
            next_step="look where it went, then ingest again",
        ) from error
