"""Chunks as HDF5 itself writes them, and frames as stock readers decode them."""

from __future__ import annotations

import asyncio
import json

import h5py
import hdf5plugin
import numpy as np
import pytest
import zarr
from zarr.core.buffer import default_buffer_prototype

from hsc.model import Way
from hsc.store import ArraySpec, blosc


@pytest.fixture
def write_chunk(tmp_path_factory):
    """Write an array as one bitshuffle-LZ4 chunk through HDF5; give the chunk's bytes."""
    folder = tmp_path_factory.mktemp("chunks")

    def write(array: np.ndarray, block_elements: int = 0) -> bytes:
        with h5py.File(folder / "chunk.h5", "w") as file:
            stack = file.create_dataset(
                "d",
                data=array,
                chunks=array.shape,
                **hdf5plugin.Bitshuffle(nelems=block_elements, cname="lz4"),
            )
            mask, chunk = stack.id.read_direct_chunk((0,) * array.ndim)
            assert mask == 0
            return chunk

    return write


@pytest.fixture
def read_by_zarr():
    """Decode a frame as the only chunk of an array that stock zarr opens."""

    def read(frame: bytes, shape, dtype: np.dtype, block_bytes: int = 8192) -> np.ndarray:
        spec = ArraySpec(
            path="/d",
            key="d",
            shape=shape,
            dtype=dtype.name,
            chunks=shape,
            shards=shape,
            compressor=blosc("lz4", 5, dtype.itemsize, block_bytes),
            fill_value=0,
            way=Way.REWRAP,
        )
        document = spec.document()
        document["codecs"].pop()  # the crc32c is the shard's matter
        store = zarr.storage.MemoryStore()
        prototype = default_buffer_prototype()
        for key, data in {
            "zarr.json": json.dumps(document).encode(),
            "/".join(["c", *["0"] * len(shape)]): frame,
        }.items():
            asyncio.run(store.set(key, prototype.buffer.from_bytes(data)))
        return zarr.open_array(store, mode="r")[...]

    return read
