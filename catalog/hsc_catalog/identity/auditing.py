"""Telling the audit log of tokens, links and roles; no secret is ever in what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from hsc.model import canonical_json
from hsc_catalog.access import Caller
from hsc_catalog.auditing import Change, note, pseudonym


def audited(
    connection: Connection,
    caller: Caller,
    action: str,
    kind: str,
    key: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Note a change in the transaction that makes it.

    A document's ``subject`` is told by its pseudonym: a digest of somebody's name could be guessed.
    """
    change = Change(action, kind, key, _text(connection, before), _text(connection, after))
    note(connection, caller.actor, [change])


def _text(connection: Connection, document: Mapping[str, Any] | None) -> str | None:
    if document is None:
        return None
    told = dict(document)
    if isinstance(told.get("subject"), str):
        told["subject"] = pseudonym(connection, told["subject"])
    return canonical_json(told).decode("utf-8")
