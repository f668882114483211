"""The cache on the disk gives what was put, or nothing; what is wrong with it nobody notices."""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from hsc import settings
from hsc.errors import ConfigurationError, CorruptShardError
from hsc.store import CheckedVersion, DirectoryObjects, DiskCache, open_cache, open_version

SHARD = "data.zarr/frames/c/0/0/0"
DIGEST = bytes(range(32))


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


class Counting(DirectoryObjects):
    calls = 0

    def get(self, key, start=0, stop=None):
        self.calls += 1
        return super().get(key, start, stop)


@pytest.fixture
def cache(tmp_path):
    return DiskCache(tmp_path / "cache", 10**6)


@pytest.fixture
def cached(version, cache):
    """A version that is read through a cache, and tells how often its store was asked."""
    return CheckedVersion(Counting(version.folder), version.manifest, cache=cache)


READS = {
    "an object": lambda version: version.read(SHARD),
    "a chunk": lambda version: version.read_chunk(SHARD, 1),
    "chunks": lambda version: version.read_chunks(SHARD, [1, 0]),
    "a range": lambda version: version.read_range(SHARD, 0, None),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_what_was_read_once_is_read_from_the_disk(cached, version, cache, read):
    expected = read(cached)
    assert cached.objects.calls == 1
    again = CheckedVersion(Counting(version.folder), version.manifest, cache=cache)
    assert read(again) == expected
    assert again.objects.calls == 0


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("harm", [b"", b"other bytes", None], ids=["emptied", "other", "flipped"])
def test_what_is_wrong_in_the_cache_is_read_anew(cached, tmp_path, read, harm):
    expected = read(cached)
    for path in files(tmp_path / "cache"):
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data if harm is None else harm)
    assert read(cached) == expected
    assert cached.objects.calls == 2
    assert read(cached) == expected
    assert cached.objects.calls == 2


def test_only_the_chunks_that_the_cache_lacks_are_asked_for(cached):
    first = cached.read_chunk(SHARD, 0)
    assert cached.read_chunks(SHARD, [0, 1])[0] == first
    assert cached.objects.calls == 2
    cached.read_chunks(SHARD, [1, 0])
    assert cached.objects.calls == 2


def test_damaged_bytes_are_never_kept(cached, version, tmp_path):
    data = bytearray(version.file(SHARD).read_bytes())
    data[5] ^= 1
    version.file(SHARD).write_bytes(data)
    for read in (READS["an object"], READS["chunks"], READS["a range"]):
        with pytest.raises(CorruptShardError):
            read(cached)
    assert not files(tmp_path / "cache")


def test_a_cache_that_can_not_be_written_is_told_once_and_no_error(version, tmp_path, caplog):
    blocked = tmp_path / "a file"
    blocked.write_bytes(b"")
    opened = CheckedVersion(
        Counting(version.folder), version.manifest, cache=DiskCache(blocked, 10**6)
    )
    for _ in range(2):
        assert opened.read(SHARD) == version.file(SHARD).read_bytes()
    assert opened.objects.calls == 2
    assert len([each for each in caplog.records if each.levelname == "WARNING"]) == 1


def test_what_was_used_least_lately_goes_when_the_bound_is_passed(tmp_path):
    cache = DiskCache(tmp_path, 1000)
    for number in range(9):
        cache.put(DIGEST, number, number + 100, bytes([number]) * 100)
        for path in files(tmp_path):
            if path.name.endswith(f"-{number}-{number + 100}"):
                os.utime(path, (number, number))
    assert cache.get(DIGEST, 0, 100) is not None  # used just now
    for number in range(9, 12):
        cache.put(DIGEST, number, number + 100, bytes(100))
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 1000
    assert cache.get(DIGEST, 0, 100) == bytes(100)
    assert cache.get(DIGEST, 1, 101) is None


def test_a_cache_that_somebody_removes_while_it_is_swept_is_no_error(tmp_path):
    cache = DiskCache(tmp_path, 10**6)
    for number in (1, 2):
        cache.put(bytes([number]) * 32, 0, 4, b"data")
    going = cache._entries()
    next(going)
    shutil.rmtree(tmp_path)
    assert len(list(going)) == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps other lists of who may write")
@pytest.mark.parametrize("whose", ["open to all", "a link"])
def test_a_cache_that_others_may_write_to_is_not_used(tmp_path, caplog, whose):
    folder, real = tmp_path / "hsc-cache-1", tmp_path / "real"
    real.mkdir()
    if whose == "a link":
        folder.symlink_to(real)
    else:
        folder.mkdir()
        folder.chmod(0o777)
    place = folder / DIGEST.hex()[:2]
    place.mkdir()
    (place / f"{DIGEST.hex()}-0-4").write_bytes(b"evil")
    cache = DiskCache(tmp_path, 10**6)
    assert cache.get(DIGEST, 0, 4) is None
    cache.put(DIGEST, 4, 8, b"data")
    assert len(files(place)) == 1
    assert "others may write there" in caplog.text


def test_what_dead_writers_left_is_swept_away(tmp_path):
    cache = DiskCache(tmp_path, 1000)
    cache.put(DIGEST, 0, 1, b"a")
    folder = files(tmp_path)[0].parent
    old, new = folder / ".new-old", folder / ".new-new"
    for path, age_s in ((old, 7200), (new, 0)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age_s,) * 2)
    cache.sweep()
    assert (old.exists(), new.exists(), cache.get(DIGEST, 0, 1)) == (False, True, b"a")


def fill(folder, seed):
    cache = DiskCache(folder, 20_000)
    wrong = 0
    for number in range(200):
        part = (seed * number) % 50
        found = cache.get(DIGEST, part, part + 500)
        wrong += found not in (None, bytes([part]) * 500)
        cache.put(DIGEST, part, part + 500, bytes([part]) * 500)
    return wrong


def test_many_processes_share_one_and_it_stays_in_bounds(tmp_path):
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(fill, [tmp_path] * 3, [1, 7, 11])) == [0, 0, 0]
    DiskCache(tmp_path, 20_000).sweep()
    assert 0 < sum(path.stat().st_size for path in files(tmp_path)) <= 20_000


def test_the_environment_names_the_cache(monkeypatch, tmp_path, version):
    assert open_cache() is None
    monkeypatch.setenv("HSC_CACHE", str(tmp_path / "kept"))
    monkeypatch.setenv("HSC_CACHE_SIZE", "2GB")
    assert settings.cache_nbytes() == 2 * 10**9
    opened = open_version(version.url, cache=open_cache())
    opened.read(SHARD)
    assert len(files(tmp_path / "kept")) == 1
    assert (tmp_path / "kept" / "hsc-cache-1").stat().st_mode & 0o077 == 0 or os.name == "nt"
    monkeypatch.setenv("HSC_CACHE_SIZE", "a lot")
    with pytest.raises(ConfigurationError, match="a lot"):
        open_cache()
    monkeypatch.setenv("HSC_CACHE", "s3://bucket")
    with pytest.raises(ConfigurationError, match="s3://bucket"):
        open_cache()
