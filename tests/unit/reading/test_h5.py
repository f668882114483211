"""The view by HDF5 paths gives what h5py gives: links, types, attributes, parts."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from independent.h5_views import same, view_differences

from hsc.errors import HscError, PathMissingError, SelectionError
from hsc.reading import OpenedTree, open_tree

NUMBERS = np.random.default_rng(3).integers(0, 99, (7, 5, 6)).astype(">u2")


def write(path: Path) -> None:
    """Write something of every kind that h5py can write."""
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "a/numbers", data=NUMBERS, chunks=(2, 5, 6), maxshape=(None, 5, 6), shuffle=True,
            compression="gzip", fletcher32=True, fillvalue=7,
        )  # fmt: skip
        file["opaque"] = np.array([b"abcdefgh"] * 2, "V8")
        file["one_opaque"] = np.void(b"abc")
        file["fixed"] = np.array([b"ab", b"c"], "S4")
        file.create_dataset("utf8", data="é".encode(), dtype=h5py.string_dtype("utf-8", 5))
        file["no_text"] = np.array([b"\xff\xfe"], "S3")
        file["texts"] = ["a", "", "ccc"]
        file["text"] = "å"
        file["enum"] = np.array([0, 1, 1], h5py.enum_dtype({"A": 0, "B b": 1}, "i1"))
        file.create_dataset("array", (3,), np.dtype(("i4", (2,))))
        file["null"] = h5py.Empty("f4")
        file["flags"] = [True, False]
        kind = [("a", ">i2"), ("b", "f8", (2,)), ("s", "S3"), ("in", [("x", "i4"), ("on", "?")])]
        table = file.create_dataset("table", (5,), np.dtype(kind), chunks=(2,))
        table["a"] = np.arange(5)
        ragged = file.create_dataset("ragged", (2, 2), h5py.vlen_dtype("i4"))
        ragged[0, 1], ragged[1, 1] = [1, 2], [3]
        file["long"] = np.longdouble(1.5)
        file["named"] = np.dtype("i4")
        file["soft"] = h5py.SoftLink("a/numbers")
        file["a/up"] = h5py.SoftLink("/a/up2")
        file["a/up2"] = h5py.SoftLink("/")
        file["a/again"] = file["a"]
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["circle"] = h5py.SoftLink("/circle")
        file["zhard"] = file["a/numbers"]
        write_attributes(file)


def write_attributes(file: h5py.File) -> None:
    kind = [("a", ">i2"), ("b", "f8", (2,))]
    attributes = {
        "text": "x", "bytes": np.bytes_("y"), "texts": ["a", "b"], "fixed": np.array([b"a", b"bb"]),
        "whole": 1, "float32": np.float32(2), "nan": np.nan, "big": 2**60, "flag": True,
        "rows": np.arange(6, dtype=">i4").reshape(2, 3), "none": np.zeros((0, 3)), "z": 1 + 2j,
        "table": np.zeros(2, kind), "row": np.zeros((), kind), "opaque": np.void(b"ab"),
        "null": h5py.Empty("S5"), "large": np.arange(9000, dtype="f4"),
        "no text": np.bytes_(b"\xff"),
        "hsc:mine": 1,
    }  # fmt: skip
    file.attrs.update(attributes)
    file.attrs["reference"] = file["a"].ref
    file.attrs.create("enum", 1, dtype=h5py.enum_dtype({"A": 0, "B": 1}, "i1"))
    file.attrs.create("no utf8", b"\xfe\xff", dtype=h5py.string_dtype())


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("source") / "a.h5"
    write(path)
    return path


@pytest.fixture(scope="module")
def tree(source, keep_for_module) -> OpenedTree:
    return open_tree(keep_for_module(source).open())


def test_links_shapes_values_and_attributes_are_h5pys(source, tree):
    with h5py.File(source) as file:
        assert list(view_differences(file, tree.hsc.h5, set())) == []
        assert list(tree.hsc.h5) == list(file)
        assert list(tree.hsc.h5.attrs) == list(file.attrs)


def test_visiting_meets_the_objects_that_h5py_meets(source, tree):
    ours, theirs = [], []
    tree.hsc.h5.visititems(lambda name, _: ours.append(name))
    with h5py.File(source) as file:
        file.visititems(lambda name, _: theirs.append(name))
    assert ours == theirs
    assert tree.hsc.h5.visit(lambda name: name if "ragged" in name else None) == "ragged"


numbers = st.integers(-7, 6)
rows = st.lists(st.integers(0, 6), unique=True, min_size=1).map(sorted)
parts = st.one_of(
    st.tuples(numbers),
    st.tuples(st.slices(7).filter(lambda s: (s.step or 1) > 0), st.integers(-5, 4)),
    st.tuples(st.just(...), st.slices(6).filter(lambda s: (s.step or 1) > 0)),
    st.tuples(rows, st.just(slice(1, 3))),
    st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 5)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=parts)
def test_a_part_is_what_h5py_gives(source, tree, key):
    with h5py.File(source) as file:
        expected = file["a/numbers"][key]
    assert same(expected, tree.hsc.h5["a/numbers"][key])


def test_masks_fields_text_and_rows_are_as_in_h5py(source, tree):
    view = tree.hsc.h5
    mask = NUMBERS > 50
    with h5py.File(source) as file:
        for key in (mask, np.arange(7) % 2 == 0):
            assert same(file["a/numbers"][key], view["a/numbers"][key])
        for key in ("a", ("b", slice(1, 3)), 3, slice(1, 4)):
            assert same(file["table"][key], view["table"][key])
        assert same(file["ragged"][1], view["ragged"][1])
        assert same(file["ragged"][0, 1], view["ragged"][0, 1])
        assert same(file["texts"].asstr()[...], view["texts"].asstr()[...])
        assert view["text"].asstr()[()] == file["text"].asstr()[()]
        assert same(file["a/numbers"].astype("f4")[0, 0], view["a/numbers"].astype("f4")[0, 0])
        assert [each.tobytes() for each in view["table"]] == [
            each.tobytes() for each in file["table"]
        ]
    assert np.asarray(view["a/numbers"]).sum() == NUMBERS.sum()


def test_a_dataset_tells_how_it_was_stored(source, tree):
    view = tree.hsc.h5["a/numbers"]
    with h5py.File(source) as file:
        theirs = file["a/numbers"]
        for fact in ("compression", "shuffle", "fletcher32", "fillvalue", "ndim", "size", "nbytes",
                     "is_virtual"):  # fmt: skip
            assert getattr(view, fact) == getattr(theirs, fact), fact
        for name in ("fixed", "texts", "array", "null", "ragged"):
            assert repr(tree.hsc.h5[name]) == repr(file[name])
        assert repr(tree.hsc.h5["a"]) == repr(file["a"])
        assert len(view) == len(theirs)
    assert tree.hsc.h5["a"].parent.name == view.file.name == "/"


@pytest.mark.parametrize("path", ["dangling", "circle", "a/nothing", "a/numbers/deeper"])
def test_what_leads_nowhere_is_a_key_error_and_never_a_circle_without_end(tree, path):
    with pytest.raises(PathMissingError) as caught:
        tree.hsc.h5[path]
    assert isinstance(caught.value, KeyError)
    assert path not in tree.hsc.h5
    assert tree.hsc.h5.get(path, 5) == 5


def test_links_lead_round_and_round(tree):
    assert tree.hsc.h5["a/up/a/up/soft"].shape == (7, 5, 6)
    assert tree.hsc["a/again/again/numbers"].shape == (7, 5, 6)


@pytest.mark.parametrize("key", [7, (0, 0, 0, 0), slice(None, None, -1), ([0], [1]), "x", 0.5])
def test_a_part_that_is_not_there_is_refused(tree, key):
    with pytest.raises(SelectionError):
        tree.hsc.h5["a/numbers"][key]


def test_what_has_no_length_or_no_text_says_so(tree):
    with pytest.raises(HscError, match="no dimension"):
        len(tree.hsc.h5["text"])
    with pytest.raises(HscError, match="not text"):
        tree.hsc.h5["a/numbers"].asstr()
