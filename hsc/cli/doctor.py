"""``hsc doctor``: whether this installation, or a store, can do its work, and what to mend."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, show_table
from hsc.jobs import examine, examine_store

_MARKS = {True: "ok", False: "no", None: "?"}


def doctor(
    json: Json = False,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Try out what this store can do, and nothing else; leaves nothing behind.",
        ),
    ] = None,
) -> None:
    """Check packages, settings, store, catalog and workers; or try out a store."""
    if store is not None:
        _examine_store(store)
        return
    checks = examine()
    if json_wanted():
        answer({"checks": [check.document() for check in checks]}, "")
    else:
        show_table(
            "",
            ["", "check", "found", "next"],
            [
                ["ok" if check.ok else "BAD", check.name, check.found, check.next]
                for check in checks
            ],
        )
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _examine_store(url: str) -> None:
    report = examine_store(url)
    if json_wanted():
        answer(report.document(), "")
    else:
        rows = [[_MARKS[each.able], each.name, each.found] for each in report.checks]
        show_table(report.store, ["", "it", "seen"], rows)
        answer({}, "\n".join(["It allows:", *(f"  {each}" for each in report.allows)]))
        if report.next:
            answer({}, f"Next: {report.next}")
    if not report.ingest:
        raise typer.Exit(1)
