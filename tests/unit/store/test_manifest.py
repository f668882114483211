"""The manifest is read as it was written or not at all; the root hangs on what was stored alone."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from hsc.errors import FormatVersionError, ManifestError
from hsc.model import Gap
from hsc.store import ChunkTable, Manifest, ObjectEntry, dataset_root, digest_entry

KEYS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=30)
U64 = st.integers(0, 2**60)


@st.composite
def tables(draw):
    count = draw(st.integers(0, 6))

    def column(values, dtype):
        return np.array(draw(st.lists(values, min_size=count, max_size=count)), dtype)

    return ChunkTable(
        column(st.integers(0, 2), "u1"),
        column(U64, "u8"),
        column(U64, "u8"),
        column(st.integers(0, 2**32 - 1), "u4"),
    )


@st.composite
def entries(draw):
    return ObjectEntry(
        key=draw(KEYS),
        nbytes=draw(U64),
        digest=draw(st.binary(min_size=32, max_size=32)),
        chunks=draw(tables()),
        source_file=draw(st.integers(-1, 2**31 - 1)),
        source_start=draw(U64),
        source_stop=draw(U64),
        pack=draw(st.integers(-1, 2**31 - 1)),
        pack_offset=draw(U64),
        makings=draw(st.binary(min_size=32, max_size=32)),
    )


manifests = st.builds(
    Manifest,
    root=st.text("blake3:0123456789abcdef"),
    entries=st.lists(entries(), max_size=8).map(tuple),
    source_id=st.none() | st.just("blake3:" + "0" * 64),
    files=st.lists(st.text(), max_size=3).map(tuple),
    gaps=st.lists(st.builds(Gap, path=KEYS, reason=KEYS), max_size=3).map(tuple),
)


def facts(entry: ObjectEntry) -> tuple:
    table = entry.chunks
    columns = (table.states, table.offsets, table.lengths, table.crcs)
    return (
        entry.key, entry.nbytes, entry.digest, entry.source_file, entry.source_start,
        entry.source_stop, entry.pack, entry.pack_offset, entry.makings,
        *(column.tolist() for column in columns),
    )  # fmt: skip


@given(manifests)
def test_a_manifest_is_read_as_it_was_written(manifest):
    back = Manifest.decode(manifest.encode(), "here")
    assert list(map(facts, back.entries)) == list(map(facts, manifest.entries))
    assert replace(back, entries=()) == replace(manifest, entries=())


def example() -> Manifest:
    table = ChunkTable.none(3)
    entry = digest_entry("data.zarr/a/c/0", b"abc", chunks=table, source_file=0, source_stop=9)
    listed = (entry, digest_entry("data.zarr/zarr.json", b"{}"))
    return Manifest(
        dataset_root(listed), listed, "blake3:00", ("a.h5",), (Gap(path="/x", reason="y"),)
    )


def test_every_flipped_bit_of_a_manifest_is_noticed():
    data = example().encode()
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((ManifestError, FormatVersionError)):
            Manifest.decode(bytes(changed), "here")


def test_every_truncation_of_a_manifest_is_noticed():
    data = example().encode()
    for length in range(len(data)):
        with pytest.raises(ManifestError) as caught:
            Manifest.decode(data[:length], "file:///v1/manifest")
        assert caught.value.where == "file:///v1/manifest"
    with pytest.raises(ManifestError):
        Manifest.decode(data + b"\0", "here")


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_other_bytes_are_no_manifest(data):
    with pytest.raises(ManifestError):
        Manifest.decode(data, "here")


@pytest.mark.parametrize(
    ("start", "bytes_"),
    [
        (8, struct.pack("<I", 99)),
        (8, struct.pack("<I", 3)),
        (8, struct.pack("<I", 0)),
        (12, struct.pack("<QQ", 2**50, 9)),
        (28, bytes(20)),
    ],
)
def test_a_manifest_that_somebody_made_up_is_damage_though_its_digest_holds(start, bytes_):
    body = example().encode()[:-32]
    crafted = body[:start] + bytes_ + body[start + len(bytes_) :]
    with pytest.raises(ManifestError, match="damaged"):
        Manifest.decode(crafted + blake3(crafted).digest(), "here")


@pytest.mark.parametrize("place", ["nbytes", "pack_offset"])
def test_a_place_that_no_object_has_is_damage(place):
    entry = replace(digest_entry("data.zarr/zarr.json", b"{}"), pack=0, **{place: 2**64 - 1})
    with pytest.raises(ManifestError, match="damaged"):
        Manifest.decode(Manifest(root="", entries=(entry,)).encode(), "here")


def test_a_newer_format_is_told_apart_from_damage():
    data = bytearray(example().encode())
    data[4:6] = struct.pack("<H", 2)
    data[-32:] = blake3(bytes(data[:-32])).digest()
    with pytest.raises(FormatVersionError, match="format 2"):
        Manifest.decode(bytes(data), "here")


COUNTED = st.builds(
    digest_entry, KEYS.map("data.zarr/{}".format), st.binary(max_size=9), chunks=tables()
)


@given(st.lists(COUNTED, max_size=6, unique_by=lambda e: e.key), st.randoms())
def test_the_root_does_not_hang_on_the_order_of_entries(listed, random):
    shuffled = list(listed)
    random.shuffle(shuffled)
    assert dataset_root(shuffled) == dataset_root(listed)


def test_the_root_hangs_on_what_was_stored_and_on_nothing_else():
    table = ChunkTable.none(2)
    entry = digest_entry("data.zarr/a/c/0", b"abc", chunks=table)
    root = dataset_root([entry])
    same = [
        [entry, digest_entry("preview/a.png", b"1")],
        [entry, digest_entry("ro-crate-metadata.json", b"1")],
        [replace(entry, source_file=3, source_start=1, source_stop=9)],
        [replace(entry, pack=3, pack_offset=9)],
        [entry, digest_entry("small.zip", b"1"), digest_entry("references.json", b"1")],
    ]
    assert {dataset_root(listed) for listed in same} == {root}
    full = replace(table, states=np.array([0, 1], "u1"))
    other = [
        [],
        [replace(entry, key="data.zarr/b/c/0")],
        [replace(entry, nbytes=4)],
        [replace(entry, digest=bytes(31) + b"\1")],
        [replace(entry, chunks=full)],
        [entry, digest_entry("files/note.txt", b"1")],
        [entry, digest_entry("data.zarr/b/c/0", b"")],
    ]
    roots = {dataset_root(listed) for listed in other}
    assert len(roots) == len(other)
    assert root not in roots


def test_key_and_digest_cannot_be_shifted_into_each_other():
    one = ObjectEntry("data.zarr/ab", 1, b"c" * 32)
    two = ObjectEntry("data.zarr/a", 1, b"bc" + b"c" * 30)
    assert dataset_root([one]) != dataset_root([two])
