"""SqlCatalog: the catalog that can be told and asked, on an SQL database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from hsc.client import Searching
from hsc.model import (
    Activity,
    ActivityState,
    Dataset,
    Edge,
    FacetCounts,
    Lineage,
    Pid,
    Query,
    Replica,
    SearchResult,
    now,
)
from hsc_catalog.access import OPERATOR, Caller
from hsc_catalog.auditing import note
from hsc_catalog.databases import Database
from hsc_catalog.records import (
    get_dataset,
    list_activities,
    list_replicas,
    put_activity,
    put_dataset,
    put_edges,
    put_replica,
    walk,
)
from hsc_catalog.searching import count_facets, search_datasets


class SqlCatalog(Searching):
    """A catalog in an SQL database (`hsc.client.Catalog`).

    Every method is one transaction, and raises CatalogUnavailableError when the database can't be
    used.

    Parameters
    ----------
    database
        Where the tables are.
    caller
        Who asks: what they may not see is not there, by any method.
    """

    def __init__(self, database: Database, caller: Caller = OPERATOR) -> None:
        self._database = database
        self._caller = caller
        self.url = database.url

    def register(self, dataset: Dataset, activity: Activity, edges: Sequence[Edge]) -> None:
        """Keep a dataset, the activity that made it and their edges, all or nothing.

        A version that is there with the same root stays as it is; the activity and edges are kept
        all the same, for they state what happened.

        Raises
        ------
        ConflictError
            The version is there with another root; nothing was kept.
        """
        with self._database.writing() as connection:
            changes = put_dataset(connection, dataset)
            changes += put_activity(connection, activity)
            changes += put_edges(connection, edges, activity.id)
            note(connection, self._caller.actor, changes)

    def record(self, activity: Activity) -> None:
        """Keep an activity as it now stands, in place of what was known of it."""
        with self._database.writing() as connection:
            note(connection, self._caller.actor, put_activity(connection, activity))

    def register_replica(self, pid: Pid, replica: Replica, activity: Activity) -> None:
        """Keep how a replica of a version now stands, and the activity that says so.

        Raises
        ------
        DatasetNotFoundError
            There is no such version; nothing was kept.
        """
        with self._database.writing() as connection:
            changes = put_replica(connection, pid, replica)
            changes += put_activity(connection, activity)
            note(connection, self._caller.actor, changes)

    def get(self, pid: Pid) -> Dataset:
        """Give a dataset: the version that the PID names, else the newest.

        Raises
        ------
        DatasetNotFoundError
            There is none.
        """
        with self._database.reading() as connection:
            return get_dataset(connection, pid)

    def replicas(self, pid: Pid) -> Sequence[Replica]:
        """List where a version lies: first the place where it was made, then the others by age.

        Raises
        ------
        DatasetNotFoundError
            There is no such version.
        """
        with self._database.reading() as connection:
            return list_replicas(connection, pid)

    def find_datasets(self, query: Query) -> SearchResult:
        """Find the newest version of each dataset that matches, newest first."""
        with self._database.reading() as connection:
            return search_datasets(connection, self._caller, query, now())

    def count_facets(self, query: Query) -> FacetCounts:
        """Count by facet what a query finds, each facet as if nothing were asked of itself."""
        with self._database.reading() as connection:
            return count_facets(connection, self._caller, query, now())

    def lineage(self, pid: Pid, *, up: bool, down: bool, depth: int) -> Lineage:
        """Walk the provenance edges from a dataset, at most ``depth`` activities away.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        """
        with self._database.reading() as connection:
            return walk(connection, pid, up=up, down=down, depth=depth)

    def activities(
        self, *, state: ActivityState | None = None, since: datetime | None = None, limit: int = 100
    ) -> Sequence[Activity]:
        """List activities, newest first; ``since`` needs a time zone."""
        with self._database.reading() as connection:
            return list_activities(connection, state, since, limit)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
