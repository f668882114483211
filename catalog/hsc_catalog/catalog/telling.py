"""Telling the catalog of datasets, activities, replicas and nouns."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from hsc.model import Activity, Dataset, Draft, Edge, Noun, Pid, Registration, Replica
from hsc_catalog.access import Admission, require
from hsc_catalog.auditing import note
from hsc_catalog.catalog.standing import OnDatabase
from hsc_catalog.records import (
    Once,
    Posted,
    answered,
    get_version,
    put_activities,
    put_noun,
    put_replica,
    register_items,
    standing_of,
    uncollected,
)


class Telling(OnDatabase):
    """What takes records in; each method is one transaction, and all of it is audited."""

    def may_register(self, draft: Draft) -> None:
        """Pass where the caller may register such a dataset; keep nothing.

        Raises
        ------
        ForbiddenError
            The caller may not create it.
        ConflictError
            Its PID is somebody else's.
        """
        with self.database.reading() as connection:
            Admission(connection, self.caller, self.clock()).check(draft)

    def register(self, dataset: Dataset, activity: Activity, edges: Sequence[Edge]) -> None:
        """Keep a dataset, the activity that made it and their edges, all or nothing.

        A version that is there with the same root stays as it is; the activity and edges are kept
        all the same, for they state what happened.

        Raises
        ------
        ConflictError
            The version is there with another root; nothing was kept.
        """
        self.post([Posted(dataset, activity, edges)])

    def register_many(self, items: Sequence[Registration]) -> None:
        """Keep several datasets with their activities and edges, all or nothing.

        Raises
        ------
        ConflictError
            As `register`, for any of them; nothing was kept.
        """
        self.post([Posted(each.dataset, each.activity, each.edges) for each in items])

    def post(self, items: Sequence[Posted], once: Once | None = None) -> str | None:
        """Keep datasets as they were posted, all or nothing, and once if asked so.

        Parameters
        ----------
        items
            What comes in, with the texts that it came as.
        once
            The request, where the same may come again.

        Returns
        -------
        What is answered to the request: the first answer, if it came before and nothing was done.
        None without ``once``.

        Raises
        ------
        ConflictError
            A version is there with another root, or the request's key was used for another body.
        """
        with uncollected(), self.database.writing() as connection:
            if once is not None:
                earlier = answered(connection, self.caller.actor, once)
                if earlier is not None:
                    return earlier
            changes = register_items(connection, self.sight(), items)
            note(connection, self.caller.actor, changes)
        return None if once is None else once.answer

    def record(self, activity: Activity) -> None:
        """Keep an activity as it now stands, in place of what was known of it.

        Raises
        ------
        ForbiddenError
            The caller may record none.
        ConflictError
            Its id is somebody else's activity's.
        """
        with self.database.writing() as connection:
            self._admit(connection, activity)
            changes = put_activities(connection, [activity], self.caller)
            note(connection, self.caller.actor, changes)

    def register_replica(self, pid: Pid, replica: Replica, activity: Activity) -> None:
        """Keep how a replica of a version now stands, and the activity that says so.

        Raises
        ------
        DatasetNotFoundError
            There is no such version; nothing was kept.
        ForbiddenError
            The caller may see it, and not say where it lies.
        """
        with self.database.writing() as connection:
            version = get_version(connection, self.sight(), pid)
            require(self.caller, "register_replica", standing_of(connection, version))
            self._admit(connection, activity)
            changes = put_replica(connection, self.sight(), pid, replica)
            changes += put_activities(connection, [activity], self.caller)
            note(connection, self.caller.actor, changes)

    def _admit(self, connection: Connection, activity: Activity) -> None:
        Admission(connection, self.caller, self.clock()).admit_activity(activity)

    def keep(self, noun: Noun, *, text: str | None = None, revision: int | None = None) -> None:
        """Keep a facility, instrument, proposal, sample or publication under its key.

        Parameters
        ----------
        noun
            What to keep; one that is there is replaced, and stays in the history.
        text
            Its JSON as it was posted, to be given back exactly; None: hsc words it.
        revision
            The revision that it was made on; None: whichever there is.

        Raises
        ------
        RevisionError
            Somebody else changed it since.
        """
        with self.database.writing() as connection:
            note(
                connection,
                self.caller.actor,
                put_noun(connection, self.sight(), noun, text, revision),
            )
