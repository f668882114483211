"""Any region of any array is read as NumPy would cut it, by one thread or many, or in batches."""

from __future__ import annotations

import math
import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.errors import ConfigurationError, CorruptShardError, GapError
from hsc.model import Way
from hsc.reading import OpenedArray
from hsc.reading.regions import reading_threads
from hsc.store import (
    DATA,
    ArraySpec,
    CheckedVersion,
    DirectoryObjects,
    Manifest,
    ShardBuilder,
    VersionWriter,
    blosc,
    digest_entry,
    zstd,
)
from hsc.transcode import encode_chunk

ARRAYS = {
    "frames": ((13, 20, 30), "uint16", (1, 20, 30), (4, 20, 30), blosc("lz4", 5, 2, 256)),
    "tiles": ((7, 11, 9), "float32", (2, 4, 3), (4, 8, 9), blosc("zstd", 1, 4)),
    "line": ((1000,), "int64", (16,), (160,), zstd(1)),
    "raw": ((6, 5), "uint8", (2, 5), (4, 5), None),
    "one": ((), "float64", (), (), None),
    "triples": ((11, 6, 5), "uint32", (3, 6, 5), (6, 6, 5), blosc("zstd", 1, 4)),
    "swapped": ((9, 4, 6), "int32", (1, 4, 6), (4, 4, 6), blosc("lz4", 5, 4)),
    "complex": ((5, 4), "complex64", (1, 4), (4, 4), zstd(3)),
    "flat": ((7, 0, 3), "uint8", (1, 1, 3), (4, 1, 3), None),
}
BIG_ENDIAN = {"swapped"}
EMPTY, GAP = 1, 3


def values_of(name):
    shape, dtype = ARRAYS[name][:2]
    return np.random.default_rng(4).integers(1, 200, shape).astype(dtype)


def spec_of(name):
    shape, dtype, chunks, shards, compressor = ARRAYS[name]
    fill = [9.0, 0.0] if dtype == "complex64" else 9
    return ArraySpec(
        f"/{name}", name, shape, dtype, chunks, shards, compressor, fill, Way.RECODE,
        big_endian=name in BIG_ENDIAN,
    )  # fmt: skip


def write_array(writer, name, gap):
    """Write an array; in each shard of many chunks the second is left out, the fourth a gap."""
    spec, values, entries = spec_of(name), values_of(name), []
    gaps = np.zeros(spec.shape, bool)
    for place, key in spec.objects():
        per_shard = spec.chunks_per_shard
        builder = ShardBuilder(math.prod(per_shard), indexed=spec.sharded)
        for number, within in enumerate(product(*map(range, per_shard))):
            first = [p * s + w * c for p, s, w, c in
                     zip(place, spec.shards, within, spec.chunks, strict=True)]  # fmt: skip
            part = tuple(slice(f, f + c) for f, c in zip(first, spec.chunks, strict=True))
            if number == EMPTY and gap:
                values[part] = 9
            elif number == GAP and gap:
                values[part], gaps[part] = 9, True
                builder.add_gap(number)
            else:
                chunk = np.full(spec.chunks, 9, spec.dtype)
                chunk[tuple(map(slice, values[part].shape))] = values[part]
                builder.add(
                    number, encode_chunk(chunk, spec.compressor, big_endian=spec.big_endian)
                )
        data, table = builder.finish()
        entries.append(digest_entry(f"{DATA}/{key}", data, chunks=table))
        writer.put(entries[-1], data)
    return values, gaps, entries


@pytest.fixture(scope="module", params=[True, False], ids=["with gaps", "whole"])
def written(request, tmp_path_factory):
    """Arrays with their values and gaps, in one version."""
    folder = tmp_path_factory.mktemp("regions")
    writer, kept, entries = VersionWriter(DirectoryObjects(folder), "v1"), {}, []
    for name in ARRAYS:
        values, gaps, made = write_array(writer, name, request.param)
        kept[name] = values, gaps
        entries += made
    writer.commit(entries, source_id=None, files=(), gaps=())
    location = (folder / "v1").as_uri()
    arrays = {
        name: OpenedArray(location, f"/{name}", {**spec_of(name).document(), "key": name})
        for name in ARRAYS
    }
    return {name: (arrays[name], *kept[name]) for name in ARRAYS}


@given(data=st.data())
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", ARRAYS)
def test_a_region_is_what_numpy_cuts_out(written, name, threads, data):
    array, values, gaps = written[name]
    bounds = [
        sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in values.shape
    ]
    start, stop = [low for low, _ in bounds], [high for _, high in bounds]
    cut = (*(slice(low, high) for low, high in bounds), ...)
    mask = array.gap_mask(start, stop)
    assert np.array_equal(mask, gaps[cut])
    found = array.region(start, stop, gaps="fill", threads=threads)
    assert found.dtype == values.dtype
    assert np.array_equal(found, values[cut])
    if mask.any():
        with pytest.raises(GapError):
            array.region(start, stop, threads=threads)
    else:
        assert np.array_equal(array.region(start, stop, threads=threads), values[cut])


class Distant:
    """A store that gives bytes, and does not read into memory."""

    def __init__(self, objects):
        self._objects = objects
        self.url = objects.url

    def get(self, key, start=0, stop=None):
        return self._objects.get(key, start, stop)


@given(data=st.data(), distant=st.booleans())
@pytest.mark.parametrize("name", ARRAYS)
def test_batches_are_the_rows_in_order(written, name, distant, data):
    array, values, gaps = written[name]
    count = values.shape[0] if values.shape else 1
    start, stop = sorted(data.draw(st.tuples(st.integers(0, count), st.integers(0, count))))
    rows = data.draw(st.integers(1, count + 1))
    if distant:
        version = array._open()
        array = OpenedArray(
            version.objects.url, array.path, {**spec_of(name).document(), "key": name},
            CheckedVersion(Distant(version.objects), version.manifest),
        )  # fmt: skip
    cut = slice(start, stop) if values.shape else ...
    if gaps[cut].any():
        with pytest.raises(GapError, match="chunk"):
            list(array.batches(start, stop, rows=rows))
        return
    band = None
    if values.ndim > 1 and data.draw(st.booleans()):
        side = st.integers(0, values.shape[1])
        band = tuple(sorted(data.draw(st.tuples(side, side))))
        cut = (cut, slice(*band))
    found = [batch.copy() for batch in array.batches(start, stop, rows=rows, band=band)]
    if not values.shape:
        assert np.array_equal(found, [values])
        return
    assert all(0 < len(batch) <= rows and batch.dtype == values.dtype for batch in found)
    assert np.array_equal(np.concatenate(found) if found else values[cut][:0], values[cut])


def test_batches_stand_in_one_buffer(written):
    array, _, gaps = written["frames"]
    stop = 3 if gaps.any() else 13
    places = {batch.ctypes.data for batch in array.batches(0, stop, rows=1)}
    assert len(places) == 1


@pytest.mark.parametrize("written", [True], indirect=True, ids=["with gaps"])
def test_forty_threads_and_four_processes_read_the_same(written):
    whole = {name: array.read(gaps="fill") for name, (array, _, _) in written.items()}
    arrays = [array for array, _, _ in written.values()]
    found = []

    def read():
        found.append(all(np.array_equal(whole[a.path[1:]], a.read(gaps="fill")) for a in arrays))

    threads = [threading.Thread(target=read) for _ in range(40)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, mp_context=spawn) as pool:
        sums = [pool.submit(total, arrays[0]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert {each.result(60) for each in sums} == {int(whole["frames"].sum())}
    assert found == [True] * 40


def total(array):
    return int(array.read(gaps="fill", threads=3).sum())


def test_a_damaged_chunk_stops_a_read_by_many_threads(tmp_path):
    spec, builder = spec_of("frames"), ShardBuilder(4, indexed=True)
    for number in range(4):
        builder.add(number, b"no Blosc frame, but so it was written")
    data, table = builder.finish()
    objects = DirectoryObjects(tmp_path)
    entries = []
    for _, key in spec.objects():
        entries.append(digest_entry(f"{DATA}/{key}", data, chunks=table))
        objects.put_new(entries[-1].key, data)
    version = CheckedVersion(objects, Manifest("", tuple(entries)))
    array = OpenedArray(objects.url, "/frames", {**spec.document(), "key": "frames"}, version)
    with pytest.raises(CorruptShardError, match="can't be decoded"):
        array.read(0, 12, threads=3)
    with pytest.raises(CorruptShardError, match="can't be decoded"):
        next(array.batches(rows=4))


def test_only_the_main_thread_fans_out_by_itself(monkeypatch):
    assert reading_threads() >= 4
    monkeypatch.setenv("HSC_READ_THREADS", "7")
    assert reading_threads() == 7
    seen = []
    thread = threading.Thread(target=lambda: seen.append(reading_threads()))
    thread.start()
    thread.join()
    assert seen == [1]
    monkeypatch.setenv("HSC_READ_THREADS", "none")
    with pytest.raises(ConfigurationError, match="none"):
        reading_threads()
