"""A dataset opens as a tree of lazy arrays; nothing is decoded before it is computed."""

from __future__ import annotations

import warnings

import dask
import h5py
import hdf5plugin
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsc.errors import GapError, HscError, MissingShardError
from hsc.ingestion.tree import NewArray, NewTree
from hsc.model import Way
from hsc.reading import OpenedArray, open_tree
from hsc.reading.lazy import lazy_array
from hsc.store import ArraySpec

FRAMES = "/entry/data/frames"
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def test_opening_decodes_nothing_and_computing_notices_what_is_gone(kept):
    for path in (kept.folder / "data.zarr").rglob("*"):
        if path.is_file() and "c" in path.relative_to(kept.folder).parts:
            path.unlink()
    tree = open_tree(kept.open())
    assert tree[FRAMES].shape == (9, 32, 24)
    assert "frames" in repr(tree)
    with pytest.raises(MissingShardError):
        tree[FRAMES].compute()
    with pytest.raises(MissingShardError):
        tree["number"].compute()


def test_every_variable_is_read_as_h5py_reads_it(kept):
    tree = open_tree(kept.open())
    count = 0
    with h5py.File(kept.source) as file:
        for node in tree.subtree:
            for name, variable in node.variables.items():
                theirs = file[f"{node.path}/{name}"][()]
                ours = variable.compute().values
                count += 1
                if ours.dtype == object:
                    texts = [t.decode() for t in np.asarray(theirs, object).ravel()]
                    assert ours.ravel().tolist() == texts
                else:
                    assert ours.tobytes() == np.asarray(theirs).astype(ours.dtype).tobytes()
    assert count == 13


def test_attributes_and_names_are_those_of_the_source(kept):
    tree = open_tree(kept.open())
    assert tree["entry"].attrs == {"NX_class": "NXentry"}
    assert tree[FRAMES].attrs == {"units": "counts", "gain": 0.5}
    assert set(tree["odd"].variables) == {"zarr.json", "..x", "X", "x"}


@shared
@given(
    # Dask gives other rows than NumPy for a[-10::-1] of 9 rows; inside of the array both agree.
    rows=st.tuples(st.none() | st.integers(-9, 9), st.none() | st.integers(-9, 9)),
    step=st.sampled_from([None, 1, 2, -1, 3]),
    column=st.integers(-24, 23) | st.slices(24),
)
def test_slices_are_numpys(kept, rows, step, column):
    lazy = lazy_array(kept.open().array(FRAMES))
    with h5py.File(kept.source) as file:
        whole = file[FRAMES][...]
    part = (slice(*rows, step), slice(3, 20), column)
    assert np.array_equal(lazy[part].compute(), whole[part])


def array_of(shape, chunks, shards, dtype="uint16") -> OpenedArray:
    spec = ArraySpec(
        path="/a", key="a", shape=shape, dtype=dtype, chunks=chunks, shards=shards,
        compressor=None, fill_value=0, way=Way.RECODE,
    )  # fmt: skip
    return OpenedArray("file:///nowhere", "/a", {**spec.document(), "key": "a"})


@given(data=st.data(), dtype=st.sampled_from(["uint8", "float64"]))
def test_blocks_are_at_most_128_mb_of_whole_chunks_and_never_cross_a_shard(data, dtype):
    ndim = data.draw(st.integers(1, 4))
    itemsize = np.dtype(dtype).itemsize
    chunks = tuple(data.draw(st.integers(1, 60)) for _ in range(ndim))
    shards = tuple(c * data.draw(st.integers(1, 40)) for c in chunks)
    shape = tuple(data.draw(st.integers(0, 4 * s)) for s in shards)
    lazy = lazy_array(array_of(shape, chunks, shards, dtype))
    assert lazy.shape == shape
    for sizes, chunk, shard in zip(lazy.chunks, chunks, shards, strict=True):
        start = 0
        for size in sizes:
            assert start % chunk == 0
            assert size == 0 or start // shard == (start + size - 1) // shard
            start += size
    largest = np.prod([max(sizes) for sizes in lazy.chunks], dtype=int) * itemsize
    assert largest <= max(128 * 10**6, np.prod(chunks, dtype=int) * itemsize)


def test_rows_longer_than_a_block_are_cut_along_the_other_dimensions():
    lazy = lazy_array(array_of((4, 400_000_000), (1, 2_000_000), (1, 32_000_000), "float64"))
    assert lazy.blocks[0, 0].nbytes <= 128 * 10**6


def test_frames_of_a_shard_come_together_in_one_block():
    lazy = lazy_array(array_of((1000, 1000, 1000), (1, 1000, 1000), (400, 1000, 1000)))
    assert lazy.chunks[0][:8] == (64, 64, 64, 64, 64, 64, 16, 64)
    assert lazy.chunks[1:] == ((1000,), (1000,))


def test_text_scalars_and_arrays_without_elements_are_lazy_too(kept):
    dataset = kept.open()
    assert lazy_array(dataset.array("/words")).compute().tolist() == ["a", "", "ccc"]
    title = lazy_array(dataset.array("/title")).compute()
    assert title.item() == "å title" if isinstance(title, np.ndarray) else title == "å title"
    assert lazy_array(dataset.array("/empty")).compute().shape == (0, 3)
    assert lazy_array(dataset.array("/number")).compute() == 2.5


def test_a_lazy_array_is_computed_in_other_processes(kept):
    lazy = lazy_array(kept.open().array(FRAMES))
    with h5py.File(kept.source) as file:
        expected = int(file[FRAMES][...].sum())
    with dask.config.set({"multiprocessing.context": "spawn"}), warnings.catch_warnings():
        assert int(lazy.sum().compute(scheduler="processes", num_workers=1)) == expected


def test_two_paths_that_differ_by_a_dot_open_as_one_tree(tmp_path, keep):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a/b"] = np.arange(3)
        file["a.b"] = np.arange(4)
    tree = open_tree(keep(tmp_path / "a.h5").open())
    assert tree["a/b"].shape == (3,)
    assert tree["a.b"].shape == (4,)


@pytest.mark.parametrize("name", ["..", "a b", "å", "zarr.json", "x#[]*?", "c", "a:b", "%"])
def test_a_group_or_array_of_any_name_opens(tmp_path, keep, name):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = h5py.Group(h5py.h5g.create(file.id, name.encode() + b"g"))
        space = h5py.h5s.create_simple((3,))
        h5py.h5d.create(group.id, name.encode(), h5py.h5t.NATIVE_INT32, space)
    tree = open_tree(keep(tmp_path / "a.h5").open())
    (group,) = tree.children.values()
    assert group.name == f"{name}g"
    assert list(group.variables) == [name]


def test_a_group_named_like_the_parent_does_not_become_it(tmp_path, keep):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        odd = h5py.Group(h5py.h5g.create(file.id, b".."))
        odd.create_group("sub")["x"] = 1
        file["sub/x"] = 2
    tree = open_tree(keep(tmp_path / "a.h5").open())
    assert int(tree["sub/x"].values) == 2
    assert int(tree["%2E%2E/sub/x"].values) == 1


def test_one_number_with_an_axis_of_one_number_opens(tmp_path, keep):
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["a/signal"], file["a/x"] = 3.0, 1.0
        file["a"].attrs.update({"NX_class": "NXdata", "signal": "signal"})
        file["a"].attrs["x_indices"] = np.empty(0, np.int64)
    tree = open_tree(keep(tmp_path / "one.h5").open())
    assert float(tree["a/signal"].compute()) == 3.0
    assert float(tree["a/x"].compute()) == 1.0


def test_the_accessor_knows_the_dataset(keep_tree):
    values = np.arange(3.0)
    tree = NewTree(arrays=(NewArray("/g/I", values, ("q",)),), roles={"intensity": "/g/I"})
    kept = keep_tree(tree)
    opened = open_tree(kept.open())
    assert opened.hsc.record == kept.record
    assert opened["g"].hsc.record == kept.record
    assert opened.hsc.roles == {"intensity": "/g/I"}
    assert np.array_equal(opened.hsc.role("intensity").compute(), values)
    assert np.array_equal(opened.hsc.zarr()["g/I"][...], values)
    assert str(kept.record.pid) in opened.hsc.cite()
    assert "a run" in opened.hsc.cite()


def write_with_a_gap(path):
    values = np.random.default_rng(0).integers(1, 99, (4, 64, 64)).astype("u2")
    with h5py.File(path, "w") as file:
        kind = hdf5plugin.Bitshuffle(cname="lz4")
        frames = file.create_dataset("g/frames", data=values, chunks=(1, 64, 64), **kind)
        chunk = frames.id.read_direct_chunk((2, 0, 0))[1]
        frames.id.write_direct_chunk((2, 0, 0), chunk[:-50])
        file["g/frames_gap"] = np.arange(3)
        file["g/whole"] = np.arange(3)
    return values


def test_gaps_raise_or_are_filled_or_are_masked(tmp_path, keep):
    values = write_with_a_gap(tmp_path / "a.h5")
    dataset = keep(tmp_path / "a.h5", policy="quarantine").open()
    tree = open_tree(dataset)
    with pytest.raises(GapError):
        tree["g/frames"].compute()
    with pytest.raises(GapError):
        tree.hsc.h5["g/frames"][2]
    assert np.array_equal(tree.hsc.h5["g/frames"][1], values[1])
    values[2] = 0
    for gaps in ("fill", "mask"):
        filled = open_tree(dataset, gaps=gaps)
        assert np.array_equal(filled["g/frames"].values, values)
        assert np.array_equal(filled.hsc.h5["g/frames"][...], values)
        assert np.array_equal(filled.hsc.numpy("g/frames"), values)
    masked = open_tree(dataset, gaps="mask")["g"]
    assert set(masked.variables) == {"frames", "frames_gap", "frames_gap_", "whole"}
    assert masked["frames_gap"].values.tolist() == [0, 1, 2]
    mask = masked["frames_gap_"]
    assert mask.dims == masked["frames"].dims
    assert mask.chunks == masked["frames"].chunks
    assert np.flatnonzero(mask.values.any(axis=(1, 2))).tolist() == [2]
    assert np.isnan(masked["frames"].where(~mask)[2]).all().compute()


def test_masks_are_mistaken_for_nothing_else_of_a_group(tmp_path, keep):
    write_with_a_gap(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["g/frames-gaps"] = np.full((4, 64, 64), 7)
        file["g/frames_gap_/x"] = 1
    tree = open_tree(keep(tmp_path / "a.h5", policy="quarantine").open(), gaps="mask")
    together = tree["g"].to_dataset().compute()
    assert np.flatnonzero(together["frames_gap__"].any(("g.frames.1", "g.frames.2"))).tolist() == [
        2
    ]
    assert (together["frames-gaps"] == 7).all()
    assert tree["g/frames_gap_/x"].values == 1


def test_a_tree_of_somebody_else_has_no_accessor():
    with pytest.raises(HscError, match="not opened by hsc"):
        _ = xr.DataTree().hsc


def test_xarray_opens_the_tree_without_hsc(kept):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # xarray's own, about zarr's metadata
        tree = xr.open_datatree(kept.folder / "data.zarr", engine="zarr", mask_and_scale=False)
        with h5py.File(kept.source) as file:
            assert np.array_equal(tree[FRAMES].values, file[FRAMES][...])
