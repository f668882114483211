"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Flow = Annotated[
    bool | None,
    typer.Option(
        "--flow/--no-flow", help="Run as a Prefect flow; by default when PREFECT_API_URL is set."
    ),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Threads or processes; by default all processors.")
]
Isolate = Annotated[
    bool | None,
    typer.Option(
        "--isolate/--no-isolate",
        help="Enter HDF5 only in a child process: a bad file can't crash or fill this one. "
        "By default in flows.",
    ),
]
