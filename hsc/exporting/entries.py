"""NXcanSAS entries that a dataset's own tree holds, as a file of their own."""

from __future__ import annotations

import os
from dataclasses import replace

from hsc.exporting.files import new_file
from hsc.exporting.hdf5 import write_file
from hsc.exporting.nodes import Node, node_tree
from hsc.exporting.parts import FilePart
from hsc.reading import OpenedDataset


def has_entries(dataset: OpenedDataset) -> bool:
    """Tell whether a dataset's tree holds NXcanSAS entries."""
    return bool(_entries(node_tree(dataset)).children)


def write_entries(
    path: str | os.PathLike[str], dataset: OpenedDataset, *, overwrite: bool = False
) -> None:
    """Write the NXcanSAS entries of a dataset; the file appears whole or not at all.

    What stands beside them, and below them without a class of NXcanSAS, stays behind: readers
    like SasView's take every array that they do not know for a comment, number by number. The
    run of each entry is the dataset's PID, which its own tree can't know.

    Parameters
    ----------
    path
        The file to make.
    dataset
        The dataset that is read.
    overwrite
        Replace a file that is there.

    Raises
    ------
    ObjectExistsError
        A file is there and ``overwrite`` is False.
    DamageError
        Bytes of the dataset are missing or not those that were written.
    """
    # h5py is not part of a laptop's installation.
    import h5py

    root = _entries(node_tree(dataset))
    run = f"{dataset.record.pid}@{dataset.record.version}"
    with new_file(path, overwrite=overwrite) as beside:
        write_file(beside, dataset, FilePart("", root))
        with h5py.File(beside, "r+") as file:
            for name, entry in root.children.items():
                if "run" in entry.children:
                    file[f"{name}/run"][()] = run


def _entries(root: Node) -> Node:
    found = {
        word: _classed(child)
        for word, child in root.children.items()
        if child.attributes.get("canSAS_class") == "SASentry"
    }
    return replace(root, children=found)


def _classed(node: Node) -> Node:
    """Give a group with its arrays and the groups below it that NXcanSAS knows."""
    kept = {
        word: child if child.is_dataset else _classed(child)
        for word, child in node.children.items()
        if child.is_dataset or "canSAS_class" in child.attributes
    }
    return replace(node, children=kept)
