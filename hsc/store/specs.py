"""Specs: what a Zarr v3 group or array is, and its ``zarr.json`` in one form only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.model import Way, canonical_json

_CRC32C = {"name": "crc32c"}
_INDEX_CODECS = [{"name": "bytes", "configuration": {"endian": "little"}}, _CRC32C]
_ONE_BYTE = ("bool", "int8", "uint8")


def blosc(
    cname: str, clevel: int, typesize: int, blocksize: int = 0, shuffle: str = "bitshuffle"
) -> dict[str, Any]:
    """Give the configuration of a Blosc codec, by default with bitshuffle."""
    return {
        "name": "blosc",
        "configuration": {
            "cname": cname,
            "clevel": clevel,
            "shuffle": shuffle,
            "typesize": typesize,
            "blocksize": blocksize,
        },
    }


def zstd(level: int) -> dict[str, Any]:
    """Give the configuration of a Zstandard codec."""
    return {"name": "zstd", "configuration": {"level": level, "checksum": False}}


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """A group of the tree."""

    path: str
    """True HDF5 path, ``/`` for the root."""
    key: str
    """Store key of the group's folder, empty for the root."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Attributes, as JSON."""

    def document(self) -> dict[str, Any]:
        """Give its ``zarr.json``."""
        return {"zarr_format": 3, "node_type": "group", "attributes": dict(self.attributes)}


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """An array of the tree."""

    path: str
    """True HDF5 path."""
    key: str
    """Store key of the array's folder."""
    shape: tuple[int, ...]
    """Elements along each dimension; empty for a scalar."""
    dtype: str
    """Zarr's name of the element type: ``uint16``, ``string`` ..."""
    chunks: tuple[int, ...]
    """Shape of an inner chunk."""
    shards: tuple[int, ...]
    """Shape of a shard; equal to ``chunks`` when each chunk is an object of its own."""
    compressor: Mapping[str, Any] | None
    """Configuration of the one compressing codec; None for raw bytes."""
    fill_value: Any
    """What a chunk that was never written holds, as JSON."""
    way: Way
    """How its chunks come here."""
    dimension_names: tuple[str, ...] = ()
    """One name for each dimension."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Attributes, as JSON."""
    big_endian: bool = False
    """Whether the elements' bytes stand the other way round, as they came."""

    @property
    def sharded(self) -> bool:
        """Whether objects are shards rather than single chunks."""
        return self.shards != self.chunks

    @property
    def grid(self) -> tuple[int, ...]:
        """How many objects along each dimension."""
        return tuple(math.ceil(n / s) for n, s in zip(self.shape, self.shards, strict=True))

    @property
    def chunks_per_shard(self) -> tuple[int, ...]:
        """How many inner chunks a shard has along each dimension."""
        return tuple(s // c for s, c in zip(self.shards, self.chunks, strict=True))

    def shard_numbers(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the number in the grid, in C order, of the object of each inner chunk.

        Parameters
        ----------
        places
            (n, dimensions): places in the grid of inner chunks.
        """
        numbers = np.zeros(len(places), np.int64)
        for axis, (length, per_shard) in enumerate(
            zip(self.grid, self.chunks_per_shard, strict=True)
        ):
            numbers *= length
            numbers += places[:, axis] // per_shard
        return numbers

    def objects(self) -> Iterator[tuple[tuple[int, ...], str]]:
        """Go through all objects: place in the grid, and key."""
        for place in product(*(range(n) for n in self.grid)):
            yield place, self.object_key(place)

    def object_key(self, place: Sequence[int]) -> str:
        """Give the key of the object at a place in the grid."""
        return "/".join([self.key, "c", *map(str, place)])

    def inner_codecs(self) -> list[dict[str, Any]]:
        """Give the codecs of an inner chunk; the last is always crc32c."""
        if self.dtype == "string":
            first: dict[str, Any] = {"name": "vlen-utf8", "configuration": {}}
        elif self.dtype in _ONE_BYTE:
            first = {"name": "bytes"}
        else:
            order = "big" if self.big_endian else "little"
            first = {"name": "bytes", "configuration": {"endian": order}}
        middle = [dict(self.compressor)] if self.compressor else []
        return [first, *middle, _CRC32C]

    def document(self) -> dict[str, Any]:
        """Give its ``zarr.json``."""
        codecs = self.inner_codecs()
        if self.sharded:
            codecs = [
                {
                    "name": "sharding_indexed",
                    "configuration": {
                        "chunk_shape": list(self.chunks),
                        "codecs": codecs,
                        "index_codecs": _INDEX_CODECS,
                        "index_location": "end",
                    },
                }
            ]
        document: dict[str, Any] = {
            "zarr_format": 3,
            "node_type": "array",
            "shape": list(self.shape),
            "data_type": self.dtype,
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": list(self.shards)},
            },
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": self.fill_value,
            "codecs": codecs,
            "attributes": dict(self.attributes),
            "storage_transformers": [],
        }
        if self.dimension_names:
            document["dimension_names"] = list(self.dimension_names)
        return document


def metadata_objects(groups: Sequence[GroupSpec], arrays: Sequence[ArraySpec]) -> dict[str, bytes]:
    """Give key and bytes of every ``zarr.json``, the root's with all others consolidated.

    Consolidated metadata is not in the Zarr v3 specification, but zarr-python, TensorStore's
    users and xarray read it, and every other reader ignores it.
    """
    documents = {group.key: group.document() for group in groups}
    documents |= {array.key: array.document() for array in arrays}
    root = documents.pop("")
    root["consolidated_metadata"] = {
        "kind": "inline",
        "must_understand": False,
        "metadata": {key: _within(document) for key, document in sorted(documents.items())},
    }
    texts = {f"{key}/zarr.json": canonical_json(document) for key, document in documents.items()}
    return {"zarr.json": canonical_json(root), **texts}


def _within(document: dict[str, Any]) -> dict[str, Any]:
    # zarr-python wants the field on groups inside consolidated metadata.
    if document["node_type"] == "group":
        return {
            **document,
            "consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": {}},
        }
    return document
