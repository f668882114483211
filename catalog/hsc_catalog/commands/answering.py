"""Answers of commands: one JSON document, or text for people."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
To = Annotated[
    str | None, typer.Option("--catalog", help="URL of the catalog; by default HSC_CATALOG.")
]


def answer(document: Any, text: str, *, json: bool) -> None:
    """Print a command's answer: the document with ``--json``, else the text."""
    if json:
        sys.stdout.write(json_text.dumps(document, allow_nan=False, indent=1) + "\n")
    elif text:
        sys.stdout.write(_printable(text) + "\n")


def counting(*, shown: bool) -> Callable[[str, int], None]:
    """Give what shows on a terminal how many of what were worked on so far."""
    shown = shown and sys.stderr.isatty()

    def tell(what: str, count: int) -> None:
        if shown:
            sys.stderr.write(f"\r\x1b[K{count} {what}")

    return tell


def mention(text: str) -> None:
    """Say something beside the answer."""
    sys.stderr.write(_printable(text) + "\n")


def _printable(text: str) -> str:
    # What a terminal would obey is taken out: records may hold escape sequences.
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
