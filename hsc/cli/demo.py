"""``hsc demo``: the main job end to end on a made-up bioSAXS run whose answer is known."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from hsc import jobs
from hsc.cli.demo_pictures import draw_pictures
from hsc.cli.options import Json
from hsc.cli.output import Bars, answer, json_wanted, show_table, size
from hsc.cli.parts import run_job
from hsc.errors import HscError
from hsc.model import now

# A straight Guinier line is too steep on a sphere, the more the longer it is (fit_guinier derives
# it): Rg comes out 2 % too large at the customary limit of 1.3, 0.6 % at this one.
_QRG_MAX = 0.7
_TOLERANCE = 0.01
_BYTES_PER_PIXEL = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo came to."""

    document: dict[str, Any]
    """Everything, as JSON."""
    rows: list[list[str]]
    """The table for people."""
    good: bool
    """Whether the radius of gyration is right."""


def demo(
    out: Annotated[Path, typer.Option(help="Where files for people go.")] = Path("demo-output"),
    frames: Annotated[int, typer.Option(min=100, help="Frames of buffer and of sample.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of the noise.")] = 1,
    flow: Annotated[
        bool, typer.Option("--flow/--no-flow", help="Run the jobs as Prefect flows.")
    ] = True,
    json: Json = False,
) -> None:
    """Make a bioSAXS run, ingest it, reduce it, report, and compare the answer with the truth."""
    folder = _new_folder(out)
    started = time.perf_counter()
    with Bars() as bars:
        outcome = _run(folder, frames, seed, flow, bars)
    outcome.document["seconds"] = round(time.perf_counter() - started, 1)
    if json_wanted():
        answer(outcome.document, "")
    else:
        show_table("", ["", ""], outcome.rows)
        _suggest(outcome.document)
    if not outcome.good:
        raise typer.Exit(1)


def _run(folder: Path, frames: int, seed: int, flow: bool, bars: Bars) -> Outcome:
    # The writer of mock files brings numba and h5py: only the demo waits for them.
    from hsc.testing import BioSaxsModel, write_biosaxs_pair

    model = BioSaxsModel()
    _say(f"making {frames} frames of buffer and {frames} of sample, as a detector writes them")
    pair = write_biosaxs_pair(
        folder / "raw", model, frames=frames, seed=seed, proposal="demo", instrument="demo"
    )
    _say(
        "ingesting both, as a Prefect flow (its server, and compiling once, take a while)"
        if flow
        else "ingesting"
    )
    request = jobs.IngestRequest(
        paths=(str(pair.buffer.absolute()), str(pair.sample.absolute())), facility="local"
    )
    report = run_job("ingest", request, flow, bars)
    if report.errors:
        raise HscError(report.errors[0].message, where=report.errors[0].where)
    buffer, sample = report.datasets
    _say("following the bioSAXS chain: I(q), buffer subtracted, Rg, p(r), masses, report")
    asked = jobs.ReduceRequest(
        name="biosaxs",
        inputs=(("sample", sample.pid), ("buffer", buffer.pid)),
        parameters={"guinier_qrg_max": _QRG_MAX},
    )
    reduced = run_job("reduce", asked, flow, bars)
    curve = jobs.export(reduced.pid, folder / "subtracted.h5")
    pictures = draw_pictures(folder, reduced.pid, sample.pid)
    return _outcome(model.rg_nm, report, reduced, [curve.path, *pictures])


def _outcome(truth_nm: float, report: Any, reduced: Any, files: list[Path]) -> Outcome:
    found = float(reduced.results["rg_nm"])
    deviation = found / truth_nm - 1
    good = abs(deviation) <= _TOLERANCE
    rows, datasets = [], []
    for role, each in zip(("buffer", "sample"), report.datasets, strict=True):
        stack = max(each.arrays, key=lambda array: len(array.shape))
        pixels = _BYTES_PER_PIXEL
        for length in stack.shape:
            pixels *= length
        speed = f"{pixels / each.seconds / 1e9:.2f} GB/s of pixels"
        what = "was there already" if each.existing else f"{each.seconds:.1f} s, {speed}"
        shape = " × ".join(map(str, stack.shape))
        rows += [
            [f"{role}", f"{shape} {stack.dtype}, {stack.way.value}"],
            ["", f"{size(each.bytes_in)} in, {size(each.bytes_out)} out, {what}"],
            ["", str(each.pid)],
        ]
        datasets.append({"role": role, "pixel_bytes": pixels, **each.document()})
    rows += [
        ["I(q)", f"{reduced.results['bins']} points in {reduced.seconds:.1f} s"],
        ["", str(reduced.pid)],
        ["Rg found", f"{found:.4f} ± {reduced.results['rg_error_nm']:.4f} nm"],
        ["Rg known", f"{truth_nm:.4f} nm"],
        ["", f"{deviation:+.2%}: {'right' if good else 'WRONG'} (within 1 % is right)"],
        *([("files" if not n else ""), str(file)] for n, file in enumerate(files)),
    ]
    document = {
        "datasets": datasets,
        "reduced": reduced.document(),
        "rg_found_nm": found,
        "rg_known_nm": truth_nm,
        "deviation": deviation,
        "good": good,
        "files": [str(file) for file in files],
    }
    return Outcome(document, rows, good)


def _suggest(document: dict[str, Any]) -> None:
    pid, sample = document["reduced"]["pid"], document["datasets"][1]["pid"]
    command = _own_name()
    lines = [
        f"\nThe report: {_report_of(document)}",
        f"That took {document['seconds']:.0f} s. Three commands to try next:",
        f"  {command} lineage {pid}",
        f"  {command} search --where 'photon_energy > 12 keV'",
        f"  {_python(command)} -c \"import hsc; print(hsc.open('{sample}'))\"",
    ]
    answer(None, "\n".join(lines))


def _report_of(document: dict[str, Any]) -> str:
    return next(str(file) for file in document["files"] if file.endswith("report.html"))


def _own_name() -> str:
    here = Path(sys.argv[0])
    if shutil.which("hsc") and Path(shutil.which("hsc") or "").resolve() == here.resolve():
        return "hsc"
    try:
        return os.path.relpath(here)
    except ValueError:  # on Windows, another drive
        return str(here)


def _python(command: str) -> str:
    beside = Path(command).with_name("python")
    return str(beside) if command != "hsc" and beside.exists() else "python"


def _new_folder(out: Path) -> Path:
    folder = out / f"{now():%Y%m%d-%H%M%S}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise HscError(
            f"the folder can't be made: {error.strerror}",
            where=str(folder),
            next_step="choose another with --out",
        ) from error
    return folder


def _say(text: str) -> None:
    Console(stderr=True).print(text, highlight=False)
