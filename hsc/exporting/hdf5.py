"""A dataset as one HDF5 file again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
from h5py import h5f, h5p

from hsc.exporting.failures import UNWRITABLE, end_unless_own, unwritable
from hsc.exporting.files import new_file
from hsc.exporting.nodes import Node
from hsc.exporting.ordering import keep_order
from hsc.exporting.parts import FilePart
from hsc.exporting.storage import Filters
from hsc.exporting.tree import Told, TreeWriter
from hsc.model import Gap
from hsc.reading import OpenedDataset
from hsc.workers import available_cpus

_LARGE_ATTRIBUTE_NBYTES = 32 * 2**10


def write_file(
    path: str | os.PathLike[str],
    dataset: OpenedDataset,
    part: FilePart,
    *,
    run: Sequence[FilePart] = (),
    filters: Filters = Filters.ORIGINAL,
    overwrite: bool = False,
    userblock: bytes = b"",
    known: Sequence[Gap] = (),
    advance: Callable[[int], None] = lambda _: None,
) -> Told:
    """Write a node and all below it as an HDF5 file, which appears whole or not at all.

    Parameters
    ----------
    path
        The file to make.
    dataset
        The dataset that is read.
    part
        Which file of the run it is.
    run
        All of its files, which virtual datasets may show.
    filters
        What chunks are compressed with.
    overwrite
        Replace a file that is there.
    userblock
        Bytes before the HDF5 part.
    known
        Gaps of the dataset, which a file that has any tells in its attribute ``hsc_gaps``.
    advance
        Is told stored bytes as they are written.

    Returns
    -------
    told
        What is not there, or not as it was.

    Raises
    ------
    ObjectExistsError
        A file is there and ``overwrite`` is False.
    DamageError
        Bytes of the dataset are missing or not those that were written.
    """
    with new_file(path, overwrite=overwrite) as beside:
        try:
            with _created(beside, part.root, userblock) as file:
                told = _write(file, dataset, part, run, filters, advance)
                gaps = [*known, *(gap for gap in told.gaps if gap not in known)]
                if gaps:
                    file.attrs["hsc_gaps"] = json.dumps([gap.document() for gap in gaps])
            _finish(beside, userblock)
        except UNWRITABLE as error:
            end_unless_own(error, str(path))
            raise unwritable(error, str(path)) from error
    return told


def _write(
    file: h5py.File,
    dataset: OpenedDataset,
    part: FilePart,
    run: Sequence[FilePart],
    filters: Filters,
    advance: Callable[[int], None],
) -> Told:
    roots = {each.name: each.root for each in (part, *run)}
    threads = available_cpus()
    with _pool(threads) as pool:
        writer = TreeWriter(
            file, dataset, part.root, name=part.name, run=roots, filters=filters, pool=pool,
            threads=threads, advance=advance,
        )  # fmt: skip
        writer.run()
    return writer.told


def _created(path: Path, root: Node, userblock: bytes) -> h5py.File:
    """Make the file, its root group as it was."""
    properties = h5p.create(h5p.FILE_CREATE)
    properties.set_userblock(len(userblock))
    keep_order(properties, root.attributes)
    access = h5p.create(h5p.FILE_ACCESS)
    # Only newer object headers hold an attribute of more than 64 KiB.
    lowest = h5f.LIBVER_V18 if _large(root) else h5f.LIBVER_EARLIEST
    access.set_libver_bounds(lowest, h5f.LIBVER_LATEST)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    made = h5f.create(os.fsencode(path), h5f.ACC_EXCL, fcpl=properties, fapl=access)
    return h5py.File(made)


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _finish(path: Path, userblock: bytes) -> None:
    with open(path, "r+b") as file:
        file.write(userblock)
        file.flush()
        os.fsync(file.fileno())


def _large(root: Node) -> bool:
    for node in root.walk():
        for name, value in node.attributes.items():
            spilled = isinstance(value, dict) and "$array" in value
            if spilled or (
                not name.startswith("hsc:") and _nbytes(value) > _LARGE_ATTRIBUTE_NBYTES
            ):
                return True
    return False


def _nbytes(value: Any) -> int:
    """Give about how many bytes a value of JSON has in HDF5, or more."""
    if isinstance(value, dict):
        return sum(map(_nbytes, value.values()))
    if isinstance(value, list):
        return sum(map(_nbytes, value))
    return len(value) if isinstance(value, str) else 8
