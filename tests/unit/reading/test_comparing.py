"""Two versions held against each other: every kind of difference, and the smallest of floats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsc.ingestion import write_tree
from hsc.model import Dataset, Kind, Pid
from hsc.reading import OpenedDataset, compare
from hsc.reading.comparing import ulps_between
from hsc.store import NewArray, NewGroup, NewTree

FLOATS = np.array([1.0, np.nan, -0.0, np.inf, 5e-324, -2.5])
TREE = NewTree(
    (NewGroup("/entry", {"NX_class": "NXentry"}),),
    (
        NewArray("/entry/x", FLOATS, ("x",), {"units": "m"}),
        NewArray("/entry/n", np.arange(12, dtype="i4").reshape(3, 4), ("a", "b")),
        NewArray("/entry/c", np.array([1 + 2j, 3j]), ("c",)),
        NewArray("/entry/t", np.array(["a", "å"]), ("t",)),
        NewArray("/entry/s", np.array(2.0), ()),
    ),
)
FILES = {"curve.dat": b"1 2\n3 4\n", "empty": b""}


def opened(folder, version, tree=TREE, files=FILES):
    written = write_tree(tree, folder.as_uri(), version, files=files)
    record = Dataset(
        pid=Pid.generate("hsc.local"), kind=Kind.DERIVED, title="x", facility="local",
        created="2026-11-22T10:00:00Z", root=written.manifest.root, layout="x",
        location=f"{folder.as_uri()}/{version}", bytes_in=0, bytes_out=0,
    )  # fmt: skip
    return OpenedDataset(record)


def having(path, values=None, **changed):
    arrays = []
    for each in TREE.arrays:
        if each.path != path:
            arrays.append(each)
        elif values is not None or changed:
            facts = {"dimension_names": each.dimension_names, "attributes": each.attributes}
            given_values = each.values if values is None else values
            arrays.append(NewArray(path, given_values, **(facts | changed)))
    return NewTree(TREE.groups, tuple(arrays))


def test_equal_values_cut_otherwise_are_equal(tmp_path):
    other = having("/entry/n", chunks=(2, 3))
    assert compare(opened(tmp_path, "v1"), opened(tmp_path, "v2", other)).first is None


STEP = np.array([np.nextafter(1.0, 2.0), *FLOATS[1:]])
TWO = np.array([*FLOATS[:5], np.nextafter(np.nextafter(-2.5, 0), 0)])


@pytest.mark.parametrize(
    ("tree", "what", "path", "index", "ulps"),
    [
        (having("/entry/x", TWO), "value", "/entry/x", (5,), 2),
        (having("/entry/x", np.array([*FLOATS[:3], 7, *FLOATS[4:]])), "value", "/entry/x", (3,), 1),
        (having("/entry/n", np.eye(3, 4, dtype="i4")), "value", "/entry/n", (0, 0), None),
        (having("/entry/c", np.array([1 + 2j, 4j])), "value", "/entry/c", (1,), 1),
        (having("/entry/t", np.array(["a", "ä"])), "value", "/entry/t", (1,), None),
        (having("/entry/s", np.array(3.0)), "value", "/entry/s", (), 1),
        (having("/entry/x", FLOATS.astype("f4")), "data type", "/entry/x", None, None),
        (having("/entry/x", FLOATS[:5]), "shape", "/entry/x", None, None),
        (having("/entry/x", dimension_names=("y",)), "dimension names", "/entry/x", None, None),
        (having("/entry/x", attributes={"units": "mm"}), "attribute", "/entry/x", None, None),
        (having("/entry/x"), "missing now", "/entry/x", None, None),
    ],
)
def test_the_first_difference_is_named(tmp_path, tree, what, path, index, ulps):
    first = compare(opened(tmp_path, "v1"), opened(tmp_path, "v2", tree)).first
    assert (first.what, first.path, first.index) == (what, path, index)
    if ulps is None:
        assert first.ulps is None
    else:
        assert first.ulps >= ulps
        assert first.recorded != first.now
    back = compare(opened(tmp_path, "v3", tree), opened(tmp_path, "v4")).first
    assert back.path == path
    assert (first.recorded, first.now) == (back.now, back.recorded)


def test_one_step_of_a_float_is_the_largest_difference_and_no_first_one(tmp_path):
    found = compare(opened(tmp_path, "v1"), opened(tmp_path, "v2", having("/entry/x", STEP)))
    assert found.first is None
    assert (found.largest.path, found.largest.index, found.largest.ulps) == ("/entry/x", (0,), 1)


@pytest.mark.parametrize(
    ("files", "what", "name", "at"),
    [
        ({**FILES, "curve.dat": b"1 2\n3 5\n"}, "file", "curve.dat", (6,)),
        ({**FILES, "curve.dat": b"1 2\n"}, "file", "curve.dat", (4,)),
        ({"curve.dat": FILES["curve.dat"]}, "file missing now", "empty", None),
        ({**FILES, "more": b"1"}, "file not recorded", "more", None),
    ],
)
def test_files_are_compared_byte_by_byte(tmp_path, files, what, name, at):
    first = compare(opened(tmp_path, "v1"), opened(tmp_path, "v2", files=files)).first
    assert (first.what, first.file, first.index) == (what, name, at)


@given(st.floats(width=32), st.integers(0, 40))
def test_steps_from_a_float_are_counted(start, steps):
    there = np.array([start], "f4")
    moved = there
    for _ in range(steps):
        moved = np.nextafter(moved, np.float32(np.inf))
    if np.isnan(start) or np.isinf(moved).any():
        return
    # Zero and minus zero are two numbers here, and one step for nextafter.
    zeros = int((np.signbit(there) & ~np.signbit(moved)).any())
    assert ulps_between(there, moved).tolist() == [steps + zeros]
