"""Copies that an ingest is held against: of whole files, and of the chunks with their sums."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import google_crc32c
import numpy as np
from blake3 import blake3

BLOCK_BYTES = 8 * 2**20
_STRETCH_BYTES = 4 * 2**20

Extent = tuple[int, int]
"""First byte of a chunk in its file, and its bytes."""


def copy_file(source: Path, folder: Path) -> None:
    """Copy a file in one thread, in blocks of 8 MiB, with fsync at its end."""
    with (
        source.open("rb", buffering=0) as read,
        (folder / source.name).open("xb", buffering=0) as written,
    ):
        while block := read.read(BLOCK_BYTES):
            written.write(block)
        os.fsync(written.fileno())


def copy_by_cp(source: Path, folder: Path) -> None:
    """Copy a file as the system's own program does, which flushes nothing."""
    program = shutil.which("cp") or "cp"
    subprocess.run([program, "--", str(source), str(folder / source.name)], check=True)


def copy_chunks(
    source: Path, folder: Path, objects: Sequence[Sequence[Extent]], threads: int, *, early: bool
) -> None:
    """Copy chunks into objects, with crc32c of each and BLAKE3 and fsync of each object.

    Parameters
    ----------
    objects
        The chunks of each object.
    threads
        How many objects at once.
    early
        Whether the disk is told to begin with each stretch as soon as it is written.
    """
    waiting, lock = iter(list(enumerate(objects))), threading.Lock()

    def work() -> None:
        buffer = np.empty(_STRETCH_BYTES, np.uint8)
        while True:
            with lock:
                number, extents = next(waiting, (-1, ()))
            if number < 0:
                return
            _copy_object(descriptor, folder / str(number), extents, buffer, early)

    descriptor = os.open(source, os.O_RDONLY)
    try:
        runs = [threading.Thread(target=work) for _ in range(threads)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
    finally:
        os.close(descriptor)


def _copy_object(
    descriptor: int, target: Path, extents: Sequence[Extent], buffer: np.ndarray, early: bool
) -> None:
    digest = blake3()
    with target.open("xb", buffering=0) as written:
        for stretch in _stretches(extents, buffer.size):
            start = stretch[0][0]
            part = buffer[: stretch[-1][0] + stretch[-1][1] - start]
            os.preadv(descriptor, [part.data], start)
            for offset, nbytes in stretch:
                google_crc32c.value(part[offset - start : offset - start + nbytes])
            digest.update(part.data)
            at = written.tell()
            written.write(part.data)
            if early:
                os.posix_fadvise(written.fileno(), at, part.size, os.POSIX_FADV_DONTNEED)
        os.fsync(written.fileno())
    digest.digest()


def _stretches(extents: Sequence[Extent], most: int) -> Iterator[list[Extent]]:
    """Join neighbours into stretches that fit the buffer."""
    stretch: list[Extent] = []
    for offset, nbytes in extents:
        if stretch and not 0 <= offset + nbytes - stretch[0][0] <= most:
            yield stretch
            stretch = []
        stretch.append((offset, nbytes))
    if stretch:
        yield stretch


@contextmanager
def unflushed() -> Iterator[None]:
    """Let nothing in this process wait for the disk while the block runs."""
    kept = {name: getattr(os, name) for name in ("fsync", "posix_fadvise")}
    for name in kept:
        setattr(os, name, lambda *_: None)
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(os, name, function)
