"""Asking the catalog: one dataset, many, activities, lineage, nouns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hsc.client import Searching
from hsc.model import (
    Activity,
    ActivityState,
    Dataset,
    Entry,
    FacetCounts,
    Lineage,
    Noun,
    NounKind,
    Pid,
    Query,
    Replica,
    SearchResult,
)
from hsc_catalog.catalog.standing import OnDatabase
from hsc_catalog.records import (
    Place,
    Replaced,
    Version,
    export_page,
    find_noun,
    get_activity,
    get_dataset,
    get_entry,
    get_version,
    list_activities,
    list_nouns,
    list_replaced,
    list_replicas,
    walk,
)
from hsc_catalog.searching import count_facets, search_datasets


class Asking(OnDatabase, Searching):
    """What answers questions; each method reads in one transaction, as the caller may see it."""

    def get(self, pid: Pid) -> Dataset:
        """Give a dataset: the version that the PID names, else the newest.

        Raises
        ------
        DatasetNotFoundError
            There is none.
        """
        with self.reading() as connection:
            return get_dataset(connection, self.sight(), pid)

    def version(self, pid: Pid) -> Version:
        """Give a version as it stands in the tables: its text as it was posted, its revision.

        Raises
        ------
        DatasetNotFoundError
            There is none.
        """
        with self.reading() as connection:
            return get_version(connection, self.sight(), pid)

    def entry(self, pid: Pid) -> Entry:
        """Give all that the catalog knows of a version.

        Raises
        ------
        DatasetNotFoundError
            There is none.
        """
        with self.reading() as connection:
            return get_entry(connection, self.sight(), pid)

    def history(self, pid: Pid) -> Sequence[Replaced]:
        """List the documents that a version had before its present one, oldest first.

        Raises
        ------
        DatasetNotFoundError
            There is no such version.
        """
        with self.reading() as connection:
            name = str(get_version(connection, self.sight(), pid).pid)
            return list_replaced(connection, "dataset", name)

    def replicas(self, pid: Pid) -> Sequence[Replica]:
        """List where a version lies: first the place where it was made, then the others by age.

        Raises
        ------
        DatasetNotFoundError
            There is no such version.
        """
        with self.reading() as connection:
            return list_replicas(connection, self.sight(), pid)

    def find_datasets(self, query: Query) -> SearchResult:
        """Find the newest version of each dataset that matches, newest first."""
        with self.reading() as connection:
            return search_datasets(connection, self.caller, query, self.clock())

    def count_facets(self, query: Query) -> FacetCounts:
        """Count by facet what a query finds, each facet as if nothing were asked of itself."""
        with self.reading() as connection:
            return count_facets(connection, self.caller, query, self.clock())

    def lineage(self, pid: Pid, *, up: bool, down: bool, depth: int) -> Lineage:
        """Walk the provenance edges from a dataset, at most ``depth`` activities away.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        """
        with self.reading() as connection:
            return walk(connection, self.sight(), pid, up=up, down=down, depth=depth)

    def activities(
        self, *, state: ActivityState | None = None, since: datetime | None = None, limit: int = 100
    ) -> Sequence[Activity]:
        """List activities, newest first; ``since`` needs a time zone."""
        with self.reading() as connection:
            return list_activities(connection, self.sight(), state, since, limit)

    def activity(self, id: str) -> Activity:
        """Give an activity by its id.

        Raises
        ------
        ActivityNotFoundError
            There is none.
        """
        with self.reading() as connection:
            return get_activity(connection, self.sight(), id)

    def find(self, kind: NounKind, key: str) -> Noun:
        """Give a facility, instrument, proposal, sample or publication by its key.

        Raises
        ------
        RecordNotFoundError
            There is none.
        """
        with self.reading() as connection:
            return find_noun(connection, self.sight(), kind, key)[0]

    def found(self, kind: NounKind, key: str) -> tuple[Noun, int, str]:
        """Give a noun by its key, with its revision and its text as it was posted.

        Raises
        ------
        RecordNotFoundError
            There is none.
        """
        with self.reading() as connection:
            return find_noun(connection, self.sight(), kind, key)

    def nouns(self, kind: NounKind) -> Sequence[Noun]:
        """List all facilities, instruments, proposals, samples or publications, by key."""
        with self.reading() as connection:
            return list_nouns(connection, self.sight(), kind)

    def export_page(self, place: Place, limit: int) -> tuple[list[str], Place | None]:
        """Give lines of JSON, and where to go on (`records.export_page`)."""
        with self.reading() as connection:
            return export_page(connection, self.sight(), place, limit)
