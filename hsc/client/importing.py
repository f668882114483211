"""Sending lines of records to a catalog's server, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from hsc.client.exchange import Exchange

AT_ONCE = 5000
"""Lines of one request: what was sent before a connection broke stays kept."""

TOLD = 100
"""Wrong lines that are told by number."""

_URN = "urn:hsc:"


def send_lines(
    exchange: Exchange,
    lines: Iterable[bytes],
    shown: Callable[[int], None] = lambda count: None,
    *,
    at_once: int = AT_ONCE,
) -> dict[str, Any]:
    """Send lines to ``/v1/import``.

    Parameters
    ----------
    exchange
        The server.
    lines
        JSON documents; empty ones are counted and left out.
    shown
        Is told how many lines the server has worked on so far.
    at_once
        Lines of one request.

    Returns
    -------
    done
        ``kept`` and ``wrong``: how many lines; ``lines``: the first wrong ones, each with ``line``
        (its number, from 1), ``error``, ``message`` and ``where``.
    """
    kept, wrong, told = 0, 0, list[dict[str, Any]]()
    coming, before = iter(lines), 0
    while some := list(islice(coming, at_once)):
        answer = exchange.post_lines("/import", some).document(f"{exchange.url}/v1/import")
        kept, wrong = kept + answer["kept"], wrong + answer["wrong"]
        told += [_refused(each, before) for each in answer["lines"]]
        before += len(some)
        shown(before)
    return {"kept": kept, "wrong": wrong, "lines": told[:TOLD]}


def _refused(told: dict[str, Any], before: int) -> dict[str, Any]:
    pointers = [str(each.get("pointer", "")) for each in told.get("errors", ())]
    return {
        "line": before + int(told["line"]),
        "error": str(told.get("type", "")).removeprefix(_URN),
        "message": told.get("detail", ""),
        "where": ", ".join(filter(None, pointers)) or None,
    }
