"""Nouns: facilities, instruments, proposals, samples, publications, kept and found by key."""

from __future__ import annotations

from sqlalchemy import Connection, select

from hsc.errors import RecordNotFoundError, RevisionError
from hsc.model import NOUNS, Noun, NounKind, noun_kind, now
from hsc_catalog import tables
from hsc_catalog.access import Sight, interned, noun_set, require_keep
from hsc_catalog.auditing import Change
from hsc_catalog.records.replaced import keep_replaced
from hsc_catalog.wording import Agents, set_text

_row = tables.noun.c


def put_noun(
    connection: Connection,
    sight: Sight,
    noun: Noun,
    text: str | None = None,
    revision: int | None = None,
) -> list[Change]:
    """Keep a noun in place of what was known under its key; give what changed.

    Parameters
    ----------
    connection
        The transaction.
    sight
        Who keeps it.
    noun
        What to keep.
    text
        Its JSON as it was posted, to be given back exactly; None: hsc words it.
    revision
        The revision that it was made on; None: whichever there is.

    Raises
    ------
    RevisionError
        Somebody else changed it since.
    ForbiddenError
        The caller may not keep it.
    ConflictError
        Its key is that of somebody else's.
    """
    require_keep(connection, sight, noun)
    kind, key = noun_kind(noun), noun.key
    document = tables.written(noun) if text is None else text
    known = connection.execute(
        select(_row.revision, _row.json).where(_row.kind == kind, _row.key == key)
    ).one_or_none()
    stands = 0 if known is None else known.revision
    if revision not in (None, stands):
        raise RevisionError(
            f"this was changed since: it is revision {stands} now, not {revision}",
            where=f"{kind} {key}",
            next_step="read it again, and change it as it now stands",
        )
    if known is not None and known.json == document:
        return []
    if known is not None:
        keep_replaced(connection, kind, [(key, known.revision, known.json)])
    row = {"kind": kind, "key": key, "revision": 1, "json": document}
    row["updated"] = tables.microseconds(now())
    seen = noun_set(noun, sight.caller.subject)
    row["access"] = interned(connection, seen)
    tables.upsert(connection, tables.noun, [row], ["json", "updated", "access"], counted=True)
    told = set_text(seen, Agents(connection, writing=True))
    return [
        Change("keep", kind, key, None if known is None else known.json, document),
        Change("stand", f"{kind} access", key, None, told),
    ]


def find_noun(
    connection: Connection, sight: Sight, kind: NounKind, key: str
) -> tuple[Noun, int, str]:
    """Give a noun by its key, with its revision and its text as it was posted.

    Raises
    ------
    RecordNotFoundError
        There is none that the caller may see.
    """
    wanted = (_row.kind == kind, _row.key == key, sight.nouns())
    found = connection.execute(select(_row.revision, _row.json).where(*wanted)).one_or_none()
    if found is None:
        raise RecordNotFoundError(f"there is no {kind} {key}")
    return tables.read(NOUNS[kind], found.json), found.revision, found.json


def list_nouns(connection: Connection, sight: Sight, kind: NounKind) -> list[Noun]:
    """List the nouns of a kind that the caller may see, by key."""
    wanted = (_row.kind == kind, sight.nouns())
    texts = connection.scalars(select(_row.json).where(*wanted).order_by(_row.key))
    return [tables.read(NOUNS[kind], text) for text in texts]
