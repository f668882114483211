"""Tending what is there: amendments, annotations, who may see it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from hsc.model import Access, AccessChange, Amendment, Annotation, Dataset, Entry, Pid
from hsc_catalog.access import Standing, require, require_move
from hsc_catalog.auditing import note
from hsc_catalog.catalog.standing import OnDatabase
from hsc_catalog.records import (
    amend_record,
    annotate_record,
    check_revision,
    entry_now,
    follow,
    get_access,
    get_version,
    grant,
    keep_access_reason,
    keep_amendment_reason,
    standing_of,
)
from hsc_catalog.searching import reword


class Tending(OnDatabase):
    """What changes records; each method is one transaction, and all of it is audited."""

    def amend(self, pid: Pid, amendment: Amendment, revision: int | None = None) -> Entry:
        """Correct a dataset's record; what it replaces stays in the history.

        Parameters
        ----------
        pid
            The dataset; without a version the newest.
        amendment
            What changes, and why.
        revision
            The revision that the change was made on; None: whichever it is now.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        ForbiddenError
            The caller may see it, and not amend it.
        RevisionError
            Somebody else changed it since.
        """
        with self.database.writing() as connection:
            return self.amend_within(connection, pid, amendment, revision)

    def amend_within(
        self, connection: Connection, pid: Pid, amendment: Amendment, revision: int | None = None
    ) -> Entry:
        """Correct a dataset's record as `amend` does, in a transaction that does more."""
        sight = self.sight()
        version = get_version(connection, sight, pid)
        entry = standing_of(connection, version)
        require(self.caller, "amend", entry)
        check_revision(version, revision)
        before, after, changes = amend_record(connection, version, amendment)
        # Whichever version it is: by naming a proposal in any of them it would be read.
        require_move(self.caller, _as_in(entry, before), _as_in(entry, after))
        reword(connection, version.row, before, after)
        changes += follow(connection, sight, version, entry)
        changes += keep_amendment_reason(connection, version, amendment, self.caller.actor)
        note(connection, self.caller.actor, changes)
        return entry_now(connection, sight, version)

    def annotate(self, pid: Pid, annotation: Annotation) -> Entry:
        """Say something of a dataset: a note, a verdict, a link.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        ForbiddenError
            The caller may see it, and not say anything of it.
        """
        with self.database.writing() as connection:
            sight = self.sight()
            version = get_version(connection, sight, pid)
            require(self.caller, "annotate", standing_of(connection, version))
            changes = annotate_record(connection, version, annotation, self.caller.actor)
            note(connection, self.caller.actor, changes)
            return entry_now(connection, sight, version)

    def access(self, pid: Pid) -> Access:
        """Give who may see a dataset.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        ForbiddenError
            The caller may see the dataset, and not this.
        """
        with self.reading() as connection:
            sight = self.sight()
            return get_access(connection, sight, get_version(connection, sight, pid))

    def change_access(self, pid: Pid, change: AccessChange, revision: int | None = None) -> Entry:
        """Change who may see a dataset, all its versions; what came of it gets no looser.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        ForbiddenError
            The caller may see it and may not share it, or it would be looser than an input.
        ConflictError
            The change can't be made, as sharing what is private.
        RevisionError
            Somebody else changed the dataset since.
        """
        with self.database.writing() as connection:
            return self.change_access_within(connection, pid, change, revision)

    def change_access_within(
        self, connection: Connection, pid: Pid, change: AccessChange, revision: int | None = None
    ) -> Entry:
        """Change who may see a dataset as `change_access` does, in a transaction that does more."""
        sight = self.sight()
        version = get_version(connection, sight, pid)
        require(self.caller, "share", standing_of(connection, version))
        check_revision(version, revision)
        changes = grant(connection, sight, version, change)
        changes += keep_access_reason(connection, version, change, self.caller.actor)
        note(connection, self.caller.actor, changes)
        return entry_now(connection, sight, version)


def _as_in(entry: Standing, record: Dataset) -> Standing:
    """Give how a dataset would stand by one version's record."""
    return replace(
        entry,
        facility=record.facility,
        proposal=record.proposal,
        instrument=record.instrument,
    )
