"""The guidelines' table as CSV, JSON and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from hsc.model import canonical_json
from hsc.reductions.biosaxs.reports.guidelines import CITED, PARTS, Row


def table_csv(rows: Sequence[Row]) -> bytes:
    """Write the table as CSV (RFC 4180, UTF-8)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["part", "item", "value"])
    writer.writerows([row.part, _harmless(row.name), _harmless(row.value)] for row in rows)
    return text.getvalue().encode()


def table_json(rows: Sequence[Row]) -> bytes:
    """Write the table as JSON; what is not recorded is null."""
    document: dict[str, Any] = {
        "guidelines": CITED,
        "parts": [
            {
                "part": part,
                "title": title,
                "items": [
                    {"item": row.name, "value": row.value if row.known else None}
                    for row in rows
                    if row.part == part
                ],
            }
            for part, title in PARTS.items()
        ],
    }
    return canonical_json(document) + b"\n"


def table_markdown(rows: Sequence[Row]) -> bytes:
    """Write the table as Markdown."""
    lines = [f"After {CITED}."]
    for part, title in PARTS.items():
        lines += ["", f"### ({part}) {title}", "", "| | |", "|---|---|"]
        lines += [f"| {_cell(r.name)} | {_cell(r.value)} |" for r in rows if r.part == part]
    return ("\n".join(lines) + "\n").encode()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a name that begins so for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
