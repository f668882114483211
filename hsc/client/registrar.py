"""The seam of whoever tells a catalog something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hsc.model import Activity, Dataset, Draft, Edge, Noun, Pid, Registration, Replica


class Registrar(Protocol):
    """Takes records in."""

    def may_register(self, draft: Draft) -> None:
        """Pass where the caller may register such a dataset; keep nothing.

        Asked before the first byte is written, so that nobody writes what is then refused.

        Raises
        ------
        ForbiddenError
            The caller may not create it.
        ConflictError
            Its PID is somebody else's.
        CatalogUnavailableError
            The catalog can't be asked.
        """
        ...

    def register(self, dataset: Dataset, activity: Activity, edges: Sequence[Edge]) -> None:
        """Keep a dataset, the activity that made it and their edges, all or nothing.

        Registering the same version with the same root again changes nothing.

        Raises
        ------
        ConflictError
            The version is there with another root.
        ForbiddenError
            The caller may not create it.
        CatalogUnavailableError
            The catalog can't be written.
        """
        ...

    def register_many(self, items: Sequence[Registration]) -> None:
        """Keep many datasets with their activities and edges, all of them or none.

        Raises
        ------
        ConflictError, ForbiddenError, CatalogUnavailableError
            As `register`, for any of them; nothing was kept.
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

    def keep(self, noun: Noun) -> None:
        """Keep a facility, instrument, proposal, sample or publication, by its key.

        One that is there is replaced.

        Raises
        ------
        ForbiddenError
            The caller may not.
        CatalogUnavailableError
            The catalog can't be written.
        """
        ...
