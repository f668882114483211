"""``hsc ingest PATH...``: HDF5 to Zarr, each path one dataset."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hsc import jobs
from hsc.cli.options import Flow, Isolate, Json, MaxRate, Memory, Workers
from hsc.cli.output import Bars, answer, json_wanted, show_table, size
from hsc.cli.parts import run_job

_WITH_GAPS = 3


class Policy(StrEnum):
    """What to do with what can't be carried over."""

    STRICT = "strict"
    QUARANTINE = "quarantine"


class Verify(StrEnum):
    """How much is read back and compared with the source."""

    NONE = "none"
    SAMPLE = "sample"
    FULL = "full"


def ingest(
    paths: Annotated[
        list[Path], typer.Argument(help="HDF5 files, or folders or master files of runs.")
    ],
    facility: Annotated[
        str | None, typer.Option(help="Facility's short id; by default HSC_FACILITY, else local.")
    ] = None,
    proposal: Annotated[
        str | None, typer.Option(help="Proposal number; by default as the files say.")
    ] = None,
    sample: Annotated[
        str | None, typer.Option(help="Sample's name; by default as the files say.")
    ] = None,
    layout: Annotated[str | None, typer.Option(help="Layout; by default it is found out.")] = None,
    policy: Annotated[
        Policy, typer.Option(help="Stop at what can't be carried over, or record a gap.")
    ] = Policy.STRICT,
    verify: Annotated[
        Verify, typer.Option(help="How much is read back and compared with the source.")
    ] = Verify.SAMPLE,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Make previews of image stacks, as --verify full does."),
    ] = False,
    flow: Flow = None,
    workers: Workers = None,
    isolate: Isolate = None,
    max_rate: MaxRate = None,
    memory: Memory = None,
    max_wait: Annotated[
        float,
        typer.Option(
            min=0, help="Seconds to wait for another ingest of the same source; by default 12 h."
        ),
    ] = 12 * 3600.0,
    json: Json = False,
) -> None:
    """Take files in: each PATH becomes one dataset in the store and the catalog."""
    request = jobs.IngestRequest(
        paths=tuple(str(path.absolute()) for path in paths),
        facility=facility,
        proposal=proposal,
        sample=sample,
        layout=layout,
        policy=policy.value,
        verify=verify.value,
        preview=preview,
        workers=workers,
        isolate=isolate,
        max_rate=max_rate,
        memory=memory,
        max_wait_s=max_wait,
    )
    with Bars() as bars:
        report = run_job("ingest", request, flow, bars)
    tell_ingested(report)


def tell_ingested(report: Any) -> None:
    """Say what came of an ingest, and end the command with its exit code."""
    _tell(report)
    if report.errors:
        raise typer.Exit(1)
    if any(dataset.gaps for dataset in report.datasets):
        raise typer.Exit(_WITH_GAPS)


def _tell(report: Any) -> None:
    document = report.document()
    if report.errors:
        document["error"] = report.errors[0].error
        document["message"] = report.errors[0].message
    if json_wanted():
        answer(document, "")
        return
    if report.datasets:
        show_table(
            "",
            ["PID", "source", ">in", ">out", ">GB/s", ""],
            [
                [
                    str(dataset.pid),
                    Path(dataset.source).name,
                    size(dataset.bytes_in),
                    size(dataset.bytes_out),
                    "" if dataset.existing else _speed(dataset),
                    _remark(dataset),
                ]
                for dataset in report.datasets
            ],
        )
    for dataset in report.datasets:
        for gap in dataset.gaps:
            answer(None, f"gap in {dataset.pid}: {gap.path}: {gap.reason}")
        for note in dataset.notes:
            answer(None, f"note on {dataset.pid}: {note}")
    for error in report.errors:
        lines = [f"error: {error.message}", f"  where: {error.where or error.path}"]
        lines += [f"  next:  {error.next}"] if error.next else []
        answer(None, "\n".join(lines), to_stderr=True)


def _speed(dataset: Any) -> str:
    return f"{dataset.bytes_in / max(dataset.seconds, 1e-3) / 1e9:.3f}"


def _remark(dataset: Any) -> str:
    # The next version of a run that grew bears the PID that its user knows already.
    version = f"version {dataset.version}" if dataset.version > 1 else ""
    told = "was there already" if dataset.existing else ""
    if dataset.copied:
        told = f"with {dataset.copied} objects copied from the one before"
    return " ".join(filter(None, (version, told)))
