"""``hsc export PID OUT``: a reduced curve as an NXcanSAS file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Json
from hsc.cli.output import answer, size


def export(
    pid: Annotated[str, typer.Argument(help="The dataset's PID.")],
    out: Annotated[Path, typer.Argument(help="The file to make.")],
    json: Json = False,
) -> None:
    """Write a reduced curve as NXcanSAS, the HDF5 that SasView reads."""
    made = jobs.export(pid, out)
    nbytes = made.stat().st_size
    answer({"pid": pid, "path": str(made), "bytes": nbytes}, f"{made}  {size(nbytes)}")
