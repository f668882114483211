"""Random trees, types, chunks, filters and sparsity in; equal bits out in stock zarr."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from independent.comparing import compare_file

from hsc.ingestion import commit_plan, make_plan, verify_written, write_plan
from hsc.layouts import read_run
from hsc.workers import Silent, ThreadWorkers

LOCATION = "local/u/2026/p/x/v1"
MOST_ELEMENTS = 400
FILTERS: list[dict[str, Any]] = [
    {},
    {"compression": "gzip"},
    {"compression": "gzip", "shuffle": True, "fletcher32": True},
    {"compression": "lzf", "shuffle": True},
    {"fletcher32": True},
    dict(hdf5plugin.Bitshuffle()),
    dict(hdf5plugin.Bitshuffle(cname="zstd")),
    dict(hdf5plugin.Bitshuffle(nelems=64, cname="none")),
    dict(hdf5plugin.Blosc(cname="lz4", shuffle=hdf5plugin.Blosc.BITSHUFFLE)),
    dict(hdf5plugin.Blosc(cname="zstd")),
    dict(hdf5plugin.LZ4()),
    dict(hdf5plugin.Zstd()),
    dict(hdf5plugin.Blosc2()),
]
NUMBERS = st.one_of(
    npst.integer_dtypes(endianness="?"),
    npst.unsigned_integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    npst.complex_number_dtypes(endianness="?", sizes=(64, 128)),
    st.just(np.dtype(bool)),
)
NAMES = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="/\0"), min_size=1, max_size=12
).filter(lambda name: name != ".")


@dataclass(frozen=True)
class Drawn:
    """One dataset of a tree."""

    path: tuple[str, ...]
    """Groups and name."""
    values: np.ndarray
    """Its elements."""
    chunks: tuple[int, ...] | None
    """Shape of a chunk; None for contiguous."""
    filters: dict[str, Any]
    """Its filters, when it has chunks."""
    growable: bool
    """Whether its first dimension has no bound."""
    written: tuple[slice, ...] | None
    """What was written; None for all of it."""
    fill: bool
    """Whether it has a fill value of its own."""


@st.composite
def datasets(draw: st.DrawFn) -> Drawn:
    dtype = draw(NUMBERS)
    shape = draw(npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9))
    while np.prod(shape) > MOST_ELEMENTS:
        shape = shape[1:]
    values = draw(npst.arrays(dtype, shape))
    chunked = bool(shape) and all(shape) and draw(st.booleans())
    chunks = tuple(draw(st.integers(1, side)) for side in shape) if chunked else None
    partly = draw(st.booleans()) if chunked else False
    ends = tuple(slice(0, draw(st.integers(0, side))) for side in shape) if partly else None
    return Drawn(
        path=tuple(draw(st.lists(NAMES, min_size=1, max_size=3))),
        values=values,
        chunks=chunks,
        filters=draw(st.sampled_from(FILTERS)) if chunked else {},
        growable=chunked and draw(st.booleans()),
        written=ends,
        fill=draw(st.booleans()),
    )


def write(file: h5py.File, drawn: Drawn) -> bool:
    """Write a dataset, unless its name is taken; tell whether."""
    group = file
    for name in drawn.path[:-1]:
        if name in group and not isinstance(group[name], h5py.Group):
            return False
        group = group.require_group(name)
    if drawn.path[-1] in group:
        return False
    options: dict[str, Any] = dict(drawn.filters)
    if drawn.chunks is not None:
        options["chunks"] = drawn.chunks
    if drawn.growable:
        options["maxshape"] = (None, *drawn.values.shape[1:])
    if drawn.fill and drawn.values.size:
        options["fillvalue"] = drawn.values.ravel()[-1]
    made = group.create_dataset(drawn.path[-1], drawn.values.shape, drawn.values.dtype, **options)
    if drawn.values.size:
        where = ... if drawn.written is None else drawn.written
        made[where] = drawn.values[where]
    if drawn.values.ndim <= 1 and drawn.values.size < 50:
        made.attrs["again"] = drawn.values
    return True


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(datasets(), min_size=1, max_size=6))
def test_what_goes_in_comes_out_bit_for_bit(trees: list[Drawn]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with h5py.File(folder / "any.h5", "w") as file:
            count = sum(write(file, drawn) for drawn in trees)
        plan = make_plan(read_run(folder / "any.h5", layout=None, time_zone="UTC"), policy="strict")
        store = (folder / "store").as_uri()
        workers, progress = ThreadWorkers(1), Silent()
        written = write_plan(
            plan, store, LOCATION, workers=workers, progress=progress, resumed=False
        )
        verify_written(
            plan, f"{store}/{LOCATION}", written.entries,
            how="full", workers=workers, progress=progress,
        )  # fmt: skip
        commit_plan(plan, store, LOCATION, written.entries, written.gaps)
        found = compare_file(folder / "any.h5", folder / "store" / LOCATION, {})
        assert found.wrong == []
        assert found.arrays == count
