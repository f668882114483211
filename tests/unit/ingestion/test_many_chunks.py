"""What is planned grows with the chunks that were written, not with what a file promises."""

from __future__ import annotations

import math
import tracemalloc
from itertools import product

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.errors import UnsupportedObjectError
from hsc.hdf5 import chunk_index, open_hdf5
from hsc.ingestion.forecast import forecast
from hsc.ingestion.planned import _touched
from hsc.ingestion.tasks import shard_tasks
from hsc.layouts import read_run
from hsc.testing import write_many_chunks

COUNT = 70_000


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    path = tmp_path_factory.mktemp("many") / "many.h5"
    write_many_chunks(path, COUNT)
    return path


def test_a_chunk_takes_few_bytes_to_index(many):
    with open_hdf5(many) as file:
        dataset = file["frames"]
        tracemalloc.start()
        index = chunk_index(dataset)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert len(index) == COUNT
    assert peak < 250 * COUNT
    assert (index.places[:, 0] == np.arange(COUNT)).all()


def test_every_chunk_is_in_exactly_one_shard(many, plan):
    made = plan(many)
    tasks = shard_tasks(made, "memory://", "v1", resumed=False)
    assert len(tasks) == forecast(made, 1).arrays[0].objects == 2
    assert np.concatenate([task.places[:, 0] for task in tasks]).tolist() == list(range(COUNT))
    assert [len(task.numbers) for task in tasks] == [65_536, COUNT - 65_536]


def test_an_array_without_end_of_which_nothing_was_written_is_refused_by_name(tmp_path, plan):
    path = tmp_path / "endless.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("all", (2**50, 2**10), "u1", chunks=(2**10, 2**10))
        file["some"] = np.arange(3)
    with pytest.raises(UnsupportedObjectError, match=r"/all: its grid of .* chunks is larger"):
        plan(path)
    made = plan(path, policy="quarantine")
    assert [planned.spec.path for planned in made.arrays] == ["/some"]
    assert [gap.path for gap in made.gaps] == ["/all"]


@st.composite
def boxes(draw):
    ndim = draw(st.integers(1, 3))
    shape = [draw(st.integers(1, 20)) for _ in range(ndim)]
    written = [draw(st.integers(1, 9)) for _ in range(ndim)]
    inner = [draw(st.integers(1, 9)) for _ in range(ndim)]
    grid = [math.ceil(n / c) for n, c in zip(shape, written, strict=True)]
    places = draw(st.sets(st.tuples(*(st.integers(0, n - 1) for n in grid)), max_size=12))
    return shape, written, inner, sorted(places)


@given(boxes())
def test_inner_chunks_are_touched_where_an_element_was_written(tmp_path_factory, box):
    shape, written, inner, places = box
    path = tmp_path_factory.mktemp("t") / "a.h5"
    expected = set()
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(
            "a", shape, "u1", chunks=tuple(written), maxshape=(None,) * len(shape)
        )
        for place in places:
            dataset[tuple(a * c for a, c in zip(place, written, strict=True))] = 1
            spans = [
                range(a * c, min(a * c + c, n))
                for a, c, n in zip(place, written, shape, strict=True)
            ]
            expected |= {
                tuple(e // c for e, c in zip(element, inner, strict=True))
                for element in product(*spans)
            }
    (array,) = read_run(path, layout="plain", time_zone="UTC").arrays
    assert list(map(tuple, _touched(array, inner).tolist())) == sorted(expected)
