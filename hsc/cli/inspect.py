"""``hsc inspect PATH``: what an ingest would do; nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Isolate, Json
from hsc.cli.output import answer, json_wanted, show_table, size


def inspect(
    path: Annotated[Path, typer.Argument(help="An HDF5 file, or a run's folder or master file.")],
    layout: Annotated[str | None, typer.Option(help="Layout; by default it is found out.")] = None,
    isolate: Isolate = None,
    json: Json = False,
) -> None:
    """Tell what an ingest of PATH would do; write nothing."""
    told = jobs.inspect(str(path.absolute()), layout=layout, isolate=bool(isolate))
    if json_wanted():
        answer(told.document(), "")
        return
    show_table(
        f"{path.name}: layout {told.layout}, {'complete' if told.complete else 'INCOMPLETE'}",
        ["array", "shape", "type", "chunk", "way", ">objects", ">bytes"],
        [
            [
                array.path,
                "×".join(map(str, array.shape)) or "scalar",
                array.dtype,
                "×".join(map(str, array.chunks)),
                array.way.value,
                str(array.objects),
                size(array.bytes),
            ]
            for array in told.arrays
        ],
    )
    lines = [
        f"in:  {told.files} files, {size(told.bytes_in)}",
        f"out: {told.objects} objects, about {size(told.bytes)}, in about {told.seconds} s",
    ]
    lines += [f"missing: {what}" for what in told.missing]
    lines += [f"note: {note}" for note in told.notes]
    lines += [f"can't be carried over: {gap.path}: {gap.reason}" for gap in told.gaps]
    answer(None, "\n".join(lines))
