"""``hsc show PID``: one dataset, its arrays and its gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, show_table, size
from hsc.client import connect
from hsc.model import Dataset, Pid, Replica


def show(
    pid: Annotated[str, typer.Argument(help="The dataset's PID, with @n for version n.")],
    b3sum: Annotated[
        bool, typer.Option("--b3sum", help="Print its digests as `b3sum --check` reads them.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a dataset: what it is, where it is, its arrays and its gaps."""
    with connect() as catalog:
        if b3sum:
            lines = jobs.read_checksums(jobs.locate(catalog, Pid.parse(pid)))
            answer({"pid": pid, "b3sum": lines}, lines.rstrip("\n"))
            return
        record = catalog.get(Pid.parse(pid))
        replicas = catalog.replicas(record.pid.at(record.version))
    if json_wanted():
        answer(_document(record, replicas), "")
        return
    facts = [
        f"{record.pid}@{record.version}  {record.title}",
        f"  {record.kind.value}, {record.visibility}, made {record.created:%Y-%m-%d %H:%M} UTC",
        f"  facility {record.facility}, instrument {record.instrument or 'unknown'}, "
        f"proposal {record.proposal or 'unknown'}, sample {record.sample or 'unknown'}",
        f"  {size(record.bytes_out)}",
        f"  root {record.root}",
    ]
    facts += [f"  {_stands(each)}" for each in replicas]
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


def _stands(replica: Replica) -> str:
    """Word where a replica is and how it stands."""
    seen = f", verified {replica.verified:%Y-%m-%d %H:%M} UTC" if replica.verified else ""
    return f"{replica.state.value} at {replica.location}{seen}"


def _document(record: Dataset, replicas: Sequence[Replica]) -> dict[str, object]:
    document = record.document()
    return {
        "pid": document["pid"],
        "version": record.version,
        "root": record.root,
        "record": document,
        "location": record.location,
        "replicas": [each.document() for each in replicas],
        "arrays": document["arrays"],
        "gaps": document["gaps"],
    }
