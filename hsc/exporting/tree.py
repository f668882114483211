"""A tree written as one HDF5 file: objects first, then links, values, and attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5g, h5p, h5t

from hsc.errors import RoleMissingError
from hsc.exporting.attributes import write_attributes
from hsc.exporting.failures import UNWRITABLE, end_unless_own
from hsc.exporting.leaves import ArrayLeaves
from hsc.exporting.links import link_settings, make_link
from hsc.exporting.nodes import Node
from hsc.exporting.ordering import keep_order, order_links
from hsc.exporting.references import made_reference
from hsc.exporting.shapes import Shape, dataset_shape, fill_of, is_plain_array
from hsc.exporting.storage import Filters, Storage, creation, keeping, kept_nbytes, plan_storage
from hsc.exporting.stored import StoredArray
from hsc.exporting.types import decoded_type, made_type
from hsc.exporting.values import row_blocks, write_chunks, write_elements
from hsc.exporting.virtual import Mapped, set_mappings, virtual_mappings
from hsc.hdf5 import encode_name, undefine_fill
from hsc.model import Gap
from hsc.reading import OpenedDataset


@dataclass(slots=True)
class Told:
    """What an export has to say of a file."""

    gaps: list[Gap] = field(default_factory=list)
    """What is not in the file, and why."""
    notes: list[Gap] = field(default_factory=list)
    """What is there, but not as it was."""


@dataclass(slots=True)
class _Made:
    """A dataset that was made and waits for its values."""

    node: Node
    identifier: Any
    shape: Shape
    storage: Storage
    stored: StoredArray | None
    virtual: bool = False
    kept_nbytes: int = 0


class TreeWriter:
    """Writes a node and all below it as a file's root.

    Parameters
    ----------
    file
        An empty file.
    dataset
        The dataset that is read.
    root, name
        The node that becomes the file's root, and the file's name in the run's folder.
    run
        Root of each file of the run, by name.
    filters
        What chunks are compressed with.
    pool, threads
        Where chunks are prepared.
    advance
        Is told the stored bytes that were written.
    """

    def __init__(
        self,
        file: h5py.File,
        dataset: OpenedDataset,
        root: Node,
        *,
        name: str,
        run: Mapping[str, Node],
        filters: Filters,
        pool: ThreadPoolExecutor,
        threads: int,
        advance: Callable[[int], None],
    ) -> None:
        self.told = Told()
        """What there is to say."""
        self._file, self._dataset, self._root, self._filters = file, dataset, root, filters
        self._name, self._run = name, run
        self._pool, self._threads, self._advance = pool, threads, advance
        self._places: dict[str, bytes] = {"/": b"/"}
        self._groups: list[tuple[Node, h5py.Group]] = []
        self._made: list[_Made] = []

    def run(self) -> None:
        """Write all of it."""
        self._make_groups(self._root, b"/")
        self._make_types()
        for node, place in list(self._datasets(self._root, b"/")):
            self._make(node, place)
        for node, group in self._groups:
            for word, link in node.links.items():
                reason = make_link(group, word, link, self._places)
                if reason:
                    self._gap(f"{self._words(node).rstrip('/')}/{word}", reason)
        for made in self._made:
            self._write(made)
            if made.kept_nbytes:  # HDF5 lets go of what it keeps when the dataset is closed
                made.identifier = None
                place = self._places[self._words(made.node)]
                made.identifier = h5d.open(self._file.id, place)
        for node, group in self._groups:
            self._attributes(node, group.id)
        for made in self._made:
            self._attributes(made.node, made.identifier)
        for node, group in self._groups:
            self._order(node, group)

    def _order(self, node: Node, group: h5py.Group) -> None:
        names = {word: child.name for word, child in node.children.items()}
        names |= {
            word: bytes.fromhex(link["name_hex"])
            for word, link in node.links.items()
            if "name_hex" in link
        }
        try:
            order_links(group, node.attributes, names)
        except UNWRITABLE as error:
            end_unless_own(error, self._file.filename)
            reason = f"its links are not in the order of their creation: {error}"
            self.told.notes.append(Gap(path=self._words(node), reason=reason))

    def _words(self, node: Node) -> str:
        """Give a node's path in the file, in words."""
        path = node.path.removeprefix(self._root.path.rstrip("/"))
        return path or "/"

    def _children(self, node: Node) -> Iterator[Node]:
        for word, child in node.children.items():
            # What an external link leads to is in its own file.
            if "external" not in node.links.get(word, {}):
                yield child

    def _make_groups(self, node: Node, place: bytes) -> None:
        waiting = [(node, place)]
        while waiting:
            node, place = waiting.pop()
            if place != b"/":
                ordered = keep_order(h5p.create(h5p.GROUP_CREATE), node.attributes)
                h5g.create(self._file.id, place, lcpl=link_settings(place), gcpl=ordered)
            self._places[self._words(node)] = place
            self._groups.append((node, self._file[place]))
            waiting += [
                (child, place.rstrip(b"/") + b"/" + child.name)
                for child in self._children(node)
                if not child.is_dataset
            ]

    def _datasets(self, node: Node, place: bytes) -> Iterator[tuple[Node, bytes]]:
        for child in self._children(node):
            below = place.rstrip(b"/") + b"/" + child.name
            if child.is_dataset:
                yield child, below
            else:
                yield from self._datasets(child, below)

    def _make_types(self) -> None:
        types: Mapping[str, Any] = self._root.attributes.get("hsc:types", {})
        for path, record in types.items():
            if self._outside(path):
                continue
            place = encode_name(path)
            try:
                made = decoded_type(record["h5t"])
                made.commit(self._file.id, place, lcpl=link_settings(place))
            except UNWRITABLE as error:
                end_unless_own(error, self._file.filename)
                self._gap(path, f"the named type can't be made: {error}")
                continue
            self._places[path] = place
            self._write_attributes(path, made, record.get("attributes", {}))

    def _outside(self, path: str) -> bool:
        """Tell whether a path lies behind an external link, and so in another file."""
        node: Node | None = self._root
        for word in path.strip("/").split("/"):
            if node is None:
                return False
            if "external" in node.links.get(word, {}):
                return True
            node = node.children.get(word)
        return False

    def _make(self, node: Node, place: bytes) -> None:
        try:
            made = self._created(node, place)
        except UNWRITABLE as error:
            end_unless_own(error, self._file.filename)
            self._gap(self._words(node), f"the dataset can't be made: {error}")
            return
        self._places[self._words(node)] = place
        self._made.append(made)

    def _created(self, node: Node, place: bytes) -> _Made:
        mappings = self._mappings(node)
        shape = dataset_shape(node, as_virtual=mappings is not None)
        type_id = self._type(node)
        plain = is_plain_array(node, type_id, shape)
        stored = self._stored(node) if plain else None
        if stored is not None and stored.cuts_chunks:  # of a stack whose chunks were joined
            stored = None
        storage = plan_storage(
            shape.facts, stored, shape.shape, type_id.get_size(), self._filters
        )  # fmt: skip
        properties = keep_order(creation(storage), node.attributes)
        if node.facts.get("fill") == "undefined":
            undefine_fill(properties)
        fill = fill_of(node, type_id)
        if fill is not None:
            properties.set_fill_value(fill)
        if mappings is not None:
            set_mappings(properties, mappings)
        space = shape.space(growing=storage.layout == "chunked" or mappings is not None)
        kept = kept_nbytes(storage, stored, shape.shape, type_id.get_size())
        identifier = h5d.create(
            self._file.id, place, type_id, space, dcpl=properties, lcpl=link_settings(place),
            dapl=keeping(kept),
        )  # fmt: skip
        for note in (storage.note, shape.note):
            if note:
                self.told.notes.append(Gap(path=self._words(node), reason=note))
        return _Made(node, identifier, shape, storage, stored, mappings is not None, kept)

    def _mappings(self, node: Node) -> list[Mapped] | None:
        if node.facts.get("storage") != "virtual":
            return None
        shape = tuple(node.facts.get("shape", node.document.get("shape", ())))
        return virtual_mappings(node, shape, self._name, self._run)

    def _stored(self, node: Node) -> StoredArray:
        return StoredArray(self._dataset, node.stored or node.path, node.rows)

    def _type(self, node: Node) -> Any:
        named = node.attributes.get("hsc:named_type")
        if named and named in self._places:
            return h5t.open(self._file.id, self._places[named])
        otherwise = str(node.document.get("data_type", "uint8"))
        return made_type(node.facts, otherwise)

    def _write(self, made: _Made) -> None:
        if made.virtual or made.shape.null or 0 in made.shape.shape:
            return
        words = self._words(made.node)
        if made.stored is not None:
            lacking = made.stored.gaps
            if lacking:
                told = f"{len(lacking)} of its chunks are gaps, the first at {lacking[0]}"
                self._gap(words, told)
            write_chunks(
                made.identifier, made.stored, made.storage, self._pool, self._threads, self._advance
            )
            return
        leaves = ArrayLeaves(self._dataset, made.node.stored or made.node.path, made.node.rows)
        try:
            blocks = self._blocks(made)
            resolve = self._resolver(words)
            gaps = write_elements(made.identifier, made.shape.shape, leaves, resolve, blocks)
        except RoleMissingError as error:  # a column that was a gap of its own
            self._gap(words, f"its values can't be written: {error.message}")
        except UNWRITABLE as error:
            end_unless_own(error, self._file.filename)
            self._gap(words, f"its values can't be written: {error}")
        else:
            for gap in gaps[:1]:
                self._gap(words, f"{len(gaps)} blocks of its rows: {gap.message}, {gap.where}")

    def _blocks(self, made: _Made) -> Iterator[tuple[int, int]]:
        """Give blocks of rows that hold data."""
        node, shape = made.node, made.shape.shape
        if not shape:
            return
        step, written = 1, np.ones(shape[0], np.bool_)
        if node.is_array:
            stored = self._stored(node)
            step = stored.chunks[0]
            written = np.repeat(stored.rows_with_data(), step)[: shape[0]]
        for start, stop in row_blocks(shape, made.identifier.get_type().get_size(), step):
            if written[start:stop].any():
                yield start, stop

    def _attributes(self, node: Node, identifier: Any) -> None:
        self._write_attributes(self._words(node), identifier, node.attributes)

    def _write_attributes(self, words: str, node: Any, attributes: Mapping[str, Any]) -> None:
        def tell(name: str, reason: str) -> None:
            self._gap(f"{words}@{name}", reason)

        write_attributes(node, attributes, self._dataset, self._resolver(f"{words}@"), tell)

    def _resolver(self, where: str) -> Callable[[str, bool], Any]:
        def resolve(words: str, region: bool) -> Any:
            found = made_reference(self._file, words, region, self._places)
            if found is not None:
                return found
            reason = f"a reference to {words!r}, which is not in the file: null"
            if Gap(path=where, reason=reason) not in self.told.notes:
                self.told.notes.append(Gap(path=where, reason=reason))
            return h5py.RegionReference() if region else h5py.Reference()

        return resolve

    def _gap(self, path: str, reason: str) -> None:
        self.told.gaps.append(Gap(path=path, reason=reason))
