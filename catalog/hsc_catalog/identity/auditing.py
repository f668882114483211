"""Telling the audit log of tokens, links and roles; no secret is ever in what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from hsc_catalog.access import Caller


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
    """Note a change in the transaction that makes it."""
