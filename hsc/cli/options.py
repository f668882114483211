"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc.cli.amounts import parse_bytes, parse_rate

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
MaxRate = Annotated[
    int | None,
    typer.Option(
        parser=parse_rate, metavar="RATE", help="Most that is written a second, as in 200MB/s."
    ),
]
Memory = Annotated[
    int | None,
    typer.Option(
        parser=parse_bytes, metavar="BYTES", help="Most that shards in the making take: 4GB."
    ),
]
