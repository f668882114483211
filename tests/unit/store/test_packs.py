"""A pack is an ordinary Zip, the same bytes each time, and is read as checked as all else."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.errors import CorruptShardError, ManifestError, MissingShardError
from hsc.store import (
    CheckedVersion,
    ChunkTable,
    DirectoryObjects,
    Manifest,
    PackBuilder,
    ShardBuilder,
    VersionWriter,
    digest_entry,
    open_version,
    pack_key,
    packed_nbytes,
)
from hsc.store.kept import KEPT_BYTES

KEYS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters='/\\:*?"<>|'),
    min_size=1,
    max_size=20,
).filter(lambda name: name.strip(" ."))
OBJECTS = st.dictionaries(KEYS.map("data.zarr/{}/c/0".format), st.binary(min_size=1), max_size=9)


def pack(objects, number=0):
    builder = PackBuilder(number)
    for key, data in objects.items():
        builder.add(digest_entry(key, data), data)
    return builder.finish()


def facts(entry):
    return entry.key, entry.nbytes, entry.digest, entry.pack, entry.pack_offset


@given(OBJECTS, st.integers(0, 3))
def test_every_entry_lies_where_its_entry_says_and_where_zip_readers_find_it(objects, number):
    data, (own, *entries) = pack(objects, number)
    assert facts(own) == facts(digest_entry(pack_key(number), data))
    found = zipfile.ZipFile(io.BytesIO(data))
    assert found.testzip() is None
    assert found.namelist() == [f"./{key}" for key in objects]
    assert [entry.key for entry in entries] == list(objects)
    for entry in entries:
        assert found.read(f"./{entry.key}") == objects[entry.key]
        assert data[entry.pack_offset : entry.pack_offset + entry.nbytes] == objects[entry.key]
        assert entry.pack == number
    again, told = pack(objects, number)
    assert again == data
    assert list(map(facts, told)) == [facts(own), *map(facts, entries)]
    assert len(data) == 22 + sum(packed_nbytes(key, len(raw)) for key, raw in objects.items())


def test_more_entries_than_an_old_zip_can_count_are_found():
    count = 70_000
    data, entries = pack({f"data.zarr/a{n}/c": n.to_bytes(4, "big") for n in range(count)})
    found = zipfile.ZipFile(io.BytesIO(data))
    assert len(found.namelist()) == count
    last = entries[-1]
    assert (
        data[last.pack_offset :][:4]
        == found.read(f"./{last.key}")
        == (count - 1).to_bytes(4, "big")
    )


def test_an_absent_object_is_listed_and_takes_no_room():
    builder = PackBuilder(0)
    absent = digest_entry("data.zarr/a/c/0", b"", chunks=ChunkTable.none(3))
    builder.add(absent, b"")
    data, entries = builder.finish()
    assert entries[1:] == [absent]
    assert not absent.packed
    assert not zipfile.ZipFile(io.BytesIO(data)).namelist()


class Counted(DirectoryObjects):
    """A directory that counts what is got of it, and may cut its first answer short."""

    gets = 0
    short = 0

    def get(self, key, start=0, stop=None):
        self.gets += 1
        data = super().get(key, start, stop)
        return data[: -self.short] if self.short and self.gets == 1 else data


def shard(values):
    builder = ShardBuilder(len(values), indexed=True)
    for number, value in enumerate(values):
        if value:
            builder.add(number, value)
    return builder.finish()


@pytest.fixture
def packed(tmp_path):
    """A committed version with two shards in a pack, the last bytes of it the Zip's directory."""
    builder = PackBuilder(0)
    for name in "ab":
        data, table = shard([name.encode() * 50, b"", b"third"])
        builder.add(digest_entry(f"data.zarr/{name}/c/0", data, chunks=table), data)
    data, entries = builder.finish()
    writer = VersionWriter(DirectoryObjects(tmp_path), "v1")
    writer.put_pack(data, entries)
    assert writer.finished_pack("small.zip")[0].key == "small.zip"
    writer.commit(entries, source_id=None, files=(), gaps=())
    return tmp_path / "v1"


def opened(folder, **changes):
    objects = Counted(folder)
    for name, value in changes.items():
        setattr(objects, name, value)
    return CheckedVersion(objects, open_version(folder.as_uri()).manifest), objects


def test_a_pack_is_fetched_once_whatever_is_read_of_it(packed):
    version, objects = opened(packed)
    whole = {}
    for name in "ab":
        key = f"data.zarr/{name}/c/0"
        whole[name] = version.read(key)
        assert version.read_chunk(key, 0) == name.encode() * 50
        assert version.read_chunk(key, 1) is None
        assert version.read_chunk(key, 2) == b"third"
        for start, stop in ((0, 54), (0, 9), (54, 63), (60, None), (3, 10**6)):
            assert version.read_range(key, start, stop) == whole[name][start:stop]
    assert objects.gets == 1
    assert whole["a"] != whole["b"]
    assert sorted(path.name for path in packed.iterdir()) == ["manifest", "small.zip"]


def test_of_a_large_pack_only_what_is_asked_for_is_read(tmp_path):
    noise = np.random.default_rng(0).bytes(KEPT_BYTES)
    data, entries = pack({"data.zarr/a/c/0": noise, "data.zarr/b/c/0": b"small"})
    VersionWriter(DirectoryObjects(tmp_path), "v1").put_pack(data, entries)
    objects = Counted(tmp_path / "v1")
    version = CheckedVersion(objects, Manifest(root="", entries=tuple(entries)))
    assert version.read("data.zarr/b/c/0") == b"small"
    (tmp_path / "v1" / "small.zip").write_bytes(data[: -len(noise) // 2])
    with pytest.raises(CorruptShardError):
        version.read("data.zarr/b/c/0")
    # Once; then twice, and a look whether it was left out when this copy was fetched.
    assert objects.gets == 4


def test_an_answer_that_was_cut_short_once_is_asked_for_again(packed):
    raw = (packed / "small.zip").read_bytes()
    version, objects = opened(packed, short=len(raw) - version_end(packed) + 9)
    assert version.read("data.zarr/b/c/0") == raw[: version_end(packed)][-len(shard_b()) :]
    assert objects.gets == 2


def version_end(folder):
    """Give where the last entry's bytes end in its pack."""
    entry = open_version(folder.as_uri()).manifest.entries[1]
    return entry.pack_offset + entry.nbytes


def shard_b():
    return shard([b"b" * 50, b"", b"third"])[0]


def test_a_pack_that_is_gone_or_shorter_is_damage_that_names_both(packed):
    version, _ = opened(packed)
    version.check_present()
    raw = (packed / "small.zip").read_bytes()
    (packed / "small.zip").write_bytes(raw[:100])
    for look in (version.check_present, lambda: version.read("data.zarr/b/c/0")):
        with pytest.raises(CorruptShardError):
            look()
    (packed / "small.zip").unlink()
    version, _ = opened(packed)
    with pytest.raises(MissingShardError):
        version.check_present()
    with pytest.raises(MissingShardError) as caught:
        version.read_chunk("data.zarr/b/c/0", 0)
    assert caught.value.where.endswith("small.zip, data.zarr/b/c/0")


def test_every_flipped_bit_of_an_entry_is_noticed(packed):
    raw = (packed / "small.zip").read_bytes()
    version, _ = opened(packed)
    entry = version.entry("data.zarr/b/c/0")
    for position in range(entry.pack_offset, entry.pack_offset + entry.nbytes):
        changed = bytearray(raw)
        changed[position] ^= 4
        (packed / "small.zip").write_bytes(changed)
        with pytest.raises(CorruptShardError):
            opened(packed)[0].read(entry.key)


def test_a_pack_that_the_manifest_does_not_know_is_an_error(packed):
    entries = [e for e in open_version(packed.as_uri()).manifest.entries if e.packed]
    version = CheckedVersion(DirectoryObjects(packed), Manifest(root="", entries=tuple(entries)))
    with pytest.raises(ManifestError, match="pack 0"):
        version.read("data.zarr/a/c/0")
