"""What a spec words as zarr.json is what stock zarr opens: types, fill values, shards."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zarr.storage import LocalStore, WrapperStore

from hsc.store import ArraySpec, GroupSpec, ShardBuilder, blosc, metadata_objects
from hsc.transcode import encode_chunk

FILLS = [
    ("bool", True, True),
    ("int8", -128, -128),
    ("uint8", 255, 255),
    ("int64", -(2**63), -(2**63)),
    ("uint64", 2**64 - 1, 2**64 - 1),
    ("int64", 2**53 + 1, 2**53 + 1),
    ("float16", 0.5, 0.5),
    ("float32", float(np.float32(0.1)), np.float32(0.1)),
    ("float64", "NaN", math.nan),
    ("float64", "Infinity", math.inf),
    ("float32", "-Infinity", -math.inf),
    ("float64", -0.0, -0.0),
    ("float64", 5e-324, 5e-324),
    ("complex64", ["NaN", -0.0], complex(math.nan, -0.0)),
    ("complex128", [1.5, "Infinity"], complex(1.5, math.inf)),
    ("string", "", ""),
    ("string", "å\0b", "å\0b"),
]


def store_tree(folder, groups, arrays):
    for key, data in metadata_objects(groups, arrays).items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.mark.parametrize(("dtype", "worded", "fill"), FILLS)
@pytest.mark.parametrize("shape", [(), (5,), (0, 3)])
def test_stock_zarr_reads_the_fill_value_of_what_was_never_written(
    tmp_path, spec, dtype, worded, fill, shape
):
    chunks = tuple(max(1, n) for n in shape)
    array = spec(
        key="a", shape=shape, chunks=chunks, shards=chunks, dtype=dtype, fill_value=worded,
        compressor=None, dimension_names=(),
    )  # fmt: skip
    store_tree(tmp_path, [GroupSpec("/", "")], [array])
    opened = zarr.open_group(tmp_path, mode="r")["a"]
    values = np.asarray(opened[...])
    assert values.shape == shape
    expected = np.full(shape, fill, object if dtype == "string" else dtype)
    if dtype == "string":
        assert values.tolist() == expected.tolist()
    else:
        assert values.dtype == expected.dtype
        assert values.tobytes() == expected.tobytes()


class CountingStore(WrapperStore):
    """Notes which keys are asked for."""

    def __init__(self, store):
        super().__init__(store)
        self.asked: list[str] = []

    async def get(self, key, prototype, byte_range=None):
        self.asked.append(key)
        return await super().get(key, prototype, byte_range)


def test_zarr_opens_a_deep_tree_by_reading_one_object(tmp_path, spec):
    groups = [GroupSpec("/", ""), GroupSpec("/a", "a", {"x": 1}), GroupSpec("/a/b", "a/b")]
    arrays = [spec(key="a/b/frames"), spec(key="top")]
    store_tree(tmp_path, groups, arrays)
    store = CountingStore(LocalStore(tmp_path, read_only=True))
    tree = zarr.open_group(store, mode="r")
    assert tree.metadata.consolidated_metadata is not None
    assert tree["a"].attrs["x"] == 1
    assert tree["a/b/frames"].shape == (6, 16, 16)
    assert sorted(name for name, _ in tree["a/b"].arrays()) == ["frames"]
    assert tree["a/b/frames"].metadata.dimension_names == ("frame", "y", "x")
    assert {key for key in store.asked if key.endswith("zarr.json")} == {"zarr.json"}


def test_each_node_also_stands_by_itself(tmp_path, spec):
    store_tree(tmp_path, [GroupSpec("/", ""), GroupSpec("/a", "a", {"n": "å"})], [spec(key="a/f")])
    assert zarr.open_array(tmp_path / "a/f", mode="r").chunks == (1, 16, 16)
    assert zarr.open_group(tmp_path / "a", mode="r").attrs["n"] == "å"


def test_metadata_is_the_same_bytes_whatever_the_order_of_attributes(spec):
    one = metadata_objects([GroupSpec("/", "", {"a": 1, "b": 2})], [spec(), spec(key="z")])
    two = metadata_objects([GroupSpec("/", "", {"b": 2, "a": 1})], [spec(key="z"), spec()])
    assert one == two
    for data in one.values():
        json.loads(data, parse_constant=pytest.fail)  # NaN and Infinity are no JSON


def write_shards(folder, array: ArraySpec, values: np.ndarray, written: np.ndarray) -> int:
    """Write the shards of an array, the chunks that are not ``written`` left out."""
    objects = 0
    for place, key in array.objects():
        per_shard = array.chunks_per_shard
        builder = ShardBuilder(math.prod(per_shard), indexed=array.sharded)
        for number in range(math.prod(per_shard)):
            within = np.unravel_index(number, per_shard)
            at = tuple(int(a * n + b) for a, n, b in zip(place, per_shard, within, strict=True))
            start = [a * c for a, c in zip(at, array.chunks, strict=True)]
            if any(a >= n for a, n in zip(start, array.shape, strict=True)) or not written[at]:
                continue
            part = values[tuple(slice(a, a + c) for a, c in zip(start, array.chunks, strict=True))]
            whole = np.zeros(array.chunks, values.dtype)
            whole[tuple(slice(0, n) for n in part.shape)] = part
            builder.add(number, encode_chunk(whole, array.compressor))
        data, table = builder.finish()
        assert bool(data) == bool(table.states.any())
        if data:
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(data)
            objects += 1
    return objects


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), compress=st.booleans(), dtype=st.sampled_from(["u1", "u2", "f8"]))
def test_stock_zarr_reads_shards_of_any_grid_with_any_chunks_absent(
    tmp_path_factory, spec, data, compress, dtype
):
    ndim = data.draw(st.integers(1, 3))
    chunks = tuple(data.draw(st.integers(1, 4)) for _ in range(ndim))
    per_shard = tuple(data.draw(st.integers(1, 3)) for _ in range(ndim))
    shape = tuple(data.draw(st.integers(1, 12)) for _ in range(ndim))
    seed = data.draw(st.integers(0, 5))
    rng = np.random.default_rng(seed)
    array = spec(
        key="a", shape=shape, chunks=chunks, dtype=np.dtype(dtype).name, fill_value=7,
        shards=tuple(c * n for c, n in zip(chunks, per_shard, strict=True)), dimension_names=(),
        compressor=blosc("zstd", 1, np.dtype(dtype).itemsize) if compress else None,
    )  # fmt: skip
    grid = tuple(-(-n // c) for n, c in zip(shape, chunks, strict=True))
    written = rng.random(grid) < data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    values = rng.integers(0, 200, shape).astype(dtype)
    folder = tmp_path_factory.mktemp("tree")
    store_tree(folder, [GroupSpec("/", "")], [array])
    write_shards(folder, array, values, written)
    there = written[np.ix_(*(np.arange(n) // c for n, c in zip(shape, chunks, strict=True)))]
    opened = zarr.open_group(folder, mode="r")["a"]
    assert np.array_equal(opened[...], np.where(there, values, 7))
