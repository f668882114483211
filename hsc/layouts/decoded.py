"""A run of one file that is no HDF5: its arrays, decoded, and the file itself beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import LayoutError, SourceMissingError
from hsc.hdf5 import (
    Carry,
    ChunkIndex,
    ElementType,
    FileState,
    Problem,
    Read,
    SourceDataset,
    SourceGroup,
)
from hsc.layouts.run import Asset, Facts, Piece, Run, RunArray, RunFile
from hsc.model import Kind

DECODED = "decoded"
"""How such arrays are stored in their file, as `SourceDataset.storage` says it."""
DECODED_KEY = "hsc:decoded"
_POINTER_NBYTES = 8
HEAD_BYTES = 64 * 2**10
"""So many bytes of a file are looked at to tell what it is."""


@dataclass(frozen=True, slots=True)
class DecodedArray:
    """An array as it was decoded."""

    path: str
    """Where it stands in the run's tree."""
    values: NDArray[Any]
    """Its elements: numbers in the byte order of this machine, or objects of ``str``."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Its attributes, as JSON."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """How its file has it: format, type and order there."""
    dimension_names: tuple[str, ...] = ()
    """Names of its dimensions; empty: unique to it."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """All that was decoded of a file."""

    arrays: Sequence[DecodedArray]
    """Its arrays."""
    roles: Mapping[str, str]
    """What they are for: role to path."""
    kind: Kind = Kind.CALIBRATION
    """What becomes of it in the catalog."""
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Attributes of its groups by path, the root's left out."""
    facts: Facts = field(default_factory=Facts)
    """What the file says, for the catalog."""
    problems: tuple[Problem, ...] = ()
    """What it says and can't be carried."""
    notes: tuple[str, ...] = ()
    """What is worth knowing."""


def decoded_run(path: Path, layout: str, state: FileState, decoded: Decoded, read: Read) -> Run:
    """Make a run of what was decoded of a file.

    Parameters
    ----------
    path, state
        The file, as it was looked at before it was decoded.
    layout
        Name of the layout.
    read
        Decodes an array again, wherever a worker needs it: a function that can be pickled.
    """
    groups = {"/": {"NX_class": "NXroot"}, **decoded.groups}
    return Run(
        layout=layout,
        files=(RunFile(path.name, path, state),),
        groups=tuple(SourceGroup(name, dict(groups[name])) for name in sorted(groups)),
        arrays=tuple(_array(each, read) for each in sorted(decoded.arrays, key=lambda a: a.path)),
        problems=decoded.problems,
        assets=(Asset(path.name, path, state),),
        facts=decoded.facts,
        roles=dict(decoded.roles),
        kind=decoded.kind,
        notes=decoded.notes,
    )


def file_head(path: Path) -> bytes:
    """Give the first 64 KiB of a file; nothing for what is no file.

    Raises
    ------
    SourceMissingError
        It can't be read.
    """
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise SourceMissingError(
            f"the file can't be read: {error.strerror}",
            where=str(path),
            next_step="check its name, owner and mode",
        ) from error


def plain_values(values: NDArray[Any], where: str) -> NDArray[Any]:
    """Give numbers in C order and this machine's byte order, the same values.

    Raises
    ------
    LayoutError
        They are no numbers, or of a type that Zarr has not.
    """
    native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    if native.dtype.kind not in "biuf" or native.dtype.itemsize > 8:
        raise LayoutError(
            f"its elements are of the type {values.dtype}",
            where=where,
            next_step="save it as booleans, integers or floats of at most 64 bits",
        )
    return native.reshape(values.shape)


def _array(decoded: DecodedArray, read: Read) -> RunArray:
    values, text = decoded.values, decoded.values.dtype == object
    element = (
        ElementType("string", carry=Carry.TEXT)
        if text
        else ElementType(values.dtype.name, view=values.dtype.newbyteorder("<").str)
    )
    attributes = dict(decoded.attributes)
    if decoded.facts:
        attributes[DECODED_KEY] = dict(decoded.facts)
    dataset = SourceDataset(
        path=decoded.path,
        shape=values.shape,
        maxshape=values.shape,
        element=element,
        itemsize=_POINTER_NBYTES if text else values.itemsize,
        fill_value="" if text else values.dtype.type(0).item(),
        filters=(),
        storage=DECODED,
        index=_whole(values),
        attributes=attributes,
        read=read,
    )
    return RunArray(
        decoded.path, (Piece(0, dataset),), decoded.dimension_names, attributes=attributes
    )


def _whole(values: NDArray[Any]) -> ChunkIndex:
    """Say that all of an array is there, at no place of its own in the file."""
    count = 1 if values.size else 0
    nothing = np.zeros(count, np.uint64)
    return ChunkIndex(
        None,
        np.zeros((count, values.ndim), np.int64),
        nothing,
        nothing,
        nothing.astype(np.uint32),
    )
