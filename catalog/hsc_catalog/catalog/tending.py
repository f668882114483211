"""Tending what is there: amendments and annotations."""

from __future__ import annotations

from hsc.model import Amendment, Annotation, Entry, Pid
from hsc_catalog.auditing import note
from hsc_catalog.catalog.standing import OnDatabase
from hsc_catalog.records import (
    amend_record,
    annotate_record,
    check_revision,
    get_entry,
    get_version,
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
        RevisionError
            Somebody else changed it since.
        """
        with self.database.writing() as connection:
            version = get_version(connection, self.caller, pid)
            check_revision(version, revision)
            before, after, changes = amend_record(connection, version, amendment)
            reword(connection, version.row, before, after)
            note(connection, self.caller.actor, changes)
            return get_entry(connection, self.caller, version.pid)

    def annotate(self, pid: Pid, annotation: Annotation) -> Entry:
        """Say something of a dataset: a note, a verdict, a link.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        """
        with self.database.writing() as connection:
            version = get_version(connection, self.caller, pid)
            changes = annotate_record(connection, version, annotation, self.caller.actor)
            note(connection, self.caller.actor, changes)
            return get_entry(connection, self.caller, version.pid)
