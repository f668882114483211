"""A dataset of many small arrays is opened and read by few requests, and pixel for pixel right."""

from __future__ import annotations

import numpy as np
import pytest

from hsc.errors import MissingShardError
from hsc.reading import open_tree
from hsc.store import CheckedVersion, DirectoryObjects, NewArray, NewTree, open_version

COUNT = 120


class Counted(DirectoryObjects):
    """A directory that notes what is got of it."""

    def __init__(self, root):
        super().__init__(root)
        self.got = []

    def get(self, key, start=0, stop=None):
        self.got.append(key)
        return super().get(key, start, stop)


@pytest.fixture
def packed(keep_tree):
    arrays = tuple(
        NewArray(f"/g{n % 3}/a{n}", np.arange(n + 1.0), (f"n{n}",)) for n in range(COUNT)
    )
    return keep_tree(NewTree(arrays=arrays, roles={"last": f"/g2/a{COUNT - 1}"}))


@pytest.fixture
def counted(packed):
    """The dataset, opened on a directory that notes what is got of it."""
    dataset = packed.open()
    objects = Counted(packed.folder)
    manifest = open_version(packed.folder.as_uri()).manifest
    # As `version` would, which is cached where it is set here.
    dataset.__dict__["version"] = CheckedVersion(objects, manifest)
    return dataset, objects


def test_opening_gets_one_object_and_reading_all_arrays_one_more(counted):
    dataset, objects = counted
    tree = open_tree(dataset)
    assert objects.got == ["small.zip"]
    for number in range(COUNT):
        assert np.array_equal(tree[f"g{number % 3}/a{number}"].values, np.arange(number + 1.0))
    assert objects.got == ["small.zip", "small-1.zip"]


def test_every_way_of_reading_gives_the_same(packed):
    dataset = packed.open()
    expected = np.arange(float(COUNT))
    assert np.array_equal(dataset.role("last").read(), expected)
    assert np.array_equal(dataset.array(f"/g2/a{COUNT - 1}").read(3, 9), expected[3:9])
    assert np.array_equal(dataset.zarr()[f"g2/a{COUNT - 1}"][...], expected)
    assert dataset.array("/g0/a0").unwritten() == ()


def test_a_lost_pack_raises_however_it_is_read(packed):
    (packed.folder / "small-1.zip").unlink()
    dataset = packed.open()
    for read in (
        lambda: dataset.role("last").read(),
        lambda: dataset.zarr()["g0/a0"][...],
        lambda: open_tree(dataset)["g0/a0"].values,
    ):
        with pytest.raises(MissingShardError, match="gone"):
            read()
