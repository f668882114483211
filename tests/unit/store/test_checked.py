"""What is read through the manifest is what was committed, or an error."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsc.errors import CorruptShardError, ManifestError, MissingShardError, StoreError
from hsc.store import CheckedStore, CheckedVersion, DirectoryObjects, open_version

SHARD = "data.zarr/frames/c/0/0/0"
ABSENT = "data.zarr/frames/c/2/0/0"


def frames(version):
    return zarr.open_group(CheckedStore(version.url), mode="r")["frames"]


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def test_a_whole_version_is_read_as_it_was_written(version):
    assert np.array_equal(frames(version)[...], version.values)
    assert frames(version)[3, 2, 1] == version.values[3, 2, 1]


def test_an_object_that_was_never_written_is_rightly_absent(version):
    opened = open_version(version.url)
    assert not version.file(ABSENT).exists()
    assert opened.read(ABSENT) is None
    assert opened.read_chunk(ABSENT, 1) is None
    assert opened.read_range(ABSENT, 0, 10) is None


def test_a_chunk_that_the_manifest_does_not_know_is_no_empty_chunk(version):
    opened = open_version(version.url)
    for key, number in (("data.zarr/frames/c/9/0/0", 0), (SHARD, 2)):
        with pytest.raises(ManifestError):
            opened.read_chunk(key, number)


def test_every_range_of_a_shard_is_right(make_version):
    version = make_version(compressor=None)
    opened = open_version(version.url)
    data = version.file(SHARD).read_bytes()
    for start in (0, 1, 500, 516, 517, 1000, 1032, 1040, len(data) - 1):
        for stop in (start, start + 1, 516, 1032, 1033, len(data), len(data) + 50, None):
            assert opened.read_range(SHARD, start, stop) == data[start:stop]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
)
@given(start=st.integers(0, 1100), length=st.integers(1, 1100), position=st.integers(0, 10**6))
def test_a_range_with_a_flipped_bit_is_never_given(make_version, start, length, position):
    version = flipped(make_version)
    data = version.file(SHARD).read_bytes()
    stop = min(start + length, len(data))
    if start >= stop:
        return
    inside = start + position % (stop - start)
    flip(version.file(SHARD), inside)
    try:
        with pytest.raises(CorruptShardError):
            open_version(version.url).read_range(SHARD, start, stop)
    finally:
        flip(version.file(SHARD), inside)


MADE = {}


def flipped(make_version):
    # One version for all examples of a test; each example mends what it damaged.
    if make_version not in MADE:
        MADE[make_version] = make_version("ranges", compressor=None)
    return MADE[make_version]


def test_ranges_over_two_shards_that_were_swapped_are_never_given(make_version):
    version = make_version(compressor=None)  # raw chunks: both indexes are the same bytes
    one, two = version.file(SHARD), version.file("data.zarr/frames/c/1/0/0")
    first, second = one.read_bytes(), two.read_bytes()
    assert first[-36:] == second[-36:]
    one.write_bytes(second)
    two.write_bytes(first)
    opened = open_version(version.url)
    for start, stop in ((0, 516), (516, 1032), (0, 1032), (0, None), (3, 9), (0, 600)):
        with pytest.raises(CorruptShardError):
            opened.read_range(SHARD, start, stop)


def test_an_answer_that_was_cut_short_once_is_asked_for_again(version):
    class Flaky(DirectoryObjects):
        calls = 0

        def get(self, key, start=0, stop=None):
            self.calls += 1
            data = super().get(key, start, stop)
            return data[:-1] if self.calls == 1 else data

    objects = Flaky(version.folder)
    opened = CheckedVersion(objects, version.manifest)
    assert opened.read(SHARD) == version.file(SHARD).read_bytes()
    assert objects.calls == 2


def test_errors_name_the_object_and_say_what_to_do(version):
    version.file(SHARD).unlink()
    with pytest.raises(MissingShardError) as caught:
        open_version(version.url).read_chunk(SHARD, 0)
    assert SHARD in caught.value.where
    assert caught.value.next_step


def test_a_version_without_a_manifest_is_none(version):
    version.file("manifest").unlink()
    with pytest.raises(ManifestError):
        open_version(version.url)


def test_a_shard_that_holds_other_chunks_than_the_manifest_says_is_corrupt(version):
    listed = version.manifest.entries
    swapped = tuple(
        replace(entry, chunks=listed[(n + 1) % 2].chunks) if n < 2 else entry
        for n, entry in enumerate(listed)
    )
    opened = CheckedVersion(
        DirectoryObjects(version.folder), replace(version.manifest, entries=swapped)
    )
    with pytest.raises(CorruptShardError):
        opened.read_chunk(SHARD, 0)


@pytest.mark.parametrize("use", [lambda a: a.__setitem__(0, 1), lambda a: a.resize((9, 16, 16))])
def test_a_committed_version_takes_no_writes(version, use):
    with pytest.raises((StoreError, ValueError)):
        use(frames(version))
    assert open_version(version.url).read(SHARD) is not None


def test_zarr_lists_what_the_manifest_lists(version):
    tree = zarr.open_group(CheckedStore(version.url), mode="r", use_consolidated=False)
    assert [name for name, _ in tree.arrays()] == ["frames"]
    assert tree["frames"].nchunks_initialized == 4


def test_a_checked_store_works_in_another_process_and_carries_no_version(version):
    store = CheckedStore(version.url)
    pickled = pickle.dumps(store)
    assert len(pickled) < 500
    program = (
        "import pickle, sys, zarr\n"
        "store = pickle.loads(sys.stdin.buffer.read())\n"
        "print(int(zarr.open_group(store, mode='r')['frames'][...].sum()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickled, capture_output=True, check=True, timeout=60
    )
    assert int(done.stdout) == int(version.values.sum())
    assert pickle.loads(pickled) == store  # noqa: S301 (ours)
    assert hash(pickle.loads(pickled)) == hash(store)  # noqa: S301 (ours)


def test_a_pickled_store_carries_no_secret(version, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a very secret key")
    assert b"secret" not in pickle.dumps(CheckedStore(version.url))
