"""Any HDF5 tree opens, whatever its names, lengths and claims about itself are."""

from __future__ import annotations

import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from hsc.model import Dataset, Kind, Pid, Way
from hsc.reading import open_dataset, open_tree
from hsc.store import ArraySpec, GroupSpec

WORDS = ["x", "y", "I", "I.0", "g", "g.I.0", "I_errors", "x_bins", "x_edges", "frame", ".", ".."]
name = st.sampled_from(WORDS)
arrays = st.dictionaries(name, st.lists(st.integers(0, 3), max_size=3), max_size=5)
claims = st.fixed_dictionaries(
    {"NX_class": st.just("NXdata")},
    optional={
        "signal": name | st.lists(name, max_size=2) | st.integers(0, 2),
        "axes": st.lists(name, max_size=3) | st.just("x:y") | st.none(),
        "x_indices": st.integers(-1, 3) | st.lists(st.integers(0, 2), max_size=3) | st.text(),
        "auxiliary_signals": st.lists(name, max_size=2),
        "default": name | st.just("/"),
        "hsc:links": st.dictionaries(
            name, st.sampled_from(["/x", "g", "..", "/g/I", "/nowhere"]).map(lambda p: {"soft": p})
        ),
    },
)
groups = st.dictionaries(
    st.lists(st.sampled_from(["g", "x", "h"]), max_size=3).map(tuple), st.tuples(arrays, claims)
)


def documents_of(tree):
    """Give the documents of a tree of groups, as its metadata would."""
    found = {"/": {**GroupSpec("/", "").document(), "attributes": {}, "key": ""}}
    for place, (held, said) in sorted(tree.items()):
        for depth in range(len(place) + 1):
            path = "/" + "/".join(place[:depth])
            if found.get(path, {"node_type": "group"})["node_type"] == "array":
                break
            group = GroupSpec(path, path[1:]).document()
            found.setdefault(path, {**group, "attributes": {}, "key": path[1:]})
        else:
            found[path]["attributes"] = said
            for name, shape in held.items():
                at = f"{path.rstrip('/')}/{name}"
                chunk = tuple(max(1, n) for n in shape)
                spec = ArraySpec(at, at[1:], tuple(shape), "float64", chunk, chunk, None, 0.0,
                                 Way.COMPUTED)  # fmt: skip
                document = {**spec.document(), "key": at[1:]}
                document["dimension_names"] = [f"{at[1:].replace('/', '.')}.{n}" for n in
                                               range(len(shape))]  # fmt: skip
                found.setdefault(at, document)
    return found


@settings(max_examples=60)
@given(tree=groups)
def test_any_tree_opens_with_every_array_in_its_shape(tree):
    record = Dataset(
        pid=Pid.generate("hsc.local"), kind=Kind.RAW, title="", facility="local", root="blake3:0",
        created="2026-11-22T10:00:00Z", layout="plain", location="file:///nowhere", bytes_in=0,
        bytes_out=0,
    )  # fmt: skip
    dataset = open_dataset(record)
    dataset.documents, dataset.roles, dataset.version = documents_of(tree), {}, None
    opened = open_tree(dataset)
    assert isinstance(opened, xr.DataTree)
    for path, document in dataset.documents.items():
        if document["node_type"] == "array":
            parent, _, name = path.rpartition("/")
            node = opened[parent] if parent else opened
            assert node.variables[name].shape == tuple(document["shape"])
            if name != ".":  # which is the group itself for HDF5
                assert opened.hsc.h5[path].shape == tuple(document["shape"])
    assert repr(opened)
    assert "DataTree" in repr(opened.hsc.xarray())
    plot = opened.hsc.default_plot()
    assert plot is None or plot.path in dataset.documents
