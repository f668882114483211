"""The chain: rows of ids and digests, each holding the digest of the one before.

A row's digest is the SHA-256 of its other fields as canonical JSON (RFC 8785: sorted keys, no
blanks, whole numbers and texts alone). Names, addresses and documents are never in it, so they can
be erased or amended while the chain still verifies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from json.encoder import encode_basestring as _quoted
from typing import Any

from sqlalchemy import Connection, select

from hsc.errors import CatalogDamagedError
from hsc.model import canonical_json, now
from hsc_catalog import tables
from hsc_catalog.auditing.persons import pseudonym

FIRST = "sha256:" + "0" * 64
"""What the first row has for the digest of the one before."""

_row = tables.audit.c
_NEWEST = tables.Prepared(select(_row.number, _row.digest).order_by(_row.number.desc()).limit(1))
_FIELDS = ("number", "at", "actor", "action", "kind", "key", "before", "after", "previous")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one thing, to be noted."""

    action: str
    """What was done: ``register``, ``amend``, ``change_access`` ..."""
    kind: str
    """What it was done to: ``dataset``, ``activity``, ``token`` ..."""
    key: str
    """Which: a PID with version, an id, a key; never a person's name."""
    before: str | None = None
    """The document as it stood; None: there was none. Only its digest is kept."""
    after: str | None = None
    """The document as it stands; None: there is none any more. Only its digest is kept."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest row of the chain; noted elsewhere it tells whether rows were cut off."""

    number: int
    """How many rows there are."""
    digest: str
    """The newest row's digest."""


def digest_of(document: str | None) -> str | None:
    """Give the SHA-256 of a document's text; None of None."""
    if document is None:
        return None
    # File names that are no UTF-8 may stand in documents as lone surrogates.
    return "sha256:" + hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()


def note(connection: Connection, actor: str, changes: Iterable[Change]) -> None:
    """Note changes in the transaction that makes them.

    Parameters
    ----------
    connection
        The transaction: it has the right to write, so nobody else adds rows meanwhile.
    actor
        Account of who makes the changes; the log has a pseudonym for it.
    changes
        What was changed, in order.
    """
    changes = list(changes)
    if not changes:
        return
    who, at, last = pseudonym(connection, actor), tables.microseconds(now()), head(connection)
    rows: list[dict[str, Any]] = []
    number, previous = last.number, last.digest
    for change in changes:
        number += 1
        row: dict[str, Any] = {
            "number": number,
            "at": at,
            "actor": who,
            "action": change.action,
            "kind": change.kind,
            "key": change.key,
            "before": digest_of(change.before),
            "after": digest_of(change.after),
            "previous": previous,
        }
        row["digest"] = previous = _digest_of_row(row)
        rows.append(row)
    tables.insert_rows(connection, tables.audit, rows)


def head(connection: Connection) -> Head:
    """Give the newest row's number and digest."""
    found = _NEWEST.rows(connection)
    return Head(*found[0]) if found else Head(0, FIRST)


def verify_chain(connection: Connection, known: str | None = None) -> Head:
    """Compute every digest of the log anew and compare.

    Parameters
    ----------
    connection
        The transaction to read in.
    known
        Digest of a row that was the newest once, noted elsewhere; None: the end is not checked.

    Raises
    ------
    CatalogDamagedError
        A row was changed, taken out or put in, or the row with the known digest is gone.
    """
    columns = tables.audit.c
    wanted = select(*(columns[name] for name in _FIELDS), columns.digest).order_by(columns.number)
    last, met = Head(0, FIRST), known in (None, FIRST)
    with closing(connection.execute(wanted, execution_options={"yield_per": 10_000})) as rows:
        for row in rows:
            last = _followed(dict(zip((*_FIELDS, "digest"), row, strict=True)), last)
            met = met or last.digest == known
    if not met:
        raise CatalogDamagedError(
            f"the audit log has no row with the digest {known}: its end was cut off or replaced",
            where=f"audit row {last.number}, the last",
            next_step="compare with a backup; whoever can write the database's files did this",
        )
    return last


def _followed(row: dict[str, Any], last: Head) -> Head:
    number, digest = row["number"], row.pop("digest")
    whole = number == last.number + 1 and row["previous"] == last.digest
    if not whole or _digest(row) != digest:
        raise CatalogDamagedError(
            "a row of the audit log was changed after it was written"
            if whole
            else f"the audit log has row {number} after {last.number}, and they don't join",
            where=f"audit row {number}",
            next_step="compare with a backup; whoever can write the database's files did this",
        )
    return Head(number, digest)


def _digest_of_row(row: dict[str, Any]) -> str:
    # The same as `_digest`, which is what rows are held against, in a fifth of the time.
    before, after = row["before"], row["after"]
    text = (
        f'{{"action":{_quoted(row["action"])},"actor":{_quoted(row["actor"])},'
        f'"after":{"null" if after is None else _quoted(after)},"at":{row["at"]},'
        f'"before":{"null" if before is None else _quoted(before)},"key":{_quoted(row["key"])},'
        f'"kind":{_quoted(row["kind"])},"number":{row["number"]},'
        f'"previous":{_quoted(row["previous"])}}}'
    )
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _digest(fields: dict[str, object]) -> str:
    return "sha256:" + hashlib.sha256(canonical_json(fields)).hexdigest()
