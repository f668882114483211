"""What is told beforehand comes true: bytes within 5 % wherever chunks travel undecoded."""

from __future__ import annotations

import h5py
import hdf5plugin
import numpy as np
import pytest

from hsc.ingestion import forecast

KINDS = {
    "none": {},
    "blosc": hdf5plugin.Blosc(cname="zstd"),
    "zstd": hdf5plugin.Zstd(),
    "bitshuffle-lz4": hdf5plugin.Bitshuffle(cname="lz4"),
    "bitshuffle-lz4-blocks": hdf5plugin.Bitshuffle(nelems=256, cname="lz4"),
    "bitshuffle-zstd": hdf5plugin.Bitshuffle(cname="zstd"),
    "lz4": hdf5plugin.LZ4(),
    "lz4-blocks": hdf5plugin.LZ4(nbytes=1024),
}


def ratio(made) -> float:
    """Give what was foretold of all chunks over what was written."""
    told = sum(array.nbytes for array in forecast(made.plan, 2).arrays)
    return told / sum(entry.nbytes for entry in made.manifest.entries if "/c" in entry.key)


@pytest.mark.parametrize("counts", [0.05, 3, 1000])
@pytest.mark.parametrize("dtype", ["u2", "<f4", ">i8"])
@pytest.mark.parametrize("row", KINDS)
def test_bytes_are_told_within_five_percent(tmp_path, ingest, row, dtype, counts):
    values = np.random.default_rng(0).poisson(counts, (30, 256, 384)).astype(dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", data=values, chunks=(1, 256, 384), **KINDS[row])
    made = ingest(tmp_path / "a.h5")
    assert made.plan.arrays[0].travel.row is not None
    assert 0.95 < ratio(made) < 1.05


@pytest.mark.parametrize("row", ["bitshuffle-lz4", "lz4"])
def test_a_left_over_block_does_not_spoil_it(tmp_path, ingest, row):
    values = np.random.default_rng(0).poisson(3, (4, 1030, 1065)).astype("u2")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", data=values, chunks=(1, 1030, 1065), **KINDS[row])
    assert 0.95 < ratio(ingest(tmp_path / "a.h5")) < 1.05


def test_data_without_chunks_are_told_within_five_percent(tmp_path, ingest):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["d"] = np.random.default_rng(0).random((40, 300, 500))
    assert 0.95 < ratio(ingest(tmp_path / "a.h5")) < 1.05
