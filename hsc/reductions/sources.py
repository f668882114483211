"""Datasets and arrays as far as reductions look at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hsc.errors import RoleMissingError
from hsc.model import Dataset


class SourceArray(Protocol):
    """An array of an opened dataset; cheap to pickle, reads by itself on a worker."""

    @property
    def path(self) -> str:
        """Where it stands in the tree."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each dimension."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Element type."""
        ...

    @property
    def chunks(self) -> tuple[int, ...]:
        """Shape of an inner chunk."""
        ...

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Plain JSON values, ``units`` among them."""
        ...

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Give rows [start, stop) of the first axis, checked and decoded."""
        ...

    def batches(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        rows: int,
        band: tuple[int, int] | None = None,
    ) -> Iterator[NDArray[Any]]:
        """Give the rows that `read` gives, at most so many at a time, in a buffer used again.

        It is the fastest way to go through a stack: checked and decoded by this thread alone,
        in bounded memory. A batch stands there until the next one is asked for. With a band, only
        places [first, end) along the second axis are given.
        """
        ...

    def unwritten(self) -> tuple[int, ...]:
        """Give the rows of the first axis that were not all written at the source."""
        ...

    def scalar(self) -> float | str:
        """Give the value of an array of one element."""
        ...


class SourceDataset(Protocol):
    """An opened dataset, as far as reductions look at it."""

    @property
    def record(self) -> Dataset:
        """The catalog's record."""
        ...

    @property
    def roles(self) -> Mapping[str, str]:
        """Role to array path."""
        ...

    def role(self, name: str) -> SourceArray:
        """Give the array for a role; RoleMissingError when there is none."""
        ...

    def placement(self, path: str) -> NDArray[np.float64]:
        """Give the matrices of a chain of ``depends_on``, lengths in m: (n, 4, 4)."""


_TOLD_ROLES = 20

SINGLE_PICTURES = (
    "give a dataset whose frames are single pictures; of modules, (frames, modules, rows, "
    "columns), hits takes the frames, and hsc.open(PID) gives each module to other programs"
)
"""What to do with frames of several modules, which have no place beside each other."""


def array_for(dataset: SourceDataset, role: str, why: str) -> SourceArray:
    """Give the array for a role.

    Raises
    ------
    RoleMissingError
        The dataset has none; the message says why it was wanted.
    """
    if role not in dataset.roles:
        raise RoleMissingError(
            f"no array has the role {role!r}, which {why}",
            where=str(dataset.record.pid),
            next_step=_instead(dataset, role),
        )
    return dataset.role(role)


def known_roles(dataset: SourceDataset) -> str:
    """Give the roles that a dataset has, as words; of very many the first."""
    every = sorted(dataset.roles)
    told = ", ".join(every[:_TOLD_ROLES]) or "none"
    return told + (f" and {len(every) - _TOLD_ROLES} more" if len(every) > _TOLD_ROLES else "")


def _instead(dataset: SourceDataset, role: str) -> str:
    """Say what to do about a role that is not there."""
    if role == "frames" and dataset.record.layout == "exfel":
        return (
            "it is a raw run of modules: correct it with `hsc reduce xfel_correct`, and take "
            "what comes of it"
        )
    return f"give a dataset that has it; the roles of this one are: {known_roles(dataset)}"
