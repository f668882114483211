"""A shard has the same bytes however many processors made it."""

from __future__ import annotations

from contextlib import ExitStack

import h5py
import hdf5plugin
import numpy as np
import pytest

from hsc.store import ShardStream, idle_processors

KINDS = {
    "deflate": {"compression": "gzip", "shuffle": True},
    "lzf": {"compression": "lzf"},
    "bitshuffle-lz4": hdf5plugin.Bitshuffle(cname="lz4"),
    "none": {},
}


def write(path, kind) -> None:
    values = np.random.default_rng(0).poisson(3, (40, 400, 500)).astype("u2")
    with h5py.File(path, "w") as file:
        made = file.create_dataset("d", data=values, chunks=(1, 400, 500), **kind)
        if kind:
            made.id.write_direct_chunk((7, 0, 0), b"damaged")
            made.id.write_direct_chunk((8, 0, 0), values[8].tobytes(), filter_mask=3)
            made.id.write_direct_chunk((39, 0, 0), b"damaged too")


@pytest.mark.parametrize("kind", KINDS)
def test_the_root_does_not_depend_on_idle_processors(tmp_path, ingest, kind):
    write(tmp_path / "a.h5", KINDS[kind])
    alone = ingest(tmp_path / "a.h5", policy="quarantine")
    with ExitStack() as stack:
        while idle_processors():
            stack.enter_context(ShardStream(1, indexed=False, sink=lambda *_: False))
        among_others = ingest(tmp_path / "a.h5", policy="quarantine")
    assert idle_processors()
    assert alone.manifest.root == among_others.manifest.root
    assert len(alone.manifest.gaps) == (2 if KINDS[kind] else 0)


@pytest.mark.parametrize("kind", ["deflate", "bitshuffle-lz4"])
def test_chunks_at_a_zeroed_end_of_the_file_are_gaps_in_their_turn(tmp_path, ingest, kind):
    write(tmp_path / "b.h5", KINDS[kind])
    path = tmp_path / "b.h5"
    with h5py.File(path) as file:
        index = file["d"].id
        last = max(index.get_chunk_info(n).byte_offset for n in range(index.get_num_chunks()))
    data = path.read_bytes()
    path.write_bytes(data[: last + 5] + bytes(len(data) - last - 5))
    made = ingest(path, policy="quarantine")
    assert made.manifest.gaps
    states = np.concatenate([e.chunks.states for e in made.manifest.entries if "/d/c" in e.key])
    offsets = np.concatenate([e.chunks.offsets for e in made.manifest.entries if "/d/c" in e.key])
    assert (states != 0).all()
    assert (np.diff(offsets.astype(np.int64)) > 0).all()
