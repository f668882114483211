"""How often a store is asked: a few times, however large a dataset is."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.ingestion.tree import NewArray, NewTree
from hsc.reading import open_dataset, open_tree
from hsc.store import MANIFEST_KEY, DirectoryObjects, Manifest
from hsc.store.checked import CheckedVersion


class Counting(DirectoryObjects):
    """A store that notes what it is asked for."""

    asked: list[tuple[str, int, int | None]]

    def get(self, key, start=0, stop=None):
        self.__dict__.setdefault("asked", []).append((key, start, stop))
        return super().get(key, start, stop)


def opened(kept):
    """Open a dataset as from a store that counts."""
    store = Counting(kept.folder)
    dataset = open_dataset(kept.record)
    dataset.version = CheckedVersion(store, Manifest.decode(store.get(MANIFEST_KEY), "here"))
    return dataset, store


@pytest.mark.parametrize("count", [2, 40])
def test_opening_and_showing_take_two_requests_and_the_first_frame_one(keep_tree, count):
    frames = np.random.default_rng(0).integers(0, 9, (count, 256, 256)).astype("u2")
    axis = NewArray("/entry/data/angle", np.arange(float(count)), ("frame",))
    arrays = (NewArray("/entry/data/data", frames, ("frame", "y", "x")), axis)
    dataset, store = opened(keep_tree(NewTree(arrays=arrays)))
    tree = open_tree(dataset)
    repr(tree), tree._repr_html_(), repr(tree.hsc.xarray()), tree.hsc.default_plot()
    assert [key for key, _, _ in store.asked] == ["manifest", "data.zarr/zarr.json"]
    first = tree["entry/data/data"][0].values
    assert np.array_equal(first, frames[0])
    assert len(store.asked) == 3
    _, start, stop = store.asked[-1]
    assert stop - start <= frames[0].nbytes + 100
    assert np.array_equal(tree.hsc.h5["entry/data/data"][count - 1], frames[-1])
    assert len(store.asked) == 4
