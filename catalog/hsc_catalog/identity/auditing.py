"""Telling the audit log of tokens, links and roles; no secret is ever in what it is told."""

from __future__ import annotations

from sqlalchemy import Connection

from hsc_catalog.access import Caller
from hsc_catalog.auditing import Change, note
from hsc_catalog.wording import text_now


def audited(
    connection: Connection,
    caller: Caller,
    action: str,
    kind: str,
    key: str,
    before: str | None = None,
) -> None:
    """Note a change of a token, link or role as it now stands, in the transaction that made it.

    ``before`` is its text as it stood: `hsc_catalog.wording`.
    """
    after = text_now(connection, kind, key)
    note(connection, caller.actor, [Change(action, kind, key, before, after)])
