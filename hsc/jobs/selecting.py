"""Selecting parts of a dataset by the paths that people know them by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hsc.errors import RoleMissingError
from hsc.reading import OpenedDataset
from hsc.store import DATA, FILES, ObjectEntry


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a version: what readers always need, and what can be left out."""

    always: tuple[ObjectEntry, ...]
    """Metadata, packs, previews, the crate."""
    arrays: dict[str, tuple[ObjectEntry, ...]]
    """Objects of each array, by its path; what lies in packs is not among them."""
    files: dict[str, tuple[ObjectEntry, ...]]
    """Objects of each carried file, by its name after ``files/``."""

    def chosen(self, select: Iterable[str]) -> set[str]:
        """Give the names of the arrays and files at or below some paths; all, when none is given.

        Raises
        ------
        RoleMissingError
            There is nothing at a path.
        """
        names = [*self.arrays, *self.files]
        found: set[str] = set()
        asked = list(select)
        for path in asked:
            wanted = path.strip("/")
            below = {n for n in names if _below(n.strip("/"), wanted)}
            if not below:
                raise RoleMissingError(
                    f"there is no array and no file at or below {path!r}",
                    next_step="`hsc show` lists the arrays; write one like /entry/data/data, a "
                    "file like files/notes.txt",
                )
            found |= below
        return found if asked else set(names)

    def entries(self, names: set[str]) -> list[ObjectEntry]:
        """Give the objects of some arrays and files, and what readers always need."""
        parts = {**self.arrays, **self.files}
        return [*self.always, *(entry for name in parts if name in names for entry in parts[name])]


def read_parts(dataset: OpenedDataset) -> Parts:
    """Find which objects of a dataset belong to which array or file."""
    keys = {
        node["key"]: path
        for path, node in dataset.documents.items()
        if node["node_type"] == "array"
    }
    arrays: dict[str, list[ObjectEntry]] = {path: [] for path in keys.values()}
    always = []
    for entry in dataset.version.manifest.entries:
        if entry.absent or entry.packed or entry.key.startswith(f"{FILES}/"):
            continue
        path = keys.get(_array_key(entry.key))
        if path is None:
            always.append(entry)
        else:
            arrays[path].append(entry)
    files = {
        f"{FILES}/{name}": tuple(each for each in carried.entries if not each.absent)
        for name, carried in dataset.files.items()
    }
    return Parts(tuple(always), {path: tuple(own) for path, own in arrays.items()}, files)


def _array_key(key: str) -> str:
    """Give the stored path of the array that an object holds chunks of; no path for another."""
    if not key.startswith(f"{DATA}/") or key.endswith("/zarr.json"):
        return "\0"
    # The chunks of an array lie in its folder c; that of a scalar is called c itself.
    path = key.removeprefix(f"{DATA}/")
    if path.endswith("/c"):
        return path.removesuffix("/c")
    parts = path.split("/")
    last = max((n for n, part in enumerate(parts) if part == "c"), default=None)
    return "\0" if last is None else "/".join(parts[:last])


def _below(name: str, wanted: str) -> bool:
    return not wanted or name == wanted or name.startswith(f"{wanted}/")
