"""Elements there and back: of odd types, as h5py reads them."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from h5py import h5d, h5p, h5s, h5t

from hsc.exporting.storage import Storage, Travelling, keeping, kept_nbytes
from hsc.hdf5 import undefine_fill

ROWS, TEXT = h5py.vlen_dtype(np.dtype("i4")), h5py.string_dtype()
BESIDE = {
    "a text before": [("text", TEXT), ("rows", ROWS)],
    "a text behind": [("rows", ROWS), ("text", TEXT)],
    "a reference": [("rows", ROWS), ("root", h5py.ref_dtype)],
    "a text inside": [("inside", np.dtype([("text", TEXT)])), ("rows", ROWS)],
    "rows inside": [("text", TEXT), ("inside", np.dtype([("rows", ROWS)]))],
}


@pytest.mark.parametrize("beside", BESIDE)
def test_rows_of_variable_length_come_back_beside(there_and_back, tmp_path, beside) -> None:
    source = tmp_path / "a.h5"
    with h5py.File(source, "w") as file:
        values = np.zeros(3, np.dtype(BESIDE[beside]))
        for number, value in enumerate(values):
            _set(value, number, file.ref)
        file.create_dataset("d", data=values, dtype=values.dtype)
        file.attrs.create("a", values, dtype=values.dtype)
    back = there_and_back(source)
    assert not back.exported.gaps
    with h5py.File(source) as ours, h5py.File(back.path) as theirs:
        assert _plain(theirs["d"][()], theirs) == _plain(ours["d"][()], ours)
        assert _plain(theirs.attrs["a"], theirs) == _plain(ours.attrs["a"], ours)


def _set(value: np.void, number: int, root: h5py.Reference) -> None:
    wanted = {"text": "ab" * number, "rows": np.arange(number, dtype="i4"), "root": root}
    for name in value.dtype.names:
        if name == "inside":
            _set(value[name], number, root)
        else:
            value[name] = wanted[name]


def _plain(value: object, file: h5py.File) -> object:
    if isinstance(value, h5py.Reference):
        return file[value].name
    if isinstance(value, np.void):
        return [_plain(value[name], file) for name in value.dtype.names]
    if isinstance(value, np.ndarray):
        return [str(value.dtype), [_plain(each, file) for each in value]]
    return value


@pytest.mark.parametrize("dtype", [">u2", ">f8", "<i4", "?"])
def test_what_was_never_written_reads_as_it_did(there_and_back, tmp_path, dtype) -> None:
    source = tmp_path / "a.h5"
    with h5py.File(source, "w") as file:
        made = file.create_dataset("d", (6,), dtype, chunks=(2,), fillvalue=1)
        made[:2] = 0
        file.create_dataset("none", (3,), dtype, fillvalue=1)
    with h5py.File(source) as ours, h5py.File(there_and_back(source).path) as theirs:
        for name in ("d", "none"):
            assert theirs[name][()].tobytes() == ours[name][()].tobytes()
            assert theirs[name].fillvalue == ours[name].fillvalue


@pytest.mark.parametrize("dtype", ["S4", "S11", h5py.string_dtype("utf-8", 4), TEXT])
def test_a_text_that_was_never_written_reads_as_it_did(there_and_back, tmp_path, dtype) -> None:
    source = tmp_path / "a.h5"
    with h5py.File(source, "w") as file:
        file.create_dataset("none", (3,), dtype, fillvalue=b"zz")
    with h5py.File(source) as ours, h5py.File(there_and_back(source).path) as theirs:
        assert theirs["none"][()].tolist() == ours["none"][()].tolist() == [b"zz"] * 3
        assert theirs["none"].fillvalue == ours["none"].fillvalue


def test_chunks_that_are_written_in_pieces_are_kept_until_they_are_whole() -> None:
    shape, chunks = (16, 1100, 1000), (16, 550, 1000)
    through, encoded = (
        Storage("chunked", chunks),
        Storage("chunked", chunks, travelling=Travelling.ENCODED),
    )
    kept = kept_nbytes(through, None, shape, 2)
    assert kept == 2 * 16 * 550 * 1000 * 2
    assert keeping(kept).get_chunk_cache()[1:] == (kept, 1.0)
    assert kept_nbytes(encoded, None, shape, 2) == 0
    assert kept_nbytes(Storage("chunked", (1, 10, 10)), None, shape, 2) == 0


def test_what_was_cut_out_of_large_chunks_comes_back(there_and_back, tmp_path) -> None:
    source = tmp_path / "a.h5"
    values = np.zeros((16, 1100, 1000), "u2")
    values[:, ::7] = np.arange(1000)
    with h5py.File(source, "w") as file:
        file.create_dataset("d", data=values, chunks=(16, 550, 1000), compression="gzip")
        file["d"].attrs["units"] = "counts"
    with h5py.File(there_and_back(source).path) as file:
        assert np.array_equal(file["d"][()], values)
        assert file["d"].attrs["units"] == "counts"


def test_joined_chunks_of_zeros_are_written_where_there_is_no_fill_value(
    there_and_back, tmp_path
) -> None:
    source = tmp_path / "a.h5"
    properties = h5p.create(h5p.DATASET_CREATE)
    undefine_fill(properties)
    properties.set_chunk((10,))
    with h5py.File(source, "w") as file:
        space = h5s.create_simple((4000,))
        h5d.create(file.id, b"d", h5t.STD_I32LE, space, dcpl=properties)
        file["d"][:] = np.arange(4000) // 700
    with h5py.File(there_and_back(source).path) as file:
        read = np.full(4000, 99, "i4")
        file["d"].read_direct(read)
    assert np.array_equal(read, np.arange(4000) // 700)
