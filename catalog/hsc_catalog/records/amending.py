"""Amending records and saying something of them, each time a new revision."""

from __future__ import annotations

from pydantic import ValidationError
from sqlalchemy import Connection, insert, update

from hsc.errors import InvalidRecordError, RevisionError
from hsc.model import Amendment, Annotation, Dataset, now
from hsc_catalog import tables
from hsc_catalog.auditing import Change, pseudonym
from hsc_catalog.records.reading import Version
from hsc_catalog.records.replaced import keep_replaced
from hsc_catalog.wording import annotation_text

_row = tables.dataset.c

SHOWN = ("title", "facility", "instrument", "proposal", "sample", "technique")
"""Fields of a record that its row has too."""


def check_revision(version: Version, wanted: int | None) -> None:
    """Pass where a change was made on the present revision, or on whichever there is.

    Raises
    ------
    RevisionError
        Somebody else changed it since.
    """
    if wanted not in (None, version.revision):
        raise RevisionError(
            f"this was changed since: it is revision {version.revision} now, not {wanted}",
            where=str(version.pid),
            next_step="read it again, and change it as it now stands",
        )


def touch(connection: Connection, version: Version) -> None:
    """Count a change of a version."""
    at = max(tables.microseconds(now()), version.updated)
    values = {"revision": version.revision + 1, "updated": at}
    connection.execute(update(tables.dataset).where(_row.id == version.row).values(values))


def amend_record(
    connection: Connection, version: Version, amendment: Amendment
) -> tuple[Dataset, Dataset, list[Change]]:
    """Keep a record as an amendment leaves it, and what it replaced.

    Returns
    -------
    The record before and after, and what changed.
    """
    before = version.dataset()
    try:
        after = amendment.applied(before)
    except ValidationError as error:
        # Each field is right; it is with those that stay that they make no record.
        wrong = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise InvalidRecordError(
            f"with this amendment the record would be wrong: {wrong}", where=str(version.pid)
        ) from error
    text = tables.written(after)
    keep_replaced(connection, "dataset", [(str(version.pid), version.revision, version.text)])
    document = tables.dataset_document
    connection.execute(update(document).where(document.c.dataset == version.row).values(json=text))
    shown = {name: getattr(after, name) for name in SHOWN}
    connection.execute(update(tables.dataset).where(_row.id == version.row).values(shown))
    touch(connection, version)
    why = Change("amend", "reason", str(version.pid), None, tables.written(amendment))
    return before, after, [Change("amend", "dataset", str(version.pid), version.text, text), why]


def annotate_record(
    connection: Connection, version: Version, annotation: Annotation, actor: str
) -> list[Change]:
    """Keep what somebody says of a version; give what changed."""
    moment = now()
    # Who said it stands in `person` alone, where it can be erased.
    text = tables.written(annotation.model_copy(update={"at": moment, "by": None}))
    by, at = pseudonym(connection, actor), tables.microseconds(moment)
    facts = {"kind": annotation.kind, "at": at, "json": text}
    name = {"pid": str(version.pid.latest()), "version": version.pid.version}
    connection.execute(insert(tables.annotation).values(**name, **facts, by=by))
    touch(connection, version)
    said = annotation_text(annotation.kind, at, by, text)
    return [Change("annotate", "annotation", str(version.pid), None, said)]
