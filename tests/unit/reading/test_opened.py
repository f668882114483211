"""An opened dataset gives its arrays by path and role, slice by slice, as h5py reads the source."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from itertools import product

import h5py
import hdf5plugin
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsc.errors import HscError, ManifestError, RoleMissingError
from hsc.ingestion.tree import NewArray, NewTree
from hsc.reading import OpenedArray
from hsc.store import CheckedVersion, ChunkTable, Manifest, digest_entry

LZ4 = dict(hdf5plugin.Bitshuffle(cname="lz4"))

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def same(ours, theirs) -> bool:
    if h5py.check_string_dtype(theirs.dtype) is not None:
        return ours.ravel().tolist() == [t.decode() for t in np.asarray(theirs[()], object).ravel()]
    values = np.asarray(theirs[()])
    return ours.shape == values.shape and ours.tobytes() == values.astype(ours.dtype).tobytes()


def test_every_array_is_read_as_h5py_reads_it(kept):
    dataset = kept.open()
    with h5py.File(kept.source) as file:
        paths = [path for path, node in dataset.documents.items() if node["node_type"] == "array"]
        assert len(paths) == 13
        for path in paths:
            assert same(dataset.array(path).read(), file[path]), path


@shared
@given(start=st.none() | st.integers(-3, 12), stop=st.none() | st.integers(0, 12))
def test_rows_are_what_numpy_slices(kept, start, stop):
    array = kept.open().array("/entry/data/frames")
    with h5py.File(kept.source) as file:
        whole = file["/entry/data/frames"][...]
    first = max(0, start or 0)
    assert np.array_equal(array.read(start or 0, stop), whole[first:stop])


@shared
@given(st.data())
def test_a_region_is_what_numpy_slices_on_any_grid(keep_tree, data):
    ndim = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.integers(0, 9)) for _ in range(ndim))
    chunks = tuple(data.draw(st.integers(1, max(1, n))) for n in shape)
    values = np.arange(np.prod(shape, dtype=int), dtype="i4").reshape(shape)
    tree = NewTree(arrays=(NewArray("/a", values, tuple("abc"[:ndim]), chunks=chunks),))
    array = keep_tree(tree).open().array("/a")
    bounds = [sorted((data.draw(st.integers(0, n)), data.draw(st.integers(0, n)))) for n in shape]
    ours = array.region([a for a, _ in bounds], [b for _, b in bounds])
    assert np.array_equal(ours, values[tuple(slice(a, b) for a, b in bounds)])
    assert np.array_equal(array.read(), values)


@shared
@given(st.data())
def test_unwritten_rows_are_those_that_touch_a_chunk_that_was_never_written(
    tmp_path_factory, keep, data
):
    ndim = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.integers(1, 9)) for _ in range(ndim))
    chunks = tuple(data.draw(st.integers(1, n)) for n in shape)
    path = tmp_path_factory.mktemp("file") / "a.h5"
    lacking = np.ones(shape, bool)
    with h5py.File(path, "w") as file:
        made = file.create_dataset("a", shape, "u2", chunks=chunks, **LZ4)
        grid = [range(-(-n // c)) for n, c in zip(shape, chunks, strict=True)]
        for place in product(*grid):
            if data.draw(st.booleans()):
                where = tuple(
                    slice(a * c, min((a + 1) * c, n))
                    for a, c, n in zip(place, chunks, shape, strict=True)
                )
                made[where] = 0  # written, with what the fill value is as well
                lacking[where] = False
    array = keep(path).open().array("/a")
    assert array.chunks == chunks
    rows = lacking.any(axis=tuple(range(1, ndim)))
    assert array.unwritten() == tuple(np.flatnonzero(rows).tolist())


def test_unwritten_rows_are_found_in_each_of_many_shards(kept):
    table = ChunkTable.none(6)
    whole = replace(table, states=np.ones(6, "u1"))
    gap = replace(table, states=np.array([1, 2, 1, 1, 1, 1], "u1"))
    edge = replace(table, states=np.array([1, 1, 0, 1, 1, 0], "u1"))
    # 7 rows of 10 in shards of 4 by 6, each of 2 by 3 chunks of 2 by 2: the fourth row of chunks
    # and the sixth column lie outside of the array.
    tables = {"0/0": whole, "0/1": edge, "1/0": gap, "1/1": edge}
    manifest = Manifest("blake3:0", tuple(
        digest_entry(f"data.zarr/a/c/{place}", b"", chunks=table)
        for place, table in tables.items()
    ))  # fmt: skip
    inner = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
    document = {
        "key": "a", "shape": [7, 10], "data_type": "uint16", "attributes": {}, "fill_value": 0,
        "chunk_grid": {"configuration": {"chunk_shape": [4, 6]}},
        "codecs": [{
            "name": "sharding_indexed", "configuration": {"chunk_shape": [2, 2], "codecs": inner},
        }],
    }  # fmt: skip
    version = CheckedVersion(kept.open().version.objects, manifest)
    assert OpenedArray("memory://", "/a", document, version).unwritten() == (4, 5)


def test_an_array_that_lacks_nothing_has_no_unwritten_rows(kept):
    dataset = kept.open()
    assert dataset.array("/entry/data/frames").unwritten() == (6, 7, 8)
    for path in ("/number", "/empty", "/words"):
        assert dataset.array(path).unwritten() == ()


@pytest.mark.parametrize("change", ["gone", "cut"])
def test_unwritten_rows_of_objects_that_the_manifest_does_not_know_are_an_error(kept, change):
    dataset = kept.open()
    known = dataset.version.manifest
    entries = [e for e in known.entries if "/frames/c/" not in e.key]
    if change == "cut":
        entries += [
            replace(e, chunks=ChunkTable.none(2)) for e in known.entries if "/frames/c/" in e.key
        ]
    version = CheckedVersion(dataset.version.objects, replace(known, entries=tuple(entries)))
    document = dataset.documents["/entry/data/frames"]
    array = OpenedArray(dataset.record.location, "/entry/data/frames", document, version)
    with pytest.raises(ManifestError, match="does not know"):
        array.unwritten()


@pytest.mark.parametrize(
    ("path", "value"),
    [("/title", "å title"), ("/number", 2.5), ("/flag", True), ("/odd/X", 1), ("/odd/x", 2)],
)
def test_a_scalar_is_a_python_value(kept, path, value):
    found = kept.open().array(path).scalar()
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("path", ["/words", "/empty", "/entry/data/frames"])
def test_more_or_less_than_one_element_is_no_scalar(kept, path):
    with pytest.raises(HscError, match="elements, not one"):
        kept.open().array(path).scalar()


@pytest.mark.parametrize("path", ["/nowhere", "/entry", "", "/"])
def test_a_path_without_an_array_is_named(kept, path):
    with pytest.raises(RoleMissingError):
        kept.open().array(path)


def test_a_role_that_is_not_there_is_named_with_those_that_are(kept, keep_tree):
    with pytest.raises(RoleMissingError, match="none"):
        kept.open().role("frames")
    values = np.arange(3)
    tree = NewTree(arrays=(NewArray("/q", values, ("q",)),), roles={"q": "/q"})
    dataset = keep_tree(tree).open()
    assert np.array_equal(dataset.role("q").read(), values)
    with pytest.raises(RoleMissingError, match="it has q"):
        dataset.role("frames")


def test_nothing_is_read_before_it_is_asked_for(kept):
    for path in (kept.folder / "data.zarr").rglob("c*"):
        if path.is_file():
            path.unlink()
    dataset = kept.open()
    (kept.folder / "manifest").rename(kept.folder / "hidden")
    with pytest.raises(ManifestError):
        _ = dataset.documents
    (kept.folder / "hidden").rename(kept.folder / "manifest")
    assert dataset.array("/entry/data/frames").shape == (9, 32, 24)
    assert dataset.array("/entry/data/frames").attributes["gain"] == 0.5


def test_an_array_works_in_another_process_and_carries_no_secret(kept, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a very secret key")
    array = kept.open().array("/entry/data/frames")
    expected = array.read(2, 5)
    pickled = pickle.dumps(array)
    assert b"secret" not in pickled
    program = "import pickle,sys; print(pickle.loads(sys.stdin.buffer.read()).read(2, 5).sum())"
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickled, capture_output=True, check=True, timeout=60
    )
    assert int(done.stdout) == int(expected.sum())


def test_stock_zarr_reads_the_same_without_hsc(kept):
    with h5py.File(kept.source) as file:
        stock = zarr.open_group(kept.folder / "data.zarr", mode="r")
        checked = kept.open().zarr()
        for tree in (stock, checked):
            assert np.array_equal(tree["entry/data/frames"][...], file["entry/data/frames"][...])
            assert tree["words"][...].tolist() == ["a", "", "ccc"]
            assert tree["number"][()] == 2.5
            assert tree["entry/data/frames"].attrs["units"] == "counts"
