"""A file that remembers in which order things were made has that in its notes."""

from __future__ import annotations

import h5py
import pytest

from hsc.hdf5 import walk
from hsc.hdf5.creation_order import ORDER_KEY


@pytest.fixture
def tree(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w", track_order=True) as file:
        for name in ("z", "a", "m"):
            file[name] = 1
        file["link"] = h5py.SoftLink("/nowhere")
        plain = file.create_group("plain", track_order=False)
        plain.attrs["x"] = 1
        made = file.create_dataset("data", data=[1, 2], track_order=True)
        for name in (b"q", b"b\xff", b"hsc:x"):
            made.attrs[name] = 1
        created = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
        created.set_link_creation_order(h5py.h5p.CRT_ORDER_TRACKED)
        h5py.h5g.create(file.id, b"tracked", gcpl=created)
    with h5py.File(tmp_path / "a.h5") as file:
        return walk(file)


def test_links_and_attributes_stand_in_the_order_of_their_making(tree):
    notes = {node.path: node.attributes.get(ORDER_KEY) for node in (*tree.groups, *tree.datasets)}
    assert notes["/"]["links"] == "indexed"
    assert notes["/"]["link_names"] == ["z", "a", "m", "link", "plain", "data", "tracked"]
    assert notes["/data"]["attributes"] == "indexed"
    assert notes["/data"]["attribute_names"] == ["q", "b%FF", "%68sc:x"]
    assert notes["/tracked"] == {"links": "tracked", "link_names": []}


def test_a_file_that_keeps_no_order_has_no_note(tree):
    (plain,) = (group for group in tree.groups if group.path == "/plain")
    assert ORDER_KEY not in plain.attributes
    assert set(plain.attributes) == {"x"}
