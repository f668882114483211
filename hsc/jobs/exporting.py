"""The export job: from a dataset in the store to a file that other programs read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hsc.client import Catalog, connect
from hsc.errors import ParameterError, RoleMissingError
from hsc.exporting import (
    Filters,
    SasCurve,
    SasStep,
    carried_folder,
    check_carried,
    export_run,
    has_entries,
    is_decoded,
    write_carried,
    write_entries,
    write_nxcansas,
)
from hsc.jobs.locating import locate
from hsc.model import Dataset, Gap, Kind, Pid
from hsc.reading import OpenedDataset, open_dataset
from hsc.workers import Progress

_HISTORY_DEPTH = 20
_CURVE = ("q", "intensity", "intensity_error")


@dataclass(frozen=True, slots=True)
class ExportedDataset:
    """What an export made; where a path is wanted it is its own."""

    pid: str
    """The dataset."""
    path: Path
    """The file, or the folder of a run of many files."""
    form: str
    """``hdf5``, ``nxcansas``, or ``original``: the file of another kind that it was made of."""
    files: tuple[Path, ...]
    """All files."""
    nbytes: int
    """Their bytes."""
    gaps: tuple[Gap, ...] = ()
    """What is not in them, and why."""
    notes: tuple[Gap, ...] = ()
    """What is there, but not as it was."""

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def document(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {
            "pid": self.pid,
            "path": str(self.path),
            "form": self.form,
            "files": len(self.files),
            "bytes": self.nbytes,
            "gaps": [gap.document() for gap in self.gaps],
            "notes": [note.document() for note in self.notes],
        }


def export(
    pid: str | Pid,
    path: str | Path,
    *,
    filters: str = "original",
    form: str | None = None,
    gaps: str = "note",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportedDataset:
    """Write a dataset back to HDF5: the file it was made of, or a folder of its files.

    Parameters
    ----------
    pid
        The dataset.
    path
        The file to make, or the folder for a run of many files; it appears whole or not at all.
    filters
        ``original``: chunks are compressed as they were; ``blosc`` and ``gzip``: what was
        compressed is so with Blosc (32001), or with deflate, which needs no plug-in.
    form
        ``hdf5`` or ``nxcansas``, for SasView; None: the latter for a reduced curve, and that file
        for what was made of one that is no HDF5 (a calibration).
    gaps
        ``note``: gaps are missing in the file as well, whose attribute ``hsc_gaps`` tells of
        them; ``raise``: nothing is written of a dataset that has some.
    overwrite
        Replace what is there; never a folder that holds anything but this run's files.
    progress
        Hears how far it has come.

    Raises
    ------
    RoleMissingError
        NXcanSAS is asked for and the dataset holds no curve.
    ParameterError
        A word that is none of those above.
    GapError
        The dataset has gaps and ``gaps`` is ``raise``.
    ObjectExistsError
        Something is there and ``overwrite`` is False.
    DamageError
        Bytes of the dataset are missing or not those that were written.
    """
    _check_words(filters, form, gaps)
    with connect(create=False) as catalog:
        located = locate(catalog, Pid.parse(pid))
        dataset = open_dataset(located.record, located.others)
        if form == "nxcansas" or (form is None and _is_curve(dataset)):
            return _as_nxcansas(dataset, Path(path), catalog, overwrite)
    made = export_run(
        dataset, path, filters=Filters(filters), overwrite=overwrite,
        refuse_gaps=gaps == "raise", as_hdf5=form == "hdf5", progress=progress,
    )  # fmt: skip
    return ExportedDataset(
        str(pid), made.path, _form(dataset, form), made.files, made.nbytes, made.gaps, made.notes
    )


def _as_nxcansas(
    dataset: OpenedDataset, target: Path, catalog: Catalog, overwrite: bool
) -> ExportedDataset:
    check_carried(dataset, carried_folder(target), overwrite=overwrite)
    # What a reduction before 0.2 made holds a curve by its roles only.
    if has_entries(dataset):
        write_entries(target, dataset, overwrite=overwrite)
    else:
        write_nxcansas(target, _curve(dataset, catalog), overwrite=overwrite)
    files = (target, *write_carried(dataset, carried_folder(target), overwrite=overwrite))
    nbytes = sum(file.stat().st_size for file in files)
    return ExportedDataset(str(dataset.record.pid), target, "nxcansas", files, nbytes)


def _form(dataset: OpenedDataset, form: str | None) -> str:
    return "original" if form is None and is_decoded(dataset) else "hdf5"


def _check_words(filters: str, form: str | None, gaps: str) -> None:
    for what, word, known in (
        ("filters", filters, tuple(Filters)),
        ("form", form or "hdf5", ("hdf5", "nxcansas")),
        ("gaps", gaps, ("note", "raise")),
    ):
        if word not in known:
            raise ParameterError(
                f"{what} can't be {word!r}", next_step=f"choose one of {', '.join(known)}"
            )


def _is_curve(dataset: OpenedDataset) -> bool:
    """Tell whether a reduction made a dataset, of curves: no file of its own to go back to."""
    if dataset.record.kind is not Kind.DERIVED:
        return False
    if has_entries(dataset):
        return True
    # Of frames integrated one by one there are many curves, in one tree.
    known = all(name in dataset.roles for name in _CURVE)
    return known and len(dataset.role("intensity").shape) == 1


def _curve(dataset: OpenedDataset, catalog: Catalog) -> SasCurve:
    record = dataset.record
    try:
        q, intensity, error = (dataset.role(name) for name in _CURVE)
    except RoleMissingError as missing:
        raise RoleMissingError(
            "the dataset holds no curve",
            where=str(record.pid),
            next_step="reduce it first, as in `hsc reduce biosaxs sample=PID buffer=PID`; "
            "hsc.open(pid) reads any dataset",
        ) from missing
    wavelength = record.quantities.get("wavelength")
    distance = record.quantities.get("detector_distance")
    return SasCurve(
        q=q.read(),
        intensity=intensity.read(),
        error=error.read(),
        title=record.title,
        run=f"{record.pid}@{record.version}",
        q_unit=str(q.attributes["units"]),
        intensity_unit=str(intensity.attributes["units"]),
        sample_name=record.sample,
        instrument=record.instrument,
        wavelength_angstrom=_si(wavelength, 1e-10),
        distance_m=_si(distance, 1.0),
        steps=tuple(_steps(record, catalog)),
    )


def _si(quantity: object, unit: float) -> float | None:
    si = getattr(quantity, "si", lambda: None)()
    return None if si is None else si[0] / unit


def _steps(record: Dataset, catalog: Catalog) -> list[SasStep]:
    """Give the activities that led here, the first of them first."""
    pid = record.pid.at(record.version)
    history = catalog.lineage(pid, up=True, down=False, depth=_HISTORY_DEPTH)
    steps = [
        SasStep(
            name=node.title.split(",")[0],
            description=node.title,
            note=", ".join(
                edge.object for edge in history.edges
                if edge.subject == node.id and edge.predicate == "used"
            ),
        )
        for node in history.nodes
        if node.kind == "activity"
    ]  # fmt: skip
    return steps[::-1]
