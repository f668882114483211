"""Reasons: why a record, or who may see it, was changed; kept as notes beside the audit log."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, insert

from hsc.model import AccessChange, Amendment, Annotation, now
from hsc_catalog import tables
from hsc_catalog.auditing import Change, pseudonym
from hsc_catalog.records.reading import Version
from hsc_catalog.wording import annotation_text

_LONGEST = 65_536  # letters that a note may have, as a reason

Kind = Literal["amendment", "access_change"]


def keep_amendment_reason(
    connection: Connection, version: Version, amendment: Amendment, actor: str
) -> list[Change]:
    """Keep why a record was amended, for everybody who sees the version; give what changed."""
    fields = ", ".join([*amendment.changes(), *amendment.clear])
    return _keep(connection, version, "amendment", f"amended {fields}: {amendment.reason}", actor)


def keep_access_reason(
    connection: Connection, version: Version, change: AccessChange, actor: str
) -> list[Change]:
    """Keep why access was changed, for those who may know who sees it; give what changed."""
    told = change.model_dump(exclude_defaults=True, exclude={"format", "reason"})
    fields = ", ".join(name.replace("_", " ") for name in told) or "access"
    return _keep(connection, version, "access_change", f"changed {fields}: {change.reason}", actor)


def _keep(
    connection: Connection, version: Version, kind: Kind, text: str, actor: str
) -> list[Change]:
    moment = now()
    # The log has digests alone; the words stand here, where they can be erased.
    said = tables.written(Annotation(kind="note", text=text[:_LONGEST], at=moment))
    pid = version.pid if kind == "amendment" else version.pid.latest()
    by, at = pseudonym(connection, actor), tables.microseconds(moment)
    name = {"pid": str(pid.latest()), "version": pid.version}
    connection.execute(insert(tables.annotation).values(**name, kind=kind, at=at, by=by, json=said))
    return [Change("annotate", "annotation", str(pid), None, annotation_text(kind, at, by, said))]
