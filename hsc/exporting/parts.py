"""Parts: which files of a run a dataset's tree comes back as, and what becomes of each."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from hsc.errors import LayoutError
from hsc.exporting.nodes import Node, node_tree
from hsc.hdf5 import encode_name
from hsc.model import Gap
from hsc.reading import CarriedFile, OpenedDataset

_USERBLOCK = ".userblock"
_STACK = "hsc:stack"


@dataclass(frozen=True, slots=True)
class FilePart:
    """One HDF5 file of a run."""

    name: str
    """Its name in the run's folder."""
    root: Node
    """The node that becomes its root."""


@dataclass(frozen=True, slots=True)
class RunParts:
    """All that a run's folder had."""

    files: tuple[FilePart, ...]
    """HDF5 files."""
    carried: tuple[CarriedFile, ...]
    """Other files, byte for byte."""
    symlinks: Mapping[str, str]
    """Symbolic links: name to what it leads to."""
    userblocks: Mapping[str, CarriedFile]
    """User blocks, by the name of their file."""
    lost: tuple[Gap, ...] = ()
    """What has no place in the folder."""

    @property
    def single(self) -> bool:
        """Whether all of it is one file."""
        return len(self.files) + len(self.carried) == 1 and not self.symlinks


def is_decoded(dataset: OpenedDataset) -> bool:
    """Tell whether a dataset was made of a file that is no HDF5, which it carries as it was."""
    return _main_name(dataset) in dataset.files


def run_parts(dataset: OpenedDataset, *, as_hdf5: bool = False) -> RunParts:
    """Tell which files a dataset comes back as.

    Parameters
    ----------
    as_hdf5
        Whether what was decoded of another file becomes HDF5; else that file comes back.

    Raises
    ------
    LayoutError
        A name leads out of the folder.
    """
    root, main = node_tree(dataset), _main_name(dataset)
    if is_decoded(dataset):
        _check_name(main)
        if as_hdf5:
            return RunParts((FilePart(main, root),), (), {}, {})
        return RunParts((), (dataset.files[main],), {}, {})
    links: dict[str, str] = dict(root.attributes.get("hsc:symlinks", {}))
    lost: list[Gap] = []
    files = tuple(_forest(root)) or _with_linked(root, main, lost)
    names = {file.name for file in files}
    userblocks, carried = {}, []
    for name, held in dataset.files.items():
        of = name.removesuffix(_USERBLOCK)
        if name.endswith(_USERBLOCK) and of in names:
            userblocks[of] = held
        else:
            carried.append(held)
    for name in (*names, *(each.name for each in carried), *links, *links.values()):
        _check_name(name)
    return RunParts(files, tuple(carried), links, userblocks, tuple(lost))


def _forest(node: Node) -> Iterator[FilePart]:
    """Give the subtrees that stand for a file each."""
    name = node.attributes.get("hsc:file")
    if isinstance(name, str):
        yield FilePart(name, node)
        return
    for child in node.children.values():
        yield from _forest(child)


def _main_name(dataset: OpenedDataset) -> str:
    files = dataset.version.manifest.files
    return files[0] if files else "data.h5"


def _with_linked(root: Node, name: str, lost: list[Gap]) -> tuple[FilePart, ...]:
    """Give a file, the data files of its stack, and those that its external links lead to."""
    parts: dict[str, Node] = {name: root}
    for node in list(root.walk()):
        if _STACK in node.attributes and node.is_array:
            _add_stack(parts, node)
            if "hsc:virtual" not in node.attributes:  # the master file itself has none
                _forget(root, node)
    _add_linked(parts, root, name, lost)
    return tuple(FilePart(each, node) for each, node in parts.items())


def _forget(root: Node, node: Node) -> None:
    for parent in root.walk():
        parent.children = {w: child for w, child in parent.children.items() if child is not node}


def _add_stack(parts: dict[str, Node], stack: Node) -> None:
    for part in stack.attributes[_STACK]:
        root = parts.setdefault(part["file"], _group("/"))
        for path, attributes in sorted(part["groups"].items()):
            links = part["links"].get(path, {})
            more = {"hsc:links": links} if links else {}
            node = root if path == "/" else _reach(root, path)
            node.document = _document({**attributes, **more})
        start, stop = part["frames"]
        shape = [stop - start, *stack.document["shape"][1:]]
        held = {**part["attributes"], "hsc:hdf5": {**_part_facts(stack, shape), "shape": shape}}
        parent, _, word = part["path"].rpartition("/")
        frames = Node(part["path"], encode_name(word), {**stack.document, "shape": shape})
        frames.document = {**frames.document, "attributes": held}
        frames.stored, frames.rows = stack.path, (start, stop)
        _reach(root, parent).children[word] = frames


def _part_facts(stack: Node, shape: list[int]) -> dict[str, Any]:
    """Give what is known of the frames of one data file."""
    shown = stack.attributes.get("hsc:virtual")
    if shown is not None:
        # The stack's own facts are those of the master file's virtual dataset.
        told = {name: shown[name] for name in ("chunks", "filters") if name in shown}
        return {"dtype": stack.facts["dtype"], "storage": "chunked", **told}
    facts = dict(stack.facts)
    most = facts.get("maxshape", [0])[0]
    if most is not None and most < shape[0]:
        facts.pop("maxshape", None)
    return facts


def _add_linked(parts: dict[str, Node], node: Node, name: str, lost: list[Gap]) -> None:
    """Take up what external links lead to, in files of their own."""
    for group in list(node.walk()):
        for word, link in group.links.items():
            child = group.children.get(word)
            if child is None or "external" not in link:
                continue
            del group.children[word]
            of = _linked_name(name, link["file"])
            if of.startswith("../"):
                lost.append(Gap(path=child.path, reason=f"it lies outside of the run, in {of}"))
                continue
            root = parts.setdefault(of, _group("/"))
            steps = [step for step in link["external"].split("/") if step not in ("", ".")]
            target = "/" + "/".join(steps)
            if target == "/":
                root.children |= child.children
                root.document = child.document
            else:
                parent, _, last = target.rpartition("/")
                child.name = encode_name(last)
                _reach(root, parent).children[last] = child
            _add_linked(parts, child, of, lost)


def _linked_name(of: str, file: str) -> str:
    """Give the name in the run's folder of a file that an external link of another names."""
    # HDF5 looks for a name with a root beside the file as well.
    name = posixpath.basename(file) if posixpath.isabs(file) else file
    return posixpath.normpath(posixpath.join(posixpath.dirname(of), name))


def _reach(root: Node, path: str) -> Node:
    """Give the group at a path below a root, made where it is not there."""
    node, at = root, ""
    for word in path.strip("/").split("/") if path.strip("/") else ():
        at = f"{at}/{word}"
        node = node.children.setdefault(word, _group(at))
    return node


def _group(path: str) -> Node:
    return Node(path, encode_name(path.rpartition("/")[2]), _document({}))


def _document(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"node_type": "group", "attributes": dict(attributes)}


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    windows = os.name == "nt" and ("\\" in name or ":" in name)
    if not name or path.is_absolute() or ".." in path.parts or windows or "\0" in name:
        raise LayoutError(
            f"the dataset has a file named {name!r}, which leads out of the folder",
            next_step="open the dataset with hsc.open(pid) and take what is wanted of it",
        )
