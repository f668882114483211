"""Reasons: why a record, or who may see it, was changed; kept as notes beside the audit log."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, insert

from hsc.model import AccessChange, Amendment, Annotation, now
from hsc_catalog import tables
from hsc_catalog.auditing import pseudonym
from hsc_catalog.records.reading import Version

_LONGEST = 65_536  # letters that a note may have, as a reason

Kind = Literal["amendment", "access_change"]


def keep_amendment_reason(
    connection: Connection, version: Version, amendment: Amendment, actor: str
) -> None:
    """Keep why a record was amended, for everybody who sees the version."""
    fields = ", ".join([*amendment.changes(), *amendment.clear])
    _keep(connection, version, "amendment", f"amended {fields}: {amendment.reason}", actor)


def keep_access_reason(
    connection: Connection, version: Version, change: AccessChange, actor: str
) -> None:
    """Keep why access was changed, for those who may know who sees the dataset."""
    told = change.model_dump(exclude_defaults=True, exclude={"format", "reason"})
    fields = ", ".join(name.replace("_", " ") for name in told) or "access"
    _keep(connection, version, "access_change", f"changed {fields}: {change.reason}", actor)


def _keep(connection: Connection, version: Version, kind: Kind, text: str, actor: str) -> None:
    moment = now()
    # The log has a digest of the whole change; the words stand here, where they can be erased.
    said = Annotation(kind="note", text=text[:_LONGEST], at=moment)
    connection.execute(
        insert(tables.annotation).values(
            pid=str(version.pid.latest()),
            version=version.pid.version if kind == "amendment" else None,
            kind=kind,
            at=tables.microseconds(moment),
            by=pseudonym(connection, actor),
            json=tables.written(said),
        )
    )
