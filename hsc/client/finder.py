"""The seam of whoever asks a catalog."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from hsc.client.searching import Bounds, Facet
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


class Finder(Protocol):
    """Answers questions; what the caller may not see is not there."""

    def get(self, pid: Pid) -> Dataset:
        """Give a dataset: the version that the PID names, else the newest.

        Raises
        ------
        DatasetNotFoundError
            There is none.
        """
        ...

    def entry(self, pid: Pid) -> Entry:
        """Give a dataset with what the catalog says of it: access, revision, annotations ...

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

    def search(
        self,
        query: Query | str = "",
        *,
        where: Bounds = (),
        limit: int | None = None,
        cursor: str | None = None,
        **facets: Facet,
    ) -> SearchResult:
        """Find the newest version of each dataset that matches, newest first.

        Parameters
        ----------
        query
            Words that must all occur, or a whole query.
        where
            A bound or several, as in ``"photon_energy > 12 keV"``; added to the query's.
        limit
            At most this many; None: as the query says, 25 by default. The total counts all.
        cursor
            Goes on behind an answer: its ``next``.
        **facets
            Only these: ``facility``, ``instrument``, ``proposal``, ``technique``, ``kind`` ...

        Raises
        ------
        InvalidQueryError
            A bound can't be read, or there is no such facet.
        """
        ...

    def facets(
        self, query: Query | str = "", *, where: Bounds = (), **facets: Facet
    ) -> FacetCounts:
        """Count what a search would find, by facility, instrument, technique and so on.

        Raises
        ------
        InvalidQueryError
            As `search`.
        """
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

    def activity(self, id: str) -> Activity:
        """Give an activity by its id.

        Raises
        ------
        ActivityNotFoundError
            There is none.
        """
        ...

    def find(self, kind: NounKind, key: str) -> Noun:
        """Give a facility, instrument, proposal, sample or publication by its key.

        Raises
        ------
        RecordNotFoundError
            There is none.
        """
        ...

    def nouns(self, kind: NounKind) -> Sequence[Noun]:
        """List all facilities, instruments, proposals, samples or publications, by key."""
        ...
