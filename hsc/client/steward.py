"""The seam of whoever looks after datasets that are there: mends, judges, shares."""

from __future__ import annotations

from typing import Protocol

from hsc.model import Access, AccessChange, Amendment, Annotation, Entry, Pid


class Steward(Protocol):
    """Takes what is said later of a dataset; every change is in the audit log."""

    def amend(self, pid: Pid, amendment: Amendment, revision: int | None = None) -> Entry:
        """Change proposal, sample, people and the like of a dataset, with a reason.

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
            The caller may see it and may not change it.
        RevisionError
            Somebody else changed it since.
        """
        ...

    def annotate(self, pid: Pid, annotation: Annotation) -> Entry:
        """Add a note, a verdict or a link to a dataset.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        ForbiddenError
            The caller may see it and may not annotate it.
        """
        ...

    def access(self, pid: Pid) -> Access:
        """Give who may see a dataset.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        ForbiddenError
            The caller may see the dataset and not this.
        """
        ...

    def change_access(self, pid: Pid, change: AccessChange, revision: int | None = None) -> Entry:
        """Change who may see a dataset, all its versions and what came of it.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        ForbiddenError
            The caller may see it and may not share it, or it would be looser than an input.
        RevisionError
            Somebody else changed the dataset since.
        """
        ...
