"""``hsc show PID``: one dataset, its arrays and its gaps."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, show_table, size
from hsc.client import connect
from hsc.model import Dataset, Pid


def show(
    pid: Annotated[str, typer.Argument(help="The dataset's PID, with @n for version n.")],
    json: Json = False,
) -> None:
    """Show a dataset: what it is, where it is, its arrays and its gaps."""
    with connect() as catalog:
        record = catalog.get(Pid.parse(pid))
    if json_wanted():
        answer(_document(record), "")
        return
    facts = [
        f"{record.pid}@{record.version}  {record.title}",
        f"  {record.kind.value}, {record.visibility}, made {record.created:%Y-%m-%d %H:%M} UTC",
        f"  facility {record.facility}, instrument {record.instrument or 'unknown'}, "
        f"proposal {record.proposal or 'unknown'}, sample {record.sample or 'unknown'}",
        f"  {size(record.bytes_out)} at {record.location}",
        f"  root {record.root}",
    ]
    facts += [f"  {name} = {q.value:g} {q.unit}" for name, q in sorted(record.quantities.items())]
    answer(None, "\n".join(facts))
    show_table(
        "",
        ["array", "shape", "type", "chunk", "way"],
        [
            [
                array.path,
                "×".join(map(str, array.shape)) or "scalar",
                array.dtype,
                "×".join(map(str, array.chunks)),
                array.way.value,
            ]
            for array in record.arrays
        ],
    )
    for gap in record.gaps:
        answer(None, f"gap: {gap.path}: {gap.reason}")


def _document(record: Dataset) -> dict[str, object]:
    document = record.document()
    return {
        "pid": document["pid"],
        "version": record.version,
        "root": record.root,
        "record": document,
        "location": record.location,
        "arrays": document["arrays"],
        "gaps": document["gaps"],
    }
