"""Opening HDF5 files of unknown origin, with errors that say what is wrong with them."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py

# Importing hdf5plugin registers the filters that detectors use (bitshuffle, LZ4, Blosc ...).
import hdf5plugin  # noqa: F401

from hsc.errors import (
    DamagedSourceError,
    NotHdf5Error,
    SourceBusyError,
    SourceMissingError,
    SplitFileError,
)

# HDF5 opens a file twice in one session only with the same locks.
_OTHER_LOCKING = "file locking flag values don't match"
_OPEN_FOR_WRITE = "already open for write"
# The multi driver's complaint, and names in the driver information beside the superblock.
_DRIVERS = ("multi driver", "NCSAfami", "NCSAmult")
_DRIVER_NBYTES = 2048
# FAT keeps times in steps of 2 s; all that large runs lie on, in steps of milliseconds or less.
_COARSEST_NS = 2 * 10**9
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass
class _Shared:
    """One file that is open, for all who read it in this process."""

    file: h5py.File
    readers: int = 0


# HDF5 keeps, for all handles of a file in a process, the datatypes that the first one read, and
# in those with text or references inside a compound a pointer to that handle: once it is closed,
# to read through another one is a crash (h5py issue 2920). So there is only ever one handle.
_OPEN: dict[tuple[int, int], _Shared] = {}
_OPENING = threading.Lock()


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading, without locks.

    Locks are left alone because parallel file systems often refuse them and a reader needs none.
    Whoever opens the same file at the same time gets the same object: leave it open.

    Raises
    ------
    SourceMissingError
        There is no such file, or it can't be read.
    NotHdf5Error
        The file is not HDF5.
    DamagedSourceError
        The file begins like HDF5 but can't be opened: truncated, corrupt, or open in this
        session in a way that leaves no other.
    SourceBusyError
        It is flagged as open for writing, by a writer that lets nobody read beside it (SWMR).
    SplitFileError
        It is one part of several.
    """
    facts = check_signature(path)
    key = (facts.st_dev, facts.st_ino)
    with _OPENING:
        shared = _OPEN.get(key) or _Shared(_opened(path))
        shared.readers += 1
        _OPEN[key] = shared
    try:
        yield shared.file
    finally:
        with _OPENING:
            shared.readers -= 1
            if not shared.readers:
                del _OPEN[key]
                shared.file.close()


def _opened(path: Path) -> h5py.File:
    # By its real path: HDF5 looks for a virtual dataset's sources beside the path it was given.
    real = os.path.realpath(path)
    try:
        file = h5py.File(real, "r", locking=False)
    except OSError as error:
        if isinstance(error, FileNotFoundError):  # it went away since it was looked at
            raise _unread(path, error) from error
        if _OTHER_LOCKING in str(error):
            file = _opened_again(path)
        elif _OPEN_FOR_WRITE in str(error):
            file = _opened_live(path)
        elif any(driver in str(error) or driver in _beginning(path) for driver in _DRIVERS):
            raise _one_of_several(path) from error
        else:
            raise DamagedSourceError(
                f"the file can't be opened: {_first_line(error)}",
                where=str(path),
                next_step="copy it again from where it was written; if its writer still has it "
                "open, wait until that ends",
            ) from error
    # HDF5 hands out what this session has open for writing, with bytes that no file has yet.
    if file.mode != "r":
        file.close()
        raise _open_in_session(path)
    return file


def _opened_live(path: Path) -> h5py.File:
    """Open what is flagged as open for writing, when its writer lets others read (SWMR)."""
    try:
        return h5py.File(os.path.realpath(path), "r", locking=False, swmr=True)
    except (OSError, RuntimeError) as error:
        raise SourceBusyError(
            "the file is still flagged as open for writing",
            where=str(path),
            next_step="wait until its writer closes it; if its writer died: h5clear -s",
        ) from error


def _one_of_several(path: Path) -> SplitFileError:
    return SplitFileError(
        "the file is one of several that HDF5's family, multi or split driver wrote",
        where=str(path),
        next_step="join them into one file with h5repart or h5repack, and name that",
    )


def _beginning(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_DRIVER_NBYTES).decode("latin-1")


def _opened_again(path: Path) -> h5py.File:
    """Open what this session, such as a notebook, has open: with locks as h5py has by itself."""
    try:
        return h5py.File(os.path.realpath(path), "r")
    except OSError as error:
        raise _open_in_session(path) from error


def _open_in_session(path: Path) -> DamagedSourceError:
    return DamagedSourceError(
        "the file is open in this session; close it",
        where=str(path),
        next_step="close it (file.close()), then try again",
    )


def check_signature(path: Path) -> os.stat_result:
    """Look for the HDF5 signature at 0, 512, 1024 ... as the format's specification says.

    Returns
    -------
    facts
        What the file system says of the file that was looked at.

    Raises
    ------
    SourceMissingError, NotHdf5Error
        As `open_hdf5`.
    """
    try:
        facts = path.stat()
        found = stat.S_ISREG(facts.st_mode) and _signed(path, facts.st_size)
    except OSError as error:
        raise _unread(path, error) from error
    if not stat.S_ISREG(facts.st_mode):
        raise SourceMissingError(
            "not a file", where=str(path), next_step="name a file, or a folder with one run"
        )
    if not found:
        raise NotHdf5Error(
            "not an HDF5 file" if facts.st_size else "the file is empty",
            where=str(path),
            next_step="name an HDF5 file (.h5, .nxs, .hdf5, .cxi)",
        )
    return facts


def _unread(path: Path, error: OSError) -> SourceMissingError:
    """Word that a file can't be read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        what, next_step = "no such file", "check the path's spelling"
    elif isinstance(error, PermissionError):
        what = "the file can't be read"
        next_step = "check its owner and mode, or run as a member of its group"
    else:
        what = f"the file can't be read: {error.strerror}"
        next_step = "check the file system it lies on"
    return SourceMissingError(what, where=str(path), next_step=next_step)


def is_hdf5(path: Path) -> bool:
    """Tell whether a file begins like HDF5.

    Raises
    ------
    SourceMissingError
        It is no file, or can't be read.
    """
    try:
        check_signature(path)
    except NotHdf5Error:
        return False
    return True


def _signed(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        offset = 0
        while offset < size:
            file.seek(offset)
            if file.read(len(_SIGNATURE)) == _SIGNATURE:
                return True
            offset = 512 if offset == 0 else offset * 2
    return False


class FilesMet(list[Path]):
    """Files that a walk met, by their real paths, each once."""

    def __init__(self, first: Path) -> None:
        super().__init__([first])
        # A virtual dataset may have tens of thousands of sources.
        self._numbers = {first: 0}

    def number(self, path: Path) -> int:
        """Give the number of a file, a new one the next."""
        number = self._numbers.setdefault(path, len(self))
        if number == len(self):
            self.append(path)
        return number

    def add(self, paths: Iterable[Path]) -> None:
        """Add files in the order of their names."""
        for path in sorted(paths):
            self.number(path)


class FileState:
    """Size, times and inode of a file, to see whether it changes while it is read, and after."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen_ns = time.time_ns()
        self._facts, self._touched_ns = self._look()

    @property
    def nbytes(self) -> int:
        """Bytes of the file when it was first looked at."""
        return self._facts[0]

    @property
    def facts(self) -> tuple[int, int, int]:
        """Size, time in ns and inode when the file was first looked at."""
        return self._facts

    @property
    def mark(self) -> tuple[int, ...] | None:
        """Size, time, inode, and the time in ns when anything of it changed, which nobody can set.

        While they are the same, nobody wrote to it. None where that does not follow: on Windows,
        and so soon after a change that another one could have the same time.
        """
        if os.name == "nt" or self._seen_ns - self._touched_ns < _COARSEST_NS:
            return None
        return *self._facts, self._touched_ns

    def changed(self) -> bool:
        """Tell whether the file is another one now, or has another size or time."""
        return self._look()[0] != self._facts

    def touched(self) -> bool:
        """Tell whether anything of it changed, if only its mode, or a time that was set back."""
        return self._look() != (self._facts, self._touched_ns)

    def _look(self) -> tuple[tuple[int, int, int], int]:
        try:
            facts = os.stat(self.path)
        except OSError:
            return (-1, -1, -1), -1
        return (facts.st_size, facts.st_mtime_ns, facts.st_ino), facts.st_ctime_ns


def _first_line(error: OSError) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
