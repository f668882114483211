"""Trees of new arrays are written through the same shards, and found again by stock zarr."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from hsc.ingestion import write_tree
from hsc.store import NewArray, NewGroup, NewTree

VALUES = [
    np.arange(12, dtype="u2").reshape(3, 4),
    np.array([np.nan, -0.0, np.inf, 5e-324]),
    np.arange(5, dtype=">f8"),
    np.array([1 + 2j, complex(np.nan, -0.0)]),
    np.array([True, False]),
    np.array(2.5),
    np.zeros((0, 3), "f4"),
    np.array(["å", "", "c"]),
    np.array(["a", "\0b"], object),
    np.array("scalar"),
]


@pytest.mark.parametrize("values", VALUES, ids=lambda v: f"{v.dtype.name}{v.shape}")
@pytest.mark.parametrize("chunked", [False, True])
def test_values_of_every_kind_come_through(tmp_path, values, chunked):
    chunks = (2,) * values.ndim if chunked else None
    names = tuple("abc"[: values.ndim])
    tree = NewTree(arrays=(NewArray("/g/x", values, names, {"units": "1/nm"}, chunks=chunks),))
    written = write_tree(tree, tmp_path.as_uri(), "v1")
    manifest, (summary,) = written.manifest, written.arrays
    found = zarr.open_group(tmp_path / "v1" / "data.zarr", mode="r")["g/x"]
    ours = np.asarray(found[...])
    assert ours.shape == values.shape == summary.shape
    assert found.attrs["units"] == "1/nm"
    if values.dtype.kind in "UO":
        assert ours.ravel().tolist() == values.ravel().tolist()
    else:
        assert ours.tobytes() == values.astype(ours.dtype).tobytes()
        assert found.dtype == values.dtype.newbyteorder("<")
    assert manifest.source_id is None


def test_groups_roles_and_missing_parents_are_made(tmp_path):
    tree = NewTree(
        groups=(NewGroup("/entry", {"NX_class": "NXentry"}),),
        arrays=(NewArray("/entry/deep/er/q", np.arange(3), ("q",)),),
        roles={"q": "/entry/deep/er/q"},
    )
    write_tree(tree, tmp_path.as_uri(), "v1")
    opened = zarr.open_group(tmp_path / "v1" / "data.zarr", mode="r")
    assert opened.attrs["hsc:roles"] == {"q": "/entry/deep/er/q"}
    assert opened["entry"].attrs["NX_class"] == "NXentry"
    assert opened["entry/deep/er/q"].metadata.dimension_names == ("q",)


def test_the_same_tree_has_the_same_root_each_time(tmp_path):
    # Large enough for many Blosc blocks, and written on the main thread.
    noise = np.random.default_rng(0).integers(0, 50, (4, 1000, 1000)).astype("u4")
    tree = NewTree(arrays=(NewArray("/x", noise, ("a", "b", "c")),))
    roots = {write_tree(tree, tmp_path.as_uri(), f"v{n}").manifest.root for n in range(3)}
    assert len(roots) == 1
