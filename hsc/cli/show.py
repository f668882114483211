"""``hsc show PID``: one dataset, its arrays and its gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, show_table, size
from hsc.cli.records import access_lines, annotation_lines
from hsc.client import connect
from hsc.model import Entry, Pid, Replica
from hsc.reading import open_dataset


def show(
    pid: Annotated[str, typer.Argument(help="The dataset's PID, with @n for version n.")],
    b3sum: Annotated[
        bool, typer.Option("--b3sum", help="Print its digests as `b3sum --check` reads them.")
    ] = False,
    files: Annotated[
        bool, typer.Option("--files", help="List what is below its files/: reports, notes.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a dataset: what it is, where it is, who may see it, what was said of it, its arrays."""
    with connect(create=False) as catalog:
        if b3sum:
            lines = jobs.read_checksums(jobs.locate(catalog, Pid.parse(pid)))
            answer({"pid": pid, "b3sum": lines}, lines.rstrip("\n"))
            return
        if files:
            _list_files(pid, jobs.locate(catalog, Pid.parse(pid)))
            return
        entry = catalog.entry(Pid.parse(pid))
        record = entry.record
        replicas = catalog.replicas(record.pid.at(record.version))
    if json_wanted():
        answer(_document(entry, replicas), "")
        return
    facts = [
        f"{record.pid}@{record.version}  {record.title}",
        f"  {record.kind.value}, made {record.created:%Y-%m-%d %H:%M} UTC",
        f"  facility {record.facility}, instrument {record.instrument or 'unknown'}, "
        f"proposal {record.proposal or 'unknown'}, sample {record.sample or 'unknown'}",
    ]
    if entry.access is not None:
        facts += [f"  {line}" for line in access_lines(entry.access)]
    if record.origin is not None:
        facts.append(f"  lies with {record.origin.catalog} as {record.origin.pid}")
    else:
        facts += [f"  {size(record.bytes_out)}", f"  root {record.root}"]
    facts += [f"  {_stands(each)}" for each in replicas]
    facts += [f"  rests on {pid}, of which there is a newer version" for pid in entry.stale]
    facts += [f"  {line}" for line in annotation_lines(entry)]
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


def _list_files(pid: str, located: jobs.Located) -> None:
    """List carried files; the record has arrays only, so the version itself is asked."""
    held = open_dataset(located.record, located.others).files.values()
    listed = [{"name": one.name, "bytes": one.nbytes, "blake3": one.blake3} for one in held]
    if json_wanted():
        answer({"pid": pid, "files": listed}, "")
        return
    show_table("", ["file", "size"], [[one.name, size(one.nbytes)] for one in held])


def _stands(replica: Replica) -> str:
    """Word where a replica is and how it stands."""
    seen = f", verified {replica.verified:%Y-%m-%d %H:%M} UTC" if replica.verified else ""
    return f"{replica.state.value} at {replica.location}{seen}"


def _document(entry: Entry, replicas: Sequence[Replica]) -> dict[str, object]:
    record, stands = entry.record, entry.document()
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
        "access": stands["access"],
        "revision": entry.revision,
        "annotations": stands["annotations"],
        "stale": stands["stale"],
    }
