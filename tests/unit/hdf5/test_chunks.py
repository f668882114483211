"""The chunk index of a damaged file promises nothing that is not there."""

from __future__ import annotations

import struct

import h5py
import numpy as np
import pytest

from hsc.hdf5 import chunk_index, open_hdf5, walk

_KEY = struct.Struct("<IIQQQ")


@pytest.fixture
def damage(tmp_path):
    """Write four chunks, and change the index's key of one: bytes, mask, place, 0, address."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="earliest") as file:
        file.create_dataset("a", data=np.arange(8, dtype="<i4"), chunks=(2,))

    def change(number, **facts):
        data = bytearray(path.read_bytes())
        node = data.index(b"TREE\x01")  # a version 1 B-tree of chunks, 24 bytes before its keys
        at = node + 24 + number * _KEY.size
        names = ("nbytes", "mask", "place", "zero", "address")
        key = dict(zip(names, _KEY.unpack_from(data, at), strict=True)) | facts
        _KEY.pack_into(data, at, *key.values())
        path.write_bytes(data)
        return path

    return change


def test_what_lies_beyond_the_shape_is_no_chunk(damage):
    with open_hdf5(damage(3, place=8)) as file:
        index = chunk_index(file["a"])
    assert index.places[:, 0].tolist() == [0, 1, 2]


def test_an_index_with_two_chunks_at_one_place_is_a_named_problem(damage):
    with open_hdf5(damage(1, place=0)) as file:
        tree = walk(file)
    (problem,) = tree.problems
    assert problem.path == "/a"
    assert "two chunks of its index have the same place" in problem.reason


def test_a_place_or_length_beyond_the_file_is_cut_at_its_end(damage):
    damage(0, nbytes=2**32 - 1)
    path = damage(2, address=2**63 + 5)
    size = path.stat().st_size
    with open_hdf5(path) as file:
        index = chunk_index(file["a"])
    assert (int(index.sizes[0]), int(index.offsets[2])) == (size + 1, size)
