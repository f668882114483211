"""References of HDF5 1.12's kind are carried as paths: to objects, regions and attributes."""

from __future__ import annotations

import ctypes
import json

import h5py
import numpy as np
import pytest
from h5py import h5a, h5d, h5r, h5s, h5t

from hsc.hdf5 import element_type, read_part, walk
from hsc.hdf5.any_references import REFERENCE_NBYTES, reference_type

PATH = b"/g/data"
ID, PLACE, TEXT = ctypes.c_int64, ctypes.c_void_p, ctypes.c_char_p

pytestmark = pytest.mark.skipif(reference_type() is None, reason="HDF5 before 1.12")


def write(dataset: h5d.DatasetID, memory: h5t.TypeID, values: np.ndarray) -> None:
    """Write by HDF5's own function: h5py's takes no compounds of such references."""
    function = ctypes.CDLL(h5r.__file__).H5Dwrite
    function.argtypes = (ID, ID, ID, ID, ID, PLACE)
    assert function(dataset.id, memory.id, 0, 0, 0, values.ctypes.data) == 0


def made_references(file: h5py.File) -> np.ndarray:
    """Make one of each kind by HDF5's own functions, and a null one."""
    library = ctypes.CDLL(h5r.__file__)
    references = np.zeros(4, f"V{REFERENCE_NBYTES}")
    space = file["g/data"].id.get_space()
    space.select_hyperslab((1, 1), (2, 3))
    at = [references.ctypes.data + REFERENCE_NBYTES * number for number in range(3)]
    own = file.id.id
    calls = [
        (library.H5Rcreate_object, (ID, TEXT, ID, PLACE), (own, PATH, 0, at[0])),
        (library.H5Rcreate_region, (ID, TEXT, ID, ID, PLACE), (own, PATH, space.id, 0, at[1])),
        (library.H5Rcreate_attr, (ID, TEXT, TEXT, ID, PLACE), (own, PATH, b"note", 0, at[2])),
    ]
    for function, takes, values in calls:
        function.argtypes = takes
        assert function(*values) == 0
    return references


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["g/data"] = np.arange(20).reshape(4, 5)
        file["g/data"].attrs["note"] = "x"
        references = made_references(file)
        kind, four = reference_type(), h5s.create_simple((4,))
        write(h5d.create(file.id, b"refs", kind, four), reference_type(), references)
        table = h5t.create(h5t.COMPOUND, REFERENCE_NBYTES + 8)
        table.insert(b"to", 0, reference_type())
        table.insert(b"n", REFERENCE_NBYTES, h5t.NATIVE_INT64)
        rows = np.zeros(4, [("to", references.dtype), ("n", "i8")])
        rows["to"], rows["n"] = references, range(4)
        whole = rows.view(f"V{rows.itemsize}")
        write(h5d.create(file.id, b"table", table, four), table, whole)
        attribute = h5a.create(file["g"].id, b"refs", kind, four)
        attribute.write(references, mtype=reference_type())
    return tmp_path / "a.h5"


def check(words) -> None:
    assert words[0] == "/g/data"
    region = json.loads(words[1])
    assert (region["path"], region["start"], region["count"]) == ("/g/data", [1, 1], [1, 1])
    assert json.loads(words[2]) == {"path": "/g/data", "attribute": "note"}
    assert words[3] == ""


def test_they_are_paths_in_datasets_compounds_and_attributes(path):
    with h5py.File(path) as file:
        tree = walk(file)
        assert tree.problems == ()
        leaves = {leaf.path: leaf for leaf in tree.datasets}
        assert leaves["/refs"].facts["reference"] == "any"
        for name in ("/refs", "/table/to"):
            node = file[name.split("/")[1]].id
            check(read_part(node, leaves[name].part, (0,), (4,)))
        assert read_part(file["refs"].id, leaves["/refs"].part, (2,), (4,))[1] == ""
        group = next(group for group in tree.groups if group.path == "/g")
        check(group.attributes["refs"])
        assert group.attributes["hsc:attribute_types"]["refs"]["reference"] == "any"


def test_one_into_another_file_is_a_problem_and_opens_nothing(path, tmp_path):
    path.rename(tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5") as other, h5py.File(path, "w") as file:
        references = made_references(other)
        made = h5d.create(file.id, b"refs", reference_type(), h5s.create_simple((4,)))
        write(made, reference_type(), references)
    with h5py.File(path) as file:
        (problem,) = walk(file).problems
    assert (problem.path, problem.reason) == (
        "/refs",
        "references lead to 1 objects that have no path",
    )


def test_they_are_written_as_text(path, tmp_path):
    with h5py.File(path) as file:
        assert element_type(file["refs"].id.get_type()).zarr == "string"
