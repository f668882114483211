"""What was taken apart is put together again as h5py gives it."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from hsc.errors import RoleMissingError
from hsc.reading import elements


def ragged(*arrays: np.ndarray) -> np.ndarray:
    made = np.empty(len(arrays), object)
    made[:] = [np.asarray(each) for each in arrays]
    return made


def test_a_compound_comes_back_with_its_fields_and_byte_order(tmp_path, keep):
    kind = np.dtype([
        ("a/b", ">i4"), ("in", [("x", "<f4", (2,)), ("on", "?")]), ("text", "S3"),
    ])  # fmt: skip
    rng = np.random.default_rng(0)
    rows = np.zeros((4, 3), kind)
    rows["a/b"] = rng.integers(-9, 9, (4, 3))
    rows["in"]["x"] = rng.random((4, 3, 2))
    rows["in"]["on"] = rng.random((4, 3)) < 0.5
    rows["text"] = b"ab"
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["t"] = rows
    again = elements(keep(tmp_path / "a.h5").open(), "/t")
    assert again.shape == (4, 3)
    assert again.dtype["a/b"] == np.dtype(">i4")
    assert again.dtype["in"] == kind["in"]
    for name in ("a/b", "in"):
        assert again[name].tobytes() == np.ascontiguousarray(rows[name]).tobytes()
    assert set(again["text"].ravel()) == {"ab"}


def test_ragged_data_come_back_also_inside_a_compound_and_each_other(tmp_path, keep):
    inner = h5py.vlen_dtype(h5py.vlen_dtype("i2"))
    kind = np.dtype([("v", h5py.vlen_dtype("f4")), ("n", "i4")])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("t", (2,), kind)
        rows = np.zeros(2, kind)
        rows["n"] = [0, 1]
        rows["v"] = ragged(np.array([1.0, 2.0], "f4"), np.zeros(0, "f4"))
        made[...] = rows
        nested = file.create_dataset("nested", (2,), inner)
        nested[1] = ragged(np.arange(2, dtype="i2"), np.arange(3, dtype="i2"))
    dataset = keep(tmp_path / "a.h5").open()
    table = elements(dataset, "/t")
    assert [each.tolist() for each in table["v"]] == [[1.0, 2.0], []]
    assert table["n"].tolist() == [0, 1]
    again = elements(dataset, "/nested")
    assert [[each.tolist() for each in row] for row in again] == [[], [[0, 1], [0, 1, 2]]]


def test_text_that_is_no_utf8_comes_back_as_its_bytes(tmp_path, keep):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("t", (2, 2), h5py.string_dtype())
        made[...] = np.array([[b"a", b"\xff\xfe"], [b"", b"bc"]], object)
    again = elements(keep(tmp_path / "a.h5").open(), "/t")
    assert again.tolist() == [[b"a", b"\xff\xfe"], [b"", b"bc"]]


def test_what_is_no_hdf5_dataset_is_refused_by_name(tmp_path, keep):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["g/x"] = np.arange(3, dtype=">u2")
    dataset = keep(tmp_path / "a.h5").open()
    assert elements(dataset, "/g/x").dtype == np.dtype(">u2")
    for path in ("/g", "/nothing"):
        with pytest.raises(RoleMissingError, match=f"no HDF5 dataset at {path}"):
            elements(dataset, path)
