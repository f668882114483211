"""Tables on disk, in ``HSC_HOME/tables``: written whole, checked when read, bounded."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.model import canonical_json
from hsc.reductions.azimuthal.binning import Binning
from hsc.settings import home

_FORMAT = b"hsc-table/1\n"
# Raised where the same binning makes another table than before.
_RULES = 3
_MOST_BYTES = 4_000_000_000
_ENDING = ".table"
_DIGEST_BYTES = 32
_ALIGNED = 64
_MOST_HEAD = 4096
_WORTH_BYTES = 1_000_000

_log = logging.getLogger(__name__)


def fetch_arrays(binning: Binning, folder: Path | None = None) -> dict[str, NDArray[Any]] | None:
    """Give the arrays that were kept for a binning; None: there are none, or they are damaged."""
    path = _path(binning, folder)
    head = len(_FORMAT) + _DIGEST_BYTES
    try:
        with path.open("rb") as file:
            said = file.read(head)
            body = np.empty(max(0, path.stat().st_size - head), dtype=np.uint8)
            complete = file.readinto(body.data) == len(body)
    except OSError:  # never kept, swept away, or not ours to read: it is built again
        return None
    if not complete or said[: len(_FORMAT)] != _FORMAT:
        return None
    if blake3(body.data).digest() != said[len(_FORMAT) :]:
        _log.warning("a table on disk is damaged and is built again: %s", path)
        return None
    with contextlib.suppress(OSError):  # the oldest by use is swept first
        os.utime(path)
    return _unpack(body)


def is_kept(binning: Binning, folder: Path | None = None) -> bool:
    """Tell whether there is a table for a binning, damaged or not."""
    return _path(binning, folder).exists()


def keep_arrays(
    binning: Binning,
    arrays: dict[str, NDArray[Any]],
    folder: Path | None = None,
    most_bytes: int = _MOST_BYTES,
    worth_bytes: int = _WORTH_BYTES,
) -> None:
    """Keep arrays for a binning where other processes find them, and sweep what is oldest.

    What is small is built as fast as read. What can't be written is not kept: the next process
    builds it again.
    """
    path = _path(binning, folder)
    parts = _pack(arrays)
    if sum(len(part) for part in parts) < worth_bytes:
        return
    digest = blake3()
    for part in parts:
        digest.update(part)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with temporary.open("xb") as file:
            file.write(_FORMAT)
            file.write(digest.digest())
            file.writelines(parts)
        temporary.replace(path)
        _sweep(path.parent, most_bytes)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        _log.warning("a table could not be kept in %s: %s", path.parent, error)


def _path(binning: Binning, folder: Path | None) -> Path:
    # Another pyFAI may build another table of the same binning.
    said = {
        "binning": binning.key(),
        "pyFAI": version("pyFAI"),
        "numpy": version("numpy"),
        "rules": _RULES,
    }
    return (folder or home() / "tables") / (blake3(canonical_json(said)).hexdigest() + _ENDING)


def _pack(arrays: dict[str, NDArray[Any]]) -> list[memoryview]:
    """Put arrays, not copied, after a line that lists them, each at a multiple of 64 bytes."""
    listed = [[name, one.dtype.str, list(one.shape)] for name, one in arrays.items()]
    parts = [memoryview(json.dumps(listed).encode() + b"\n")]
    for one in arrays.values():
        parts.append(memoryview(bytes(-len(parts[-1]) % _ALIGNED)))
        parts.append(np.ascontiguousarray(one).reshape(-1).view(np.uint8).data)
    return parts


def _unpack(body: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    length = body[:_MOST_HEAD].tobytes().index(b"\n") + 1
    arrays, at = {}, length
    for name, dtype, shape in json.loads(body[:length].tobytes()):
        at += -at % _ALIGNED
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(body, dtype, count, at).reshape(shape)
        at += arrays[name].nbytes
    return arrays


def _sweep(folder: Path, most_bytes: int) -> None:
    """Remove the tables that were not used for the longest time, until the rest is few enough."""
    found = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another process has swept it
            state = path.stat()
            found.append((state.st_mtime, state.st_size, path))
    room = most_bytes
    for _, nbytes, path in sorted(found, reverse=True):
        room -= nbytes
        if room < 0:
            with contextlib.suppress(OSError):
                path.unlink()
