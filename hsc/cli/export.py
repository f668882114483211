"""``hsc export PID OUT``: a dataset back to HDF5, or a reduced curve as NXcanSAS."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Json
from hsc.cli.output import Bars, answer, printable, size

_WITH_GAPS = 3


class FiltersChoice(StrEnum):
    """Choices of ``--filters``."""

    original = "original"
    blosc = "blosc"
    gzip = "gzip"


class FormChoice(StrEnum):
    """Choices of ``--as``."""

    hdf5 = "hdf5"
    nxcansas = "nxcansas"


class GapsChoice(StrEnum):
    """Choices of ``--gaps``."""

    note = "note"
    refuse = "raise"


def export(
    pid: Annotated[str, typer.Argument(help="The dataset's PID.")],
    out: Annotated[
        Path, typer.Argument(help="The file to make; for a run of many files the folder.")
    ],
    filters: Annotated[
        FiltersChoice,
        typer.Option(help="What chunks are compressed with; gzip needs no plug-in to read."),
    ] = FiltersChoice.original,
    form: Annotated[
        FormChoice | None,
        typer.Option(
            "--as", help="By default nxcansas for a curve, a calibration's own file, else hdf5."
        ),
    ] = None,
    gaps: Annotated[
        GapsChoice, typer.Option(help="Leave gaps out and tell, or write nothing.")
    ] = GapsChoice.note,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    json: Json = False,
) -> None:
    """Write a dataset back to HDF5, as it was; a reduced curve as NXcanSAS, which SasView reads."""
    with Bars() as bars:
        made = jobs.export(
            pid,
            out,
            filters=filters.value,
            form=form.value if form else None,
            gaps=gaps.value,
            overwrite=overwrite,
            progress=bars,
        )
    answer(made.document(), _told(made))
    for word, told in (("gap", made.gaps), ("note", made.notes)):
        for each in told:
            typer.echo(printable(f"{word}: {each.path}: {each.reason}"), err=True)
    if made.gaps:
        raise typer.Exit(_WITH_GAPS)


def _told(made: jobs.ExportedDataset) -> str:
    """Tell what was made: also that it is a folder, and which one lies beside the file."""
    path, beside = str(made.path), len(made.files) - 1
    if made.path.is_dir():
        return f"{path}/  a folder of {beside + 1} files, {size(made.nbytes)}"
    if not beside:
        return f"{path}  {size(made.nbytes)}"
    folder = made.path.with_name(made.files[-1].relative_to(made.path.parent).parts[0])
    return f"{path}, and {beside} files in {folder}/  {size(made.nbytes)}"
