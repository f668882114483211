"""``hsc doctor``: whether this installation can do its work, and what to mend."""

from __future__ import annotations

import typer

from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, show_table
from hsc.jobs import examine


def doctor(json: Json = False) -> None:
    """Check packages, settings, store, catalog and workers."""
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
