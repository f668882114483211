"""``hsc verify PID``: every object of a dataset against its manifest; repairs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Json, Workers
from hsc.cli.output import Bars, answer, json_wanted, size
from hsc.cli.places import store_argument
from hsc.errors import ConfigurationError
from hsc.jobs import Verification
from hsc.model import Pid


def verify(
    pid: Annotated[
        str, typer.Argument(help="The dataset's PID, with @n for version n; or a fetched folder.")
    ],
    replica: Annotated[
        str | None, typer.Option(help="URL of the version's folder; by default the first replica.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All replicas, one after another.")] = False,
    source: Annotated[
        Path | None,
        typer.Option(help="The file or run that it was made of: decode both, compare every bit."),
    ] = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Check every object of a dataset against its manifest; damage is exit 1.

    Sizes, digests, shard indexes and checksums, root, record and claim. Nothing is repaired; the
    catalog is told when each replica was last found whole.
    """
    folder = jobs.folder_url(pid)
    if folder is not None and (replica or every or source):
        raise ConfigurationError(
            "a folder is verified by itself", next_step="give the PID, or no further option"
        )
    if replica and every:
        raise ConfigurationError("--replica and --all exclude each other")
    with Bars() as bars:
        if folder is not None:
            found = jobs.verify_folder(folder, workers=workers, progress=bars)
        else:
            request = jobs.VerifyRequest(
                pid=Pid.parse(pid),
                replica=store_argument(replica) if replica else None,
                every=every,
                source=str(source.absolute()) if source else None,
                workers=workers,
            )
            found = jobs.verify(request, progress=bars)
    _tell(found)
    if found.damaged or found.failures:
        raise typer.Exit(1)


def _tell(found: Verification) -> None:
    document = found.document()
    if found.damaged:
        first = found.damaged[0]
        document |= {"error": first.error, "message": first.message}
    elif found.failures:
        document |= {"error": found.failures[0].error, "message": found.failures[0].message}
    if json_wanted():
        answer(document, "")
        return
    for each in found.replicas:
        if each.failure is not None:
            said = f"{each.location}: not verified: {each.failure.message}"
            answer(None, f"{said}\n  next:  {each.failure.next}" if each.failure.next else said)
            continue
        verdict = f"{len(each.damaged)} damaged" if each.damaged else "as written"
        left = f", {len(each.not_fetched)} not fetched" if each.not_fetched else ""
        answer(
            None, f"{each.location}: {each.objects} objects, {size(each.bytes)}, {verdict}{left}"
        )
    if found.compared is not None:
        answer(None, f"{found.compared} chunks decoded, equal to the source's")
    for one in found.damaged:
        lines = [f"damaged: {one.key}: {one.message}", f"  where: {one.where}"]
        lines += [f"  chunks: {_numbers(one.chunks)}"] if one.chunks else []
        lines += [f"  next:  {one.next}"] if one.next else []
        answer(None, "\n".join(lines))


def _numbers(chunks: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, chunks[:20]))
    return f"{shown} and {len(chunks) - 20} more" if len(chunks) > 20 else shown
