"""Nodes: the HDF5 objects that a dataset's Zarr tree stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hsc.hdf5 import encode_name
from hsc.reading import OpenedDataset


@dataclass(slots=True)
class Node:
    """A group or dataset of HDF5."""

    path: str
    """True path in the dataset's tree, in words."""
    name: bytes
    """Its name, as it stood in the file."""
    document: Mapping[str, Any]
    """Its Zarr metadata."""
    children: dict[str, Node] = field(default_factory=dict)
    """Nodes below a group, by name in words; a dataset has none."""
    stored: str = ""
    """Path of the array that holds it; empty: ``path``."""
    rows: tuple[int, int] | None = None
    """Which rows of that array are its own: the first, and the one after the last; None: all."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Attributes as JSON, those of hsc among them."""
        found: Mapping[str, Any] = self.document["attributes"]
        return found

    @property
    def is_array(self) -> bool:
        """Whether one Zarr array stands for it."""
        return bool(self.document["node_type"] == "array")

    @property
    def is_dataset(self) -> bool:
        """Whether it is a dataset of HDF5, of one array or of several."""
        made_of_others = "hsc:compound" in self.attributes or "hsc:ragged" in self.attributes
        return self.is_array or made_of_others

    @property
    def facts(self) -> Mapping[str, Any]:
        """What ``hsc:hdf5`` says of a dataset."""
        found: Mapping[str, Any] = self.attributes.get("hsc:hdf5", {})
        return found

    @property
    def links(self) -> Mapping[str, Mapping[str, str]]:
        """Links of a group that are no children of their own."""
        found: Mapping[str, Mapping[str, str]] = self.attributes.get("hsc:links", {})
        return found

    def walk(self) -> Iterator[Node]:
        """Give this node and all below it, each before its children."""
        yield self
        for child in self.children.values():
            yield from child.walk()


def node_tree(dataset: OpenedDataset) -> Node:
    """Give the root of a dataset's tree, without what hsc keeps there for itself."""
    documents = dataset.documents
    root = Node("/", b"", documents["/"])
    nodes = {"/": root}
    spilled = {_top(path) for path in _spilled(documents)}
    for path in sorted(documents, key=lambda each: (each.count("/"), each)):
        parent_path, _, word = path.rpartition("/")
        parent = nodes.get(parent_path or "/")
        if path == "/" or parent is None or parent.is_dataset or _top(path) in spilled:
            continue
        told = documents[path]["attributes"].get("hsc:name_hex")
        name = bytes.fromhex(told) if told else encode_name(word)
        nodes[path] = parent.children[word] = Node(path, name, documents[path])
    return root


def _top(path: str) -> str:
    return path.split("/")[1]


def _spilled(documents: Mapping[str, Any]) -> Iterator[str]:
    """Give the paths of the arrays that large attributes became."""
    for document in documents.values():
        for value in document["attributes"].values():
            if isinstance(value, dict) and isinstance(value.get("$array"), str):
                yield value["$array"]
