"""Stores of every kind, and one small committed version whose bytes are known."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from hsc.model import Way
from hsc.store import (
    DATA,
    ArraySpec,
    DirectoryObjects,
    GroupSpec,
    Manifest,
    ObjectEntry,
    ShardBuilder,
    VersionWriter,
    blosc,
    digest_entry,
    metadata_objects,
    open_objects,
)
from hsc.transcode import encode_chunk


@pytest.fixture(params=["directory", "memory", pytest.param("s3", marks=pytest.mark.s3)])
def objects(request, tmp_path):
    """One contract for every store: each test runs against each."""
    if request.param == "s3":
        return open_objects(f"{request.getfixturevalue('bucket').url}/a store")
    if request.param == "directory":
        return open_objects((tmp_path / "a store").as_uri())
    return open_objects(f"memory://{secrets.token_hex(6)}")


@dataclass
class Version:
    """A committed version: frames in two shards of two chunks, one more chunk never written."""

    folder: Path
    values: np.ndarray
    manifest: Manifest
    spec: ArraySpec
    root: GroupSpec = field(default_factory=lambda: GroupSpec("/", "", {"hsc:layout": "plain"}))

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def file(self, key: str) -> Path:
        return self.folder / key


def array_spec(**changes) -> ArraySpec:
    facts = {
        "path": "/frames",
        "key": "frames",
        "shape": (6, 16, 16),
        "dtype": "uint16",
        "chunks": (1, 16, 16),
        "shards": (2, 16, 16),
        "compressor": blosc("lz4", 5, 2),
        "fill_value": 9,
        "way": Way.RECODE,
        "dimension_names": ("frame", "y", "x"),
    }
    return ArraySpec(**{**facts, **changes})


@pytest.fixture
def spec():
    return array_spec


def write_array(writer: VersionWriter, spec: ArraySpec, values: np.ndarray) -> list[ObjectEntry]:
    """Write frames shard by shard; a frame whose first pixel is the fill value is left out."""
    entries = []
    for place, key in spec.objects():
        rows = range(place[0] * spec.shards[0], (place[0] + 1) * spec.shards[0])
        builder = ShardBuilder(len(rows), indexed=spec.sharded)
        for number, row in enumerate(rows):
            if values[row, 0, 0] != spec.fill_value:
                builder.add(number, encode_chunk(values[row : row + 1], spec.compressor))
        data, table = builder.finish()
        entry = digest_entry(f"{DATA}/{key}", data, chunks=table)
        writer.put(entry, data)
        entries.append(entry)
    return entries


@pytest.fixture
def make_version(tmp_path):
    """Write and commit a version; ``compressor=None`` gives shards whose indexes are all alike."""

    def make(name: str = "v1", **changes) -> Version:
        spec = array_spec(**changes)
        values = np.random.default_rng(1).integers(10, 500, spec.shape).astype("u2")
        values[4:] = 9  # the last shard: fill value alone, so no object
        writer = VersionWriter(DirectoryObjects(tmp_path), name)
        entries = write_array(writer, spec, values)
        group = GroupSpec("/", "", {"hsc:layout": "plain"})
        documents = metadata_objects([group], [spec])
        entries += writer.put_metadata({f"{DATA}/{k}": v for k, v in documents.items()})
        manifest = writer.commit(entries, source_id=None, files=(), gaps=())
        return Version(tmp_path / name, values, manifest, spec)

    return make


@pytest.fixture
def version(make_version) -> Version:
    return make_version()
