"""What a benchmark prints: one JSON document, or tables for people."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_PIPE_WIDTH = 120


def print_document(document: dict[str, Any]) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def print_tables(document: dict[str, Any]) -> None:
    """Print the machine, the source and the times."""
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, value in {**document["machine"], **document["source"]}.items():
        facts.add_row(name.replace("_", " "), escape(_word(value)))
    console.print(facts)
    if "table" in document:
        _print_rows(console, document["table"])
    if "arms" in document:
        _print_arms(console, document["arms"])


def _print_rows(console: Console, rows: list[dict[str, Any]]) -> None:
    """Print rows that bear their columns' names."""
    table = Table(box=None, pad_edge=False)
    for name in rows[0] if rows else ():
        table.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        table.add_row(*(escape(_word(value)) for value in row.values()))
    console.print(table)


def _print_arms(console: Console, arms: list[dict[str, Any]]) -> None:
    times = Table(box=None, pad_edge=False)
    times.add_column("\narm")
    for column in ("median\ns", "least\ns", "most\ns", "in\nMB/s", "times\nthe floor"):
        times.add_column(column, justify="right")
    for row in arms:
        times.add_row(
            escape(row["what"]),
            f"{row['median_s']:.3f}",
            f"{min(row['times_s']):.3f}",
            f"{max(row['times_s']):.3f}",
            f"{row['bytes_per_s'] / 1e6:.0f}",
            f"{row['times_the_floor']:.2f}",
        )
    console.print(times)


def _word(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
