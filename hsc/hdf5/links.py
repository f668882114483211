"""Links: what a link of a group is, and where a path leads, link by link, within the roots."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from hsc.errors import SourceError
from hsc.hdf5.files import open_hdf5
from hsc.hdf5.names import decode_name, encode_name
from hsc.hdf5.roots import Roots
from hsc.hdf5.user_links import user_link_bytes

# HDF5's own limit of links on one path (H5Pset_nlinks).
_MOST_LINKS = 16


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a path leads; good while the context that gave it lasts."""

    node: Any
    """The group, dataset or named type; None when nothing is reached."""
    file: Path
    """Real path of the file in which it is."""
    path: str
    """Its path in that file, along hard links only; empty when there is no such file."""
    reason: str = ""
    """Why nothing is reached."""
    passed: tuple[Path, ...] = ()
    """Real paths of all files on the way, the last among them."""


def describe_link(group: h5py.Group, name: str) -> dict[str, str] | None:
    """Describe a link of a group as JSON; None for a hard link.

    ``{"soft": path}``, ``{"external": path, "file": name}``, or of a class that only its maker
    knows ``{"class": number, "hex": bytes}``.

    Raises
    ------
    OSError, KeyError, RuntimeError, TypeError, ValueError
        The link is damaged.
    """
    raw = encode_name(name)
    info = group.id.links.get_info(raw)
    if info.type == h5py.h5l.TYPE_HARD:
        return None
    if info.type == h5py.h5l.TYPE_SOFT:
        return {"soft": decode_name(group.id.links.get_val(raw))}
    if info.type == h5py.h5l.TYPE_EXTERNAL:
        file, target = group.id.links.get_val(raw)
        return {"external": decode_name(target), "file": decode_name(file)}
    return {"class": str(info.type), "hex": user_link_bytes(group, raw, int(info.type)).hex()}


def real_path(file: h5py.File) -> Path:
    """Give where a file lies, links of the file system followed."""
    return Path(os.path.realpath(os.fsdecode(file.filename)))


@contextmanager
def reached(file: h5py.File, path: str, roots: Roots) -> Iterator[Reached]:
    """Follow a path from a file's root group, through soft and external links below the roots."""
    with ExitStack() as stack:
        yield _follow(file, path, roots, stack)


@contextmanager
def reached_outside(of: Path, name: str, path: str, roots: Roots) -> Iterator[Reached]:
    """Follow an external link of the file ``of`` to ``path`` in the file that it names."""
    with ExitStack() as stack:
        file, reason = _opened(name, of, roots, stack)
        yield Reached(None, of, "", reason) if file is None else _follow(file, path, roots, stack)


def _follow(file: h5py.File, path: str, roots: Roots, stack: ExitStack) -> Reached:
    node: Any = file["/"]
    at, names, followed = "", encode_name(path).split(b"/")[::-1], 0
    here = real_path(file)
    passed = [here]

    def lost(reason: str) -> Reached:
        return Reached(None, here, at or "/", reason)

    while names:
        name = names.pop()
        if name in (b"", b"."):
            continue
        if not isinstance(node, h5py.Group) or not node.id.links.exists(name):
            return lost("is missing")
        link = describe_link(node, decode_name(name))
        if link is None:
            node, at = node[name], f"{at}/{decode_name(name)}"
            continue
        followed += 1
        if followed > _MOST_LINKS:
            return lost(f"lies behind more than {_MOST_LINKS} links")
        if "class" in link:
            return lost(f"lies behind a user-defined link of class {link['class']}")
        if "file" in link:
            opened, reason = _opened(link["file"], here, roots, stack)
            if opened is None:
                return lost(f"lies behind an external link to {link['file']}, which {reason}")
            file, here = opened, real_path(opened)
            passed.append(here)
        target = link.get("soft") or link.get("external", "")
        names += encode_name(target).split(b"/")[::-1]
        if "file" in link or target.startswith("/"):
            node, at = file["/"], ""
    return Reached(node, here, at or "/", passed=tuple(passed))


def _opened(name: str, of: Path, roots: Roots, stack: ExitStack) -> tuple[h5py.File | None, str]:
    path, reason = roots.find(name, of)
    if path is None:
        return None, reason
    try:
        return stack.enter_context(open_hdf5(path)), ""
    except SourceError as error:
        return None, f"can't be read: {error.message}"
