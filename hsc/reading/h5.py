"""An opened dataset by HDF5 paths, read only, for people who know h5py: ``tree.hsc.h5``."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hsc.errors import DependencyMissingError, PathMissingError
from hsc.reading.h5_attributes import H5Attributes
from hsc.reading.h5_dataset import H5Dataset
from hsc.reading.opened import OpenedDataset
from hsc.reading.paths import Reached, TreePaths
from hsc.reading.regions import Gaps

_MADE_OF_OTHERS = ("hsc:compound", "hsc:ragged")


@dataclass(frozen=True, slots=True)
class H5HardLink:
    """A link that is the object itself, or one of several names of it."""


@dataclass(frozen=True, slots=True)
class H5SoftLink:
    """A link by path."""

    path: str
    """Where it leads, as it stands in the file."""


@dataclass(frozen=True, slots=True)
class H5ExternalLink:
    """A link into another file."""

    filename: str
    """The file, as it is named."""
    path: str
    """Where it leads there."""


@dataclass(frozen=True, slots=True)
class H5UserLink:
    """A link that only the program understands that made it."""

    number: int
    """Its class."""
    value: bytes
    """What it says."""


H5Link = H5HardLink | H5SoftLink | H5ExternalLink | H5UserLink


class H5Datatype:
    """A named type.

    Parameters
    ----------
    name
        Its path.
    record
        What is kept of it.
    read
        Reads an array of the tree.
    """

    def __init__(self, name: str, record: Mapping[str, Any], read: Callable[[str], Any]) -> None:
        self.name = name
        self.attrs = H5Attributes(record.get("attributes", {}), read)
        self._encoded = bytes.fromhex(record["h5t"])

    @property
    def dtype(self) -> Any:
        """NumPy's type.

        Raises
        ------
        DependencyMissingError
            Only HDF5 itself can read it, and h5py is not installed.
        """
        try:
            from h5py import h5t
        except ImportError as error:
            raise DependencyMissingError(
                "a named type can be read by h5py alone",
                where=self.name,
                next_step="pip install h5py; datasets of that type can be read without",
            ) from error
        return h5t.decode(self._encoded).dtype

    def __repr__(self) -> str:
        return f'<HDF5 named type "{self.name.rpartition("/")[2]}">'


class H5Group(Mapping[str, Any]):
    """A group, as h5py shows it: ``group["data/frames"][0]``, ``.attrs``, ``.keys()`` ...

    Parameters
    ----------
    dataset
        The dataset that it is in.
    name
        Its path.
    paths
        The paths of the tree.
    gaps
        What gaps read as.
    """

    def __init__(
        self, dataset: OpenedDataset, name: str, paths: TreePaths, gaps: Gaps = "raise"
    ) -> None:
        self._dataset, self._paths, self._gaps = dataset, paths, gaps
        self.name = name

    def __getitem__(self, name: str | bytes) -> Any:
        """Give what a path leads to, through soft, hard and external links.

        Raises
        ------
        PathMissingError
            Nothing is there, or a link on the way leads out of the dataset.
        """
        return self._open(self._paths.resolve(_text(name), self.name))

    def __contains__(self, name: object) -> bool:
        try:
            self._paths.resolve(_text(name), self.name)  # type: ignore[arg-type]
        except PathMissingError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f'<HDF5 group "{self.name}" ({len(self)} members)>'

    def values(self) -> ValuesView[Any]:
        """Give what is in the group; None for links that lead nowhere, as h5py does."""
        return {name: self.get(name) for name in self}.values()

    def items(self) -> ItemsView[str, Any]:
        """Give names and what is there; None for links that lead nowhere, as h5py does."""
        return {name: self.get(name) for name in self}.items()

    def get(
        self, name: str, default: Any = None, getclass: bool = False, getlink: bool = False
    ) -> Any:
        """Give what a path leads to, its class, or the link itself.

        Parameters
        ----------
        name
            The path.
        default
            What is given when nothing is there.
        getclass
            Whether to give the class: `H5Group`, `H5Dataset`, `H5Datatype`, or that of the link.
        getlink
            Whether to give the link instead of what it leads to.
        """
        try:
            found = self._link(name) if getlink else self[name]
        except PathMissingError:
            return default
        return type(found) if getclass else found

    def visititems(self, visit: Callable[[str, Any], Any]) -> Any:
        """Call a function with name and object of all that hard links lead to, each object once.

        It ends with the first result that is not None, and gives that.
        """
        seen = {self.name}
        waiting = [(name, self.name) for name in reversed(self._names)]
        while waiting:
            name, group = waiting.pop()
            if not isinstance(self._link(name.rpartition("/")[2], group), H5HardLink):
                continue
            found = self._open(self._paths.resolve(name.rpartition("/")[2], group))
            if found.name in seen:
                continue
            seen.add(found.name)
            result = visit(name, found)
            if result is not None:
                return result
            if isinstance(found, H5Group):
                waiting += [(f"{name}/{below}", found.name) for below in reversed(list(found))]
        return None

    def visit(self, visit: Callable[[str], Any]) -> Any:
        """Call a function with the name of all that hard links lead to: see `visititems`."""
        return self.visititems(lambda name, _: visit(name))

    @property
    def attrs(self) -> H5Attributes:
        """Attributes, as h5py gives them."""
        return H5Attributes(self._paths.attributes(self.name), self._read)

    @property
    def file(self) -> H5Group:
        """The root."""
        return self._group("/")

    @property
    def parent(self) -> H5Group:
        """The group that it is in."""
        return self._group(self.name.rpartition("/")[0] or "/")

    @cached_property
    def _names(self) -> list[str]:
        return self._paths.names(self.name)

    def _read(self, path: str) -> Any:
        return self._dataset.array(path).read()

    def _open(self, reached: Reached) -> Any:
        path = reached.path
        if path in self._paths.types:
            return H5Datatype(path, self._paths.types[path], self._read)
        attributes = self._paths.attributes(path)
        if self._paths.is_array(path) or any(key in attributes for key in _MADE_OF_OTHERS):
            parent = self._group(path.rpartition("/")[0] or "/")
            return H5Dataset(self._dataset, path, reached.rows, parent, self._gaps)
        return self._group(path)

    def _group(self, path: str) -> H5Group:
        return H5Group(self._dataset, path, self._paths, self._gaps)

    def _link(self, name: str, group: str | None = None) -> H5Link:
        """Give the last link of a path."""
        above, _, last = name.rstrip("/").rpartition("/")
        start = "/" if name.startswith("/") and not above else above
        base = self._paths.resolve(start, group or self.name).path
        told = self._paths.links(base).get(last)
        if told is None:
            self._paths.resolve(last or ".", base)
            return H5HardLink()
        if "soft" in told:
            return H5SoftLink(told["soft"])
        if "external" in told:
            return H5ExternalLink(told["file"], told["external"])
        if "class" in told:
            return H5UserLink(int(told["class"]), bytes.fromhex(told.get("hex", "")))
        return H5HardLink()


def open_h5(dataset: OpenedDataset, paths: TreePaths, gaps: Gaps = "raise") -> H5Group:
    """Open a dataset's root group as h5py would its file's."""
    return H5Group(dataset, "/", paths, gaps)


def _text(name: str | bytes) -> str:
    return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
