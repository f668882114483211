"""Whatever happens to the objects of a version, a reader gets an error and never wrong data."""

from __future__ import annotations

import math
import shutil

import google_crc32c
import numpy as np
import pytest

from hsc.errors import CorruptShardError, DamageError, ManifestError, MissingShardError
from hsc.model import Way
from hsc.reading import OpenedDataset, open_dataset, open_tree
from hsc.store import (
    DATA,
    ArraySpec,
    DirectoryObjects,
    GroupSpec,
    ShardBuilder,
    VersionWriter,
    blosc,
    digest_entry,
    metadata_objects,
)
from hsc.transcode import encode_chunk

SHARD, OTHER = f"{DATA}/frames/c/0/0/0", f"{DATA}/frames/c/1/0/0"
CHUNK = f"{DATA}/scale/c/0"
FRAMES = np.random.default_rng(5).integers(1, 500, (4, 16, 16)).astype("u2")
SCALE = np.arange(100.0)
WAYS = {
    "array": lambda dataset, name: dataset.array(f"/{name}").read(),
    "batches": lambda dataset, name: batched(dataset.array(f"/{name}")),
    "zarr": lambda dataset, name: dataset.zarr()[name][...],
    "tree": lambda dataset, name: open_tree(dataset)[name].compute().values,
    "one frame by zarr": lambda dataset, name: dataset.zarr()[name][0:1],
    "one frame of the tree": lambda dataset, name: open_tree(dataset)[name][0:1].compute().values,
}


def batched(array):
    return np.concatenate([batch.copy() for batch in array.batches(rows=3)])


def write_version(folder, record, frames=FRAMES, compressor=None):
    """Write two shards of two frames; raw, so that both have the same index."""
    stack = ArraySpec(
        "/frames", "frames", (4, 16, 16), "uint16", (1, 16, 16), (2, 16, 16), compressor, 0,
        Way.RECODE, ("frame", "y", "x"),
    )  # fmt: skip
    scale = ArraySpec("/scale", "scale", (100,), "float64", (100,), (100,), None, 0.0, Way.RECODE)
    writer = VersionWriter(DirectoryObjects(folder.parent), folder.name)
    entries = []
    for spec, values in ((stack, frames), (scale, SCALE)):
        for place, key in spec.objects():
            builder = ShardBuilder(math.prod(spec.chunks_per_shard), indexed=spec.sharded)
            for number in range(math.prod(spec.chunks_per_shard)):
                row = place[0] * spec.shards[0] + number * spec.chunks[0]
                part = values[row : row + spec.chunks[0]]
                builder.add(number, encode_chunk(part, spec.compressor))
            data, table = builder.finish()
            entries.append(digest_entry(f"{DATA}/{key}", data, chunks=table))
            writer.put(entries[-1], data)
    documents = metadata_objects([GroupSpec("/", "")], [stack, scale])
    entries += writer.put_metadata({f"{DATA}/{key}": text for key, text in documents.items()})
    manifest = writer.commit(entries, source_id=None, files=(), gaps=())
    return record(manifest.root, folder.as_uri())


@pytest.fixture(params=[None, blosc("lz4", 5, 2)], ids=["raw", "blosc"])
def damaged(request, tmp_path, make_dataset_record):
    """Damage a fresh version; give it to be opened."""

    def damage(change) -> OpenedDataset:
        folder = tmp_path / "v1"
        record = write_version(folder, make_dataset_record, compressor=request.param)
        change(folder)
        return open_dataset(record)

    return damage


def change_bytes(key, change):
    def apply(folder):
        path = folder / key
        path.write_bytes(change(bytearray(path.read_bytes())))

    return apply


def flip(position):
    def apply(data):
        data[position] ^= 4
        return data

    return apply


def swap(one, two):
    def apply(folder):
        first, second = (folder / one).read_bytes(), (folder / two).read_bytes()
        (folder / one).write_bytes(second)
        (folder / two).write_bytes(first)

    return apply


def other_chunk_with_a_right_checksum(data):
    """Change a raw chunk and its crc32c with it: only the manifest can tell."""
    data[3] ^= 1
    data[-4:] = google_crc32c.value(bytes(data[:-4])).to_bytes(4, "little")
    return data


SHARD_FAULTS = {
    "deleted": lambda folder: (folder / SHARD).unlink(),
    "zero bytes": change_bytes(SHARD, lambda data: b""),
    "truncated": change_bytes(SHARD, lambda data: data[: len(data) // 2]),
    "cut by one byte": change_bytes(SHARD, lambda data: data[:-1]),
    "zeroed": change_bytes(SHARD, lambda data: bytes(len(data))),
    "bit in the payload": change_bytes(SHARD, flip(20)),
    "bit in a chunk's crc": change_bytes(SHARD, flip(-36 - 1)),
    "bit in the index": change_bytes(SHARD, flip(-20)),
    "bit in the index's crc": change_bytes(SHARD, flip(-1)),
    "swapped with another": swap(SHARD, OTHER),
    "all of it swapped with another's copy": lambda folder: (folder / SHARD).write_bytes(
        (folder / OTHER).read_bytes()
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", SHARD_FAULTS)
def test_a_damaged_shard_is_an_error_or_the_part_that_is_whole(damaged, fault, way):
    dataset = damaged(SHARD_FAULTS[fault])
    if may_be_whole(fault, way):
        # A reader that trusts the manifest's chunk table needs no index, and its chunks are whole.
        values = WAYS[way](dataset, "frames")
        assert len(values)
        assert np.array_equal(values, FRAMES[: len(values)])
        return
    expected = MissingShardError if fault == "deleted" else CorruptShardError
    with pytest.raises(expected) as caught:
        WAYS[way](dataset, "frames")
    assert SHARD in caught.value.where or OTHER in caught.value.where
    assert caught.value.next_step


def may_be_whole(fault: str, way: str) -> bool:
    """Tell whether the damage lies outside of the bytes that a way of reading asks for."""
    if fault in ("bit in the index", "bit in the index's crc", "cut by one byte"):
        return way != "zarr"  # which reads whole shards; the index of others is the manifest's
    if fault == "bit in a chunk's crc":  # the second chunk's
        return way != "zarr"
    return fault == "truncated" and way in ("one frame of the tree", "one frame by zarr")


@pytest.mark.parametrize("way", ["array", "batches", "zarr", "tree"])
@pytest.mark.parametrize("fault", ["deleted", "zero bytes", "zeroed", "bit in the payload",
                                   "truncated", "swapped with another"])  # fmt: skip
def test_damage_of_a_payload_is_never_read_past(damaged, fault, way):
    dataset = damaged(SHARD_FAULTS[fault])
    with pytest.raises(DamageError):
        WAYS[way](dataset, "frames")


CHUNK_FAULTS = {
    "deleted": lambda folder: (folder / CHUNK).unlink(),
    "zero bytes": change_bytes(CHUNK, lambda data: b""),
    "truncated": change_bytes(CHUNK, lambda data: data[:400]),
    "zeroed": change_bytes(CHUNK, lambda data: bytes(len(data))),
    "a flipped bit": change_bytes(CHUNK, flip(20)),
    "another chunk": change_bytes(CHUNK, other_chunk_with_a_right_checksum),
}


@pytest.mark.parametrize("way", ["array", "batches", "zarr", "tree"])
@pytest.mark.parametrize("fault", CHUNK_FAULTS)
def test_a_damaged_chunk_object_is_an_error(damaged, fault, way):
    with pytest.raises(DamageError) as caught:
        WAYS[way](damaged(CHUNK_FAULTS[fault]), "scale")
    assert CHUNK in caught.value.where


@pytest.mark.parametrize("fault", ["deleted", "bit in the payload"])
def test_batches_take_from_another_copy_what_one_lacks(tmp_path, make_dataset_record, fault):
    record = write_version(tmp_path / "v1", make_dataset_record, compressor=blosc("lz4", 5, 2))
    shutil.copytree(tmp_path / "v1", tmp_path / "copy" / "v1")
    SHARD_FAULTS[fault](tmp_path / "v1")
    dataset = open_dataset(record, [(tmp_path / "copy" / "v1").as_uri()])
    assert np.array_equal(batched(dataset.array("/frames")), FRAMES)


METADATA_FAULTS = {
    "root deleted": lambda folder: (folder / DATA / "zarr.json").unlink(),
    "root emptied": change_bytes(f"{DATA}/zarr.json", lambda data: b""),
    "root truncated": change_bytes(f"{DATA}/zarr.json", lambda data: data[:-1]),
    "root flipped": change_bytes(f"{DATA}/zarr.json", flip(40)),
    "another shape": change_bytes(
        f"{DATA}/zarr.json", lambda data: bytes(data).replace(b"[4,16,16]", b"[6,16,16]")
    ),
}


@pytest.mark.parametrize("way", ["array", "batches", "zarr", "tree"])
@pytest.mark.parametrize("fault", METADATA_FAULTS)
def test_damaged_metadata_is_an_error(damaged, fault, way):
    with pytest.raises(DamageError) as caught:
        WAYS[way](damaged(METADATA_FAULTS[fault]), "frames")
    assert "zarr.json" in caught.value.where


MANIFEST_FAULTS = {
    "missing": lambda folder: (folder / "manifest").unlink(),
    "emptied": change_bytes("manifest", lambda data: b""),
    "truncated": change_bytes("manifest", lambda data: data[:-1]),
    "flipped": change_bytes("manifest", flip(100)),
    "zeroed": change_bytes("manifest", lambda data: bytes(len(data))),
}


@pytest.mark.parametrize("way", ["array", "batches", "zarr", "tree"])
@pytest.mark.parametrize("fault", MANIFEST_FAULTS)
def test_a_damaged_manifest_is_an_error(damaged, fault, way):
    with pytest.raises(ManifestError):
        WAYS[way](damaged(MANIFEST_FAULTS[fault]), "frames")


@pytest.mark.parametrize("way", ["array", "batches", "zarr", "tree"])
def test_the_whole_version_of_another_dataset_is_an_error(tmp_path, make_dataset_record, way):
    record = write_version(tmp_path / "v1", make_dataset_record)
    other = write_version(tmp_path / "v2", make_dataset_record, frames=FRAMES[::-1])
    swapped = record.model_copy(update={"location": other.location})
    with pytest.raises(ManifestError, match="root"):
        WAYS[way](open_dataset(swapped), "frames")


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_version_is_read_by_every_way(damaged, way):
    dataset = damaged(lambda folder: None)
    values = WAYS[way](dataset, "frames")
    assert np.array_equal(values, FRAMES[: len(values)])
