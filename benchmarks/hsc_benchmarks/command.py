"""``hsc bench``: the benchmarks by name, each the answer to one question."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from hsc.errors import ConfigurationError
from hsc_benchmarks.machine import describe_machine, load_average
from hsc_benchmarks.report import print_document, print_tables

# Benchmark to its module and function; each brings its own packages when it is called.
BENCHMARKS = {
    "bucket": "hsc_benchmarks.bucket:measure_bucket",
    "catalog": "hsc_benchmarks.catalog:measure_catalog",
    "export": "hsc_benchmarks.exporting:measure_export",
    "ingest": "hsc_benchmarks.ingest:measure_ingest",
    "inspect": "hsc_benchmarks.inspecting:measure_inspect",
    "read": "hsc_benchmarks.reading:measure_read",
    "reductions": "hsc_benchmarks.reductions.table:measure_reductions",
    "scale": "hsc_benchmarks.scale:measure_scale",
    "small": "hsc_benchmarks.small:measure_small",
    "verify": "hsc_benchmarks.verifying:measure_verify",
}
# Frames that a benchmark takes by default, where not 200.
FRAMES = {"bucket": 3000, "export": 1900, "read": 1900, "verify": 1900}
# Ways that chunks travel, and frames that take more than 1 GB as stored.
WAYS = {
    "rewrap-u4": 740,
    "rewrap-u2": 1900,
    "blosc": 1900,
    "zstd": 2000,
    "raw": 500,
    "deflate": 400,
}


class Database(StrEnum):
    """What is under a catalog."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


def bench(
    name: Annotated[
        str,
        typer.Argument(
            help="Which benchmark: bucket, catalog, export, ingest, inspect, read, reductions, "
            "scale, small, verify; "
            "or a way that chunks travel: rewrap-u4, rewrap-u2, blosc, zstd, raw, deflate."
        ),
    ] = "ingest",
    frames: Annotated[
        int | None,
        typer.Option(min=1, help="Frames of the mock run; by default 200, of a way more."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each arm is timed.")] = 5,
    datasets: Annotated[
        int, typer.Option(min=1000, help="Datasets in the catalog, of `catalog` alone.")
    ] = 100_000,
    database: Annotated[
        Database,
        typer.Option(help="Under `catalog`: sqlite, or the postgresql that HSC_CATALOG names."),
    ] = Database.SQLITE,
    case: Annotated[
        str | None, typer.Option(help="Which case of `reductions`; by default all of them.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where files go; by default the temporary folder.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on stdout.")
    ] = False,
) -> None:
    """Measure on this machine, against the floor and against the usual way."""
    measure = _find(name)
    count = frames or {**FRAMES, **WAYS}.get(name, 200)
    facts = describe_machine(folder)
    asked: dict[str, Any] = {"frames": count}
    if name == "catalog":
        asked = {"datasets": datasets, "database": database.value}
    elif name == "reductions":
        asked = {"case": case}
    measured = measure(**asked, rounds=rounds, folder=folder, say=_say)
    facts["load_average_after"] = load_average()
    document = {"benchmark": name, "machine": facts, **measured}
    if json:
        print_document(document)
    else:
        print_tables(document)


def _find(name: str) -> Callable[..., dict[str, Any]]:
    if name in WAYS:
        return partial(import_module("hsc_benchmarks.ways").measure_way, name)
    target = BENCHMARKS.get(name)
    if target is None:
        known = ", ".join([*BENCHMARKS, *WAYS])
        raise ConfigurationError(
            f"there is no benchmark {name!r}", next_step=f"use one of: {known}"
        )
    module, _, function = target.partition(":")
    found: Callable[..., dict[str, Any]] = getattr(import_module(module), function)
    return found


def _say(text: str) -> None:
    Console(file=sys.stderr).print(text, highlight=False)
