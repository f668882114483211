"""The seams to a catalog: who may tell it something, who may ask it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, Self

from hsc.model import (
    Activity,
    ActivityState,
    Dataset,
    Edge,
    Lineage,
    Pid,
    Query,
    Replica,
    SearchResult,
)


class Registrar(Protocol):
    """Takes records in."""

    def register(self, dataset: Dataset, activity: Activity, edges: Sequence[Edge]) -> None:
        """Keep a dataset, the activity that made it and their edges, all or nothing.

        Registering the same version with the same root again changes nothing.

        Raises
        ------
        ConflictError
            The version is there with another root.
        CatalogUnavailableError
            The catalog can't be written.
        """
        ...

    def record(self, activity: Activity) -> None:
        """Keep an activity as it now stands, in place of what was known of it.

        Raises
        ------
        CatalogUnavailableError
            The catalog can't be written.
        """
        ...

    def register_replica(self, pid: Pid, replica: Replica, activity: Activity) -> None:
        """Keep how a replica of a version now stands, and the activity that says so.

        What was known of the same location is replaced; the version is the one that the PID
        names, else the newest.

        Raises
        ------
        DatasetNotFoundError
            There is no such version; nothing was kept.
        CatalogUnavailableError
            The catalog can't be written.
        """
        ...


class Finder(Protocol):
    """Answers questions."""

    def get(self, pid: Pid) -> Dataset:
        """Give a dataset: the version that the PID names, else the newest.

        Raises
        ------
        DatasetNotFoundError
            There is none.
        """
        ...

    def replicas(self, pid: Pid) -> Sequence[Replica]:
        """List where a version lies: first the place where it was made, then the others by age.

        The version is the one that the PID names, else the newest. The first is there without
        having been registered: online since the dataset was made.

        Raises
        ------
        DatasetNotFoundError
            There is no such version.
        """
        ...

    def search(self, query: Query) -> SearchResult:
        """Find the newest version of each dataset that matches, newest first."""
        ...

    def lineage(self, pid: Pid, *, up: bool, down: bool, depth: int) -> Lineage:
        """Walk the provenance edges from a dataset, at most ``depth`` activities away.

        ``up`` goes to what it came from, ``down`` to what came of it.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        """
        ...

    def activities(
        self, *, state: ActivityState | None = None, since: datetime | None = None, limit: int = 100
    ) -> Sequence[Activity]:
        """List activities, newest first."""
        ...


class Catalog(Registrar, Finder, Protocol):
    """A catalog that can be told and asked; use it in a ``with`` block or close it."""

    url: str
    """Where it is, without credentials."""

    def close(self) -> None:
        """Let go of connections."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...
