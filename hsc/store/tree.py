"""A tree of new groups and arrays in memory, as reductions hand it to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A group to be made."""

    path: str
    """Where, with a leading slash; ``/`` is the root."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Attributes that JSON can hold."""


@dataclass(frozen=True, slots=True)
class NewArray:
    """An array to be written whole."""

    path: str
    """Where, with a leading slash."""
    values: NDArray[np.generic]
    """The values: numbers, booleans or text (dtype ``U`` or object of ``str``)."""
    dimension_names: tuple[str, ...]
    """One name for each dimension; the same name means the same axis."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Attributes that JSON can hold; ``units`` among them where there is a unit."""
    chunks: tuple[int, ...] | None = None
    """Shape of an inner chunk; None: chosen by size."""


@dataclass(frozen=True, slots=True)
class NewTree:
    """All groups and arrays of a dataset to be written; missing parent groups are made."""

    groups: tuple[NewGroup, ...] = ()
    """Groups that carry attributes."""
    arrays: tuple[NewArray, ...] = ()
    """All arrays."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """What an array is for, to its path: becomes ``hsc:roles`` on the root."""
