"""Paths: where an HDF5 path leads in an opened dataset, links followed as HDF5 follows them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hsc.errors import PathMissingError

# HDF5's own limit of links on one path (H5Pset_nlinks) is 16; chains of hard links add to it here.
_MOST_LINKS = 64
_RESERVED = re.compile(r"/\.hsc_*")


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a path leads."""

    path: str
    """True path of the group, array or named type."""
    rows: tuple[int, int] | None = None
    """First row and the one after the last, when it leads to a part of a DECTRIS stack."""


class TreePaths:
    """The paths of a tree: what is below each group, and where links lead.

    Parameters
    ----------
    documents
        Zarr metadata of every group and array, by true path.
    """

    def __init__(self, documents: Mapping[str, dict[str, Any]]) -> None:
        self._documents = documents

    def attributes(self, path: str) -> Mapping[str, Any]:
        """Give the attributes of a node as JSON; none for a named type."""
        document = self._documents.get(path)
        return document["attributes"] if document else {}

    def links(self, group: str) -> Mapping[str, dict[str, Any]]:
        """Give the links of a group that are no child of its own, by name."""
        links: Mapping[str, dict[str, Any]] = self.attributes(group).get("hsc:links", {})
        return links

    @cached_property
    def types(self) -> Mapping[str, dict[str, Any]]:
        """Named types by path."""
        types: Mapping[str, dict[str, Any]] = self.attributes("/").get("hsc:types", {})
        return types

    @cached_property
    def spilled(self) -> str:
        """Path of the group with attributes too large for metadata, which no file had; or empty."""
        if not any(_RESERVED.fullmatch(path) for path in self._documents):
            return ""
        kept = (
            value["$array"]
            for document in self._documents.values()
            for value in document["attributes"].values()
            if isinstance(value, dict) and "$array" in value
        )
        first: str = next(kept, "")
        return first[: first.find("/", 1)]

    @cached_property
    def _below(self) -> dict[str, dict[str, None]]:
        found: dict[str, dict[str, None]] = {}
        for path in (*self._documents, *self.types):
            if path not in ("/", self.spilled):
                parent, _, name = path.rpartition("/")
                found.setdefault(parent or "/", {})[name] = None
        return found

    def names(self, group: str) -> list[str]:
        """Give the names in a group, sorted by their bytes as HDF5 does: children and links."""
        found = {**self._below.get(group, {}), **dict.fromkeys(self.links(group))}
        return sorted(found, key=lambda name: name.encode("utf-8", "surrogateescape"))

    def is_array(self, path: str) -> bool:
        """Tell whether an array stands at a true path."""
        document = self._documents.get(path)
        return document is not None and document["node_type"] == "array"

    def resolve(self, path: str, base: str = "/") -> Reached:
        """Follow a path, absolute or from a group, through soft, hard and external links.

        Raises
        ------
        PathMissingError
            Nothing is there: no such name, a link that dangles or turns in a circle, or one into
            a file that is not part of the dataset.
        """
        at = "/" if path.startswith("/") else base
        steps, rows, followed = path.split("/")[::-1], None, 0
        while steps:
            name = steps.pop()
            if name in ("", "."):
                continue
            child = f"{at.rstrip('/')}/{name}"
            if child in self._documents or child in self.types:
                at = child
                continue
            link = self.links(at).get(name)
            followed += 1
            if link is None or followed > _MOST_LINKS or rows is not None:
                raise self._missing(path, child, link)
            target, rows = self._target(at, child, link, path)
            steps += target.split("/")[::-1]
            at = "/" if target.startswith("/") else at
        return Reached(at, rows)

    def _target(
        self, group: str, child: str, link: Mapping[str, Any], path: str
    ) -> tuple[str, tuple[int, int] | None]:
        """Give the path in the tree that a link names, relative to its group when it is so."""
        if "soft" in link:
            soft: str = link["soft"]
            return (self._in_file(group, soft, path) if soft.startswith("/") else soft), None
        if "hard" in link:
            return self._root(group)[0] + link["hard"], None
        if "at" in link:
            return self._root(group)[0] + link["at"], None
        if "external" in link:
            part = self._stacks.get((link["file"], f"/{link['external'].strip('/')}"))
            if part is not None:
                return part
            _, file = self._root(group)
            for name in _candidates(file, link["file"]) if file else ():
                if self.attributes(name).get("hsc:file"):
                    return f"{name}/{link['external']}", None
        raise self._missing(path, child, link)

    def _root(self, path: str) -> tuple[str, str]:
        """Give where the file begins that a node was in, and its name: empty for one file alone."""
        here = path
        while here not in ("", "/"):
            file = self.attributes(here).get("hsc:file")
            if file:
                return here, file
            here = here.rpartition("/")[0]
        return "", ""

    def _in_file(self, group: str, target: str, path: str) -> str:
        """Give where an absolute path of the file that a group was in stands in the tree."""
        here = group
        while here not in ("", "/"):
            if "hsc:file" in self.attributes(here):
                return f"{here}{target}"
            parent, _, name = here.rpartition("/")
            outer = self.links(parent or "/").get(name, {})
            if "external" in outer:
                # What an external link led to stands under the link; its file has other roots.
                origin = f"/{outer['external'].strip('/')}"
                if target == origin or target.startswith(f"{origin.rstrip('/')}/"):
                    return f"{here}/{target[len(origin) :]}"
                raise self._missing(path, target, outer)
            here = parent
        return target

    @cached_property
    def _stacks(self) -> dict[tuple[str, str], tuple[str, tuple[int, int]]]:
        """Give, by file and path, which rows of a stack a data file became."""
        found = {}
        for path, document in self._documents.items():
            for part in document["attributes"].get("hsc:stack", ()):
                first, end = part["frames"]
                found[part["file"], part["path"]] = (path, (int(first), int(end)))
        return found

    def _missing(self, path: str, at: str, link: Mapping[str, Any] | None) -> PathMissingError:
        if link is None:
            return PathMissingError(f"there is nothing at {at}", where=path)
        told = ", ".join(f"{kind} {value}" for kind, value in link.items())
        return PathMissingError(
            f"the link {at} leads nowhere in this dataset: {told}",
            where=path,
            next_step="`tree.hsc.h5[...].get(name, getlink=True)` gives the link itself",
        )


def _candidates(file: str, target: str) -> tuple[str, str]:
    """Give where the subtree of a file may stand that a link in ``file`` names."""
    folder = posixpath.dirname(file)
    beside = posixpath.join(folder, posixpath.basename(target))
    return f"/{posixpath.normpath(posixpath.join(folder, target)).strip('/')}", f"/{beside}"
