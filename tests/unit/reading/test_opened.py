"""An opened dataset gives its arrays by path and role, slice by slice, as h5py reads the source."""

from __future__ import annotations

import pickle
import subprocess
import sys

import h5py
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsc.errors import HscError, ManifestError, RoleMissingError
from hsc.ingestion.tree import NewArray, NewTree

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
