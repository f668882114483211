"""An object on its way into a directory: a temporary file that gets its name at the end."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.store.pacing import payer

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_SYNCED_EARLY = 1 << 20
_PART_BYTES = 8 << 20
# Where two files can't be joined so: between file systems, on old kernels, below FUSE.
_NO_RANGES = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV}


class NewFile:
    """An object on its way to the disk: a temporary file that gets its name at the end.

    Parameters
    ----------
    temporary
        Where it grows.
    target
        What it will be.
    guard
        Gives a block in which the operating system's errors become those of the store.
    over
        Whether it takes the place of what bears its name already, instead of failing.
    """

    def __init__(
        self,
        temporary: Path,
        target: Path,
        guard: Callable[[], AbstractContextManager[None]],
        *,
        over: bool = False,
    ) -> None:
        self._over = over
        self._temporary = temporary
        self._target = target
        self._guard = guard
        self._pay = payer()  # its parts may be written by another thread
        self._descriptor = -1
        self._length = 0

    def __enter__(self) -> Self:
        with self._guard():
            _make_folder(self._temporary.parent)
            self._descriptor = os.open(self._temporary, _NEW, 0o666)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        with self._guard():
            self._temporary.unlink(missing_ok=True)

    def write(self, buffer: NDArray[np.uint8], nbytes: int) -> bool:
        """Append a part, and have the disk begin with it."""
        self._pay(nbytes)
        with self._guard():
            rest = buffer[:nbytes].data
            while rest:
                rest = rest[os.write(self._descriptor, rest[: 2**30]) :]
            _begin_to_sync(self._descriptor, self._length, nbytes)
        self._length += nbytes
        return False

    def fill(self, source: int, nbytes: int) -> bytes:
        """Copy another file's first bytes here; give the BLAKE3 of what then stands here."""
        self._pay(nbytes)
        with self._guard():
            while self._length < nbytes:
                count = _copy_part(source, self._descriptor, self._length, nbytes - self._length)
                if not count:
                    break
                self._length += count
            return blake3().update_mmap(self._temporary).digest()

    def place(self) -> None:
        """Make it durable and give it its name; a taken name fails."""
        with self._guard():
            os.fsync(self._descriptor)
            if self._over:
                _make_folder(self._target.parent)
                os.close(self._descriptor)  # Windows moves no file that is open
                self._descriptor = -1
                self._temporary.replace(self._target)
            else:
                _link_new(self._temporary, self._target)
            _sync_folder(self._target.parent)


def _copy_part(source: int, target: int, start: int, most: int) -> int:
    """Copy some bytes between files that both stand at ``start``; give how many."""
    if hasattr(os, "copy_file_range"):
        try:
            # XFS, Btrfs and NFS 4.2 share or copy the blocks themselves.
            return os.copy_file_range(source, target, most, start, start)
        except OSError as error:
            if error.errno not in _NO_RANGES:
                raise
    os.lseek(source, start, os.SEEK_SET)
    os.lseek(target, start, os.SEEK_SET)
    return os.write(target, os.read(source, min(most, _PART_BYTES)))


def _begin_to_sync(descriptor: int, start: int, length: int) -> None:
    """Have dirty pages written while more are made, so that fsync has little left to wait for.

    To give up pages that are not on the disk yet is how Linux is asked for that.
    """
    if hasattr(os, "posix_fadvise") and length >= _SYNCED_EARLY:
        os.posix_fadvise(descriptor, start, length, os.POSIX_FADV_DONTNEED)


def _link_new(temporary: Path, target: Path) -> None:
    """Give a file its name; a taken name fails, where a rename would overwrite."""
    for _ in range(100):
        try:
            _make_folder(target.parent)
            os.link(temporary, target)
        except FileNotFoundError:
            # Somebody who deletes a neighbour takes empty folders away: make them again.
            continue
        except FileExistsError as error:
            # From making the folder: it was there, and was taken away before it was looked at.
            if error.filename2 is not None or any(each.is_file() for each in target.parents):
                raise
            continue
        return
    raise FileNotFoundError(errno.ENOENT, "its folder keeps disappearing", str(target.parent))


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    missing = [folder, *(parent for parent in folder.parents if not parent.exists())]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _sync_folder(made.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows can't open a folder, and needs no such call
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
