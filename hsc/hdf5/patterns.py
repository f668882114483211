"""Patterns of names: the sources that a virtual dataset numbers with ``%b``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import h5py

from hsc.hdf5.links import reached_outside
from hsc.hdf5.names import decode_name
from hsc.hdf5.roots import Roots

_STEP = re.compile("%(.)")


def plain_name(name: str, number: int | None = None) -> str:
    """Put a block's number into a name; ``%%`` is one percent sign."""
    return _STEP.sub(lambda m: str(number) if m[1] == "b" else "%" if m[1] == "%" else m[0], name)


def names_of(
    name: str, path: str, of: Path, roots: Roots
) -> tuple[list[tuple[int, str, str]], list[str]]:
    """Give the sources of a pattern of names.

    HDF5 counts from 0 and stops at the first that is not there, whatever comes after.

    Returns
    -------
    sources
        Number, file and path of each.
    reasons
        Which sources are missing: one before others, or the very first.
    """
    found = list(_counted(name, path, of, roots))
    later = {n for n in _numbers(name, path, of, roots) if n > len(found)}
    if found and not later:
        return found, []
    missing = f"its source {plain_name(name, len(found))}:{plain_name(path, len(found))} is missing"
    after = f", but number {max(later)} is there" if later else ""
    return found, [missing + after]


def _counted(name: str, path: str, of: Path, roots: Roots) -> Iterator[tuple[int, str, str]]:
    number = 0
    while True:
        file, target = plain_name(name, number), plain_name(path, number)
        if file != ".":
            there, reason = roots.find(file, of)
            if there is None and reason == "is missing":
                return
        with reached_outside(of, of.name if file == "." else file, target, roots) as place:
            if place.reason == "is missing":
                return
        yield number, file, target
        number += 1


def _numbers(name: str, path: str, of: Path, roots: Roots) -> Iterator[int]:
    """Give the numbers of files, or of links of a group, that fit the pattern."""
    folder, _, last = name.rpartition("/")
    if "%b" in last.replace("%%", ""):
        where = Path(os.path.realpath(of.parent / folder))
        if any(where.is_relative_to(root) for root in roots.folders) and where.is_dir():
            yield from _fitting(last, (entry.name for entry in where.iterdir()))
        return
    group, _, last = path.rpartition("/")
    if "%b" in folder.replace("%%", "") or "%b" in group.replace("%%", ""):
        return
    file = of.name if name == "." else plain_name(name)
    with reached_outside(of, file, plain_name(group), roots) as place:
        if isinstance(place.node, h5py.Group):
            yield from _fitting(last, map(decode_name, place.node))


def _fitting(pattern: str, names: Iterable[str]) -> Iterator[int]:
    steps = re.findall("%b|%%|%|[^%]+", pattern)
    shown = ("%" if step == "%%" else step for step in steps)
    first = iter(["([0-9]+)"])
    fits = re.compile("".join(next(first, r"\1") if s == "%b" else re.escape(s) for s in shown))
    for name in names:
        match = fits.fullmatch(name)
        # HDF5 writes numbers without zeros before them.
        if match and match[1] == str(int(match[1])):
            yield int(match[1])
